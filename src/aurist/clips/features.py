"""Find the feature columns of a table and convert their cells."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from aurist.clips.guess import NAMES, NONE, ReadOptions, Roles, match_column, mostly_numbers
from aurist.clips.labels import MISSING, cell_text, exact_numbers
from aurist.clips.numbers import plain_numbers, spelling_note, without_value
from aurist.clips.suffixes import is_audio
from aurist.clips.table import COLUMNS
from aurist.clips.times import normalise_name
from aurist.errors import DataError, listing, plural

#: Roles that a table can do without, by "none".
_REFUSABLE = ("label", "group", "fold", "id")
_LABEL = re.compile(r"label|class|categor|species|genre|\btags?\b|annotation", re.IGNORECASE)
#: A name of labels that is one of features too.
_COORDINATES = {"y"}


def find_features(table: pd.DataFrame, roles: Roles, options: ReadOptions, where: str) -> pd.DataFrame | None:
    """Return the feature columns: the named ones, or in a table without paths all that have no other role.

    Columns of numbers become float or integer columns. Text and categories stay as they are.

    Raises
    ------
    DataError
        If there are no features, or cells in columns of numbers are no numbers: all of them.
    """
    free = [str(name) for name in table.columns if name not in roles.columns.values()]
    if options.features is not None:
        chosen = [name for pattern in options.features for name in _matching(pattern, free, where)]
        chosen = list(dict.fromkeys(chosen))
    elif options.fitted and not set(free).isdisjoint(name for name, _ in options.fitted):
        chosen = [name for name, _ in options.fitted if name in free]
        extra = [name for name in free if name not in chosen]
        if extra:
            roles.notes.append(f"ignored columns that the run does not know: {', '.join(extra[:10])}")
    elif roles.get("path"):
        _note_unused(table, free, roles)
        return None
    else:
        chosen = _all_features(table, _without_refused(free, options), roles)
    if not chosen:
        raise DataError(
            f"{where}: found neither a column of audio files (path=) nor any features. "
            f"It has: {', '.join(map(str, table.columns[:40]))}."
        )
    reserved = [name for name in chosen if name in COLUMNS]
    if reserved:
        raise DataError(
            f"{where}: features cannot be called {', '.join(map(repr, reserved))}: aurist uses these names for "
            "other things. Rename the columns, for instance with an ending: "
            f"{', '.join(f'{name}_value' for name in reserved)}."
        )
    typed = _with_types(table.loc[:, chosen], dict(options.fitted), where)
    roles.notes += spelling_note(table, [n for n in chosen if pd.api.types.is_numeric_dtype(typed[n])])
    return typed


def _matching(pattern: str, names: list[str], where: str) -> list[str]:
    matches = names if pattern in names else fnmatch.filter(names, pattern)
    return [pattern] if pattern in names else matches or [match_column(pattern, names, "features=", where)]


def _note_unused(table: pd.DataFrame, free: list[str], roles: Roles) -> None:
    numbers = [name for name in free if mostly_numbers(table[name])]
    label = roles.get("label")
    labels = [name for name in free if _LABEL.search(name) and not _is_code(table, name, label)]
    if labels:
        roles.notes.append(
            f"not used, although named like labels: {', '.join(labels)} (label= names another column)"
        )
    if len(numbers) > 2:
        roles.notes.append(
            f"besides the path, {len(numbers)} columns of numbers are not used ({', '.join(numbers[:3])} "
            f"...); "
            'features= names feature columns, path="none" means no audio'
        )


def _is_code(table: pd.DataFrame, name: str, label: str | None) -> bool:
    """Tell whether a column only repeats the labels, as a number or another name of each."""
    if label is None:
        return False
    cells = pd.DataFrame({"label": table[label].map(str), "other": table[name].map(str)}).drop_duplicates()
    return bool(cells["label"].is_unique)


def _without_refused(free: list[str], options: ReadOptions) -> list[str]:
    """Leave out columns of refused roles: after ``--fold none``, a column ``fold`` is no feature either."""
    refused = {name for role in _REFUSABLE if getattr(options, role) == NONE for name in NAMES[role]}
    return [name for name in free if normalise_name(name) not in refused]


def _all_features(table: pd.DataFrame, free: list[str], roles: Roles) -> list[str]:
    unique_texts = [name for name in free if _is_a_name(table[name])]
    if unique_texts:
        roles.notes.append(f"not used as features, a different text in every row: {', '.join(unique_texts)}")
    of_files = [name for name in free if name not in unique_texts and _names_files(name, table[name])]
    if of_files:
        roles.notes.append(f"not used as features, names of recordings: {', '.join(of_files)}")
    names_only = {*unique_texts, *of_files}
    # a second id or a code of the label (genre and genre_id) would leak the answer
    leaking_names = {*NAMES["id"], *(NAMES["label"] if roles.get("label") else ())} - _COORDINATES
    leaking = [name for name in free if name not in names_only and normalise_name(name) in leaking_names]
    if leaking:
        roles.notes.append(
            f"not used as features, ids or labels by their names: {', '.join(leaking)} "
            "(features= names the features to take)"
        )
    return [name for name in free if name not in names_only and name not in leaking]


def is_text(column: pd.Series[Any]) -> bool:
    """Tell whether a column holds text, and neither numbers nor categories."""
    return not pd.api.types.is_numeric_dtype(column) and not isinstance(column.dtype, pd.CategoricalDtype)


def _names_files(name: str, column: pd.Series[Any]) -> bool:
    """Tell whether the cells are names of recordings."""
    if not is_text(column) or mostly_numbers(column):
        return False
    return normalise_name(name) in NAMES["path"] or all(is_audio(cell_text(cell)) for cell in column)


def _is_a_name(column: pd.Series[Any]) -> bool:
    return is_text(column) and len(column) > 1 and bool(column.is_unique) and not mostly_numbers(column)


def _with_types(table: pd.DataFrame, kinds: Mapping[str, str], where: str) -> pd.DataFrame:
    columns: dict[str, pd.Series[Any]] = {}
    bad: list[str] = []
    for name in table.columns:
        column, invalid = _typed(table[name], kinds.get(name))
        columns[name] = column
        bad.extend(f"row {row}, column {name!r}: {cell!r}" for row, cell in invalid)
    if bad:
        raise DataError(
            f"{where}: {plural(len(bad), 'cell')} {'is no number' if len(bad) == 1 else 'are no numbers'}, in columns "
            f"of numbers:\n{listing(bad)}\nCorrect them, or leave them empty where the value is unknown."
        )
    return pd.DataFrame(columns, index=table.index)


def _typed(column: pd.Series[Any], kind: str | None) -> tuple[pd.Series[Any], list[tuple[object, object]]]:
    """Convert a column by its kind; also return row and content of cells that are no numbers.

    ``kind`` is the kind of the fitted run, or None.
    """
    if kind == "category":
        return column.mask(column.isna() | column.isin(MISSING)).astype(object), []
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column, []
    if pd.api.types.is_bool_dtype(column):
        return column.astype(np.float64), []
    if pd.api.types.is_numeric_dtype(column):
        nullable = isinstance(column.dtype, pd.api.extensions.ExtensionDtype)
        return (column.astype(np.float64) if nullable else column), []
    blank = without_value(column)
    cells = column.mask(blank)
    if bool(blank.all()):
        return cells.astype(np.float64), []
    if set(cells.dropna().map(str)) <= {"True", "False"}:
        return cells.map({True: 1.0, False: 0.0, "True": 1.0, "False": 0.0}).astype(np.float64), []
    if kind is None and not mostly_numbers(column):
        return column.mask(column.isna() | column.isin(MISSING)).astype(object), []
    numbers = exact_numbers(plain_numbers(cells, decimal=kind == "decimal"))
    invalid = numbers.isna() & cells.notna()
    return numbers, list(zip(column.index[invalid], column[invalid], strict=True))
