"""Turn the rows of a data frame into clips: recordings, ready-made features, or both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from aurist.clips.features import find_features
from aurist.clips.filenames import read_names
from aurist.clips.guess import NAMES, NONE, ReadOptions, Roles, find_roles, mostly_numbers, part_of
from aurist.clips.guessed_groups import FILE_NAMES, name_columns, with_guessed_groups
from aurist.clips.label_column import read_labels, verb
from aurist.clips.labels import (
    MISSING,
    cell_text,
    texts,
)
from aurist.clips.listed_files import ListedRecordings, find_listed, numbered_recordings
from aurist.clips.numbers import decimal_commas
from aurist.clips.spans import find_times, read_spans
from aurist.clips.table import Clips, Part, make_clips, numbered
from aurist.clips.times import normalise_name
from aurist.errors import DataError, listing, plural

#: If recordings do not exist and there are so many columns of measurements, it is a feature table.
MEASUREMENTS = 5


def read_table(
    table: pd.DataFrame,
    options: ReadOptions,
    *,
    where: str,
    root: Path | None,
    labelled: bool,
    notes: Sequence[str] = (),
) -> Clips:
    """Make clips from a table's rows. Messages name a row by the index.

    Raises
    ------
    DataError
        If columns are missing, or cells do not fit their column: all of them at once.
    """
    if options.label_from:
        table, options = _with_names(table, options, where)
    column = numbered_recordings(table, options, root)
    numbered_as = (
        [] if column is None else [f"path column: {column} (guessed, as its numbers name recordings)"]
    )
    roles = find_roles(table, options if column is None else replace(options, path=column), where)
    roles.notes += numbered_as
    options = _settle_path(table, roles, options, root)
    find_times(roles, table, options, where)
    labels, absent, multilabel = read_labels(table, roles, options, where, labelled=labelled)
    clip_ids, given_ids = _ids(table, roles, options, labelled=labelled)
    features = find_features(table, roles, options, where)
    starts, ends = read_spans(table, roles.columns, roles.units, where)
    paths = _paths(table, roles, where)
    if paths is not None:
        paths, moved = find_listed(paths, options, root, where)
        roles.notes += moved
    clips = make_clips(
        labels,
        paths=paths,
        clip_ids=clip_ids,
        starts=starts,
        ends=ends,
        absent=absent,
        groups=_groups(table, roles, paths),
        folds=_optional_texts(table, roles, "fold"),
        parts=_parts(table, roles),
        features=features,
        multilabel=multilabel,
        root=options.audio_root or root,
        notes=[*notes, *roles.notes],
        rows=[row if isinstance(row, str) else int(row) if _whole(row) else str(row) for row in table.index],
        given_ids=given_ids,
    )
    clips = replace(clips, decimal_commas=decimal_commas(table, clips.features))
    if paths is not None:
        names = {FILE_NAMES: [str(path) for path in paths]}
    else:
        names = name_columns(table, roles, clips.features)
    return with_guessed_groups(clips, names, options, given=roles.get("group") is not None)


def _settle_path(table: pd.DataFrame, roles: Roles, options: ReadOptions, root: Path | None) -> ReadOptions:
    """Read rows as features if none of their recordings exists and there are columns of measurements."""
    column = roles.get("path")
    if column is None or options.path is not None or options.features is not None:
        return options
    others = [name for name in map(str, table.columns) if name not in roles.columns.values()]
    measured = [name for name in others if _measured(table[name])]
    recordings = ListedRecordings(options.audio_root or root or Path(), given=options.audio_root is not None)
    first = [cell_text(cell).replace("\\", "/") for cell in table[column].head(100)]
    if len(measured) < MEASUREMENTS or any(map(recordings.of, filter(None, first))):
        return options
    roles.columns.pop("path")
    roles.notes[:] = [note for note in roles.notes if not note.startswith("path column")]
    roles.notes.append(
        f"{column} names recordings that do not exist, and there are {len(measured)} columns of measurements: the rows "
        f'are read as features (path="{column}" reads them as recordings)'
    )
    return replace(options, path=NONE)


def _measured(column: pd.Series[Any]) -> bool:
    """Tell whether a column holds numbers that are not all whole, like measurements."""
    if not mostly_numbers(column):
        return False
    numbers = pd.to_numeric(column, errors="coerce").dropna()
    return bool((numbers % 1 != 0).any())


def _whole(row: object) -> bool:
    return isinstance(row, (int, np.integer))


def _ids(
    table: pd.DataFrame, roles: Roles, options: ReadOptions, *, labelled: bool
) -> tuple[list[str] | None, Sequence[str]]:
    """Return an id for each row, and the given ids if the table repeats some.

    Training data needs unique ids. Data to predict may repeat ids.
    """
    column = roles.get("id")
    if column is None and not labelled and options.id != NONE and roles.get("path") is None:
        column = _repeated_id(table)
    if column is None:
        return None, ()
    given = [cell_text(cell) for cell in table[column]]
    rows_of_id = pd.Series(table.index, dtype=object).groupby(given, sort=False).agg(list)
    repeated = rows_of_id[rows_of_id.map(len) > 1]
    if labelled or repeated.empty:
        return given, ()
    roles.columns["id"] = column
    examples = "; ".join(
        f"{name!r} in rows {', '.join(map(str, at[:5]))}" for name, at in repeated[:3].items()
    )
    more = f"; and {len(repeated) - 3} more" if len(repeated) > 3 else ""
    roles.notes.append(
        f"id column: {column}, though {plural(len(repeated), 'id')} {verb(repeated, 'is', 'are')} used for more "
        f"than one row ({examples}{more}); every row is kept, in its order"
    )
    return numbered(given), given


def _repeated_id(table: pd.DataFrame) -> str | None:
    """Find a column that is named like an id and has no empty cell."""
    names = [name for name in map(str, table.columns) if normalise_name(name) in NAMES["id"]]
    return next((name for name in names if all(cell_text(cell) for cell in table[name])), None)


def _with_names(table: pd.DataFrame, options: ReadOptions, where: str) -> tuple[pd.DataFrame, ReadOptions]:
    """Add columns for the fields of the file names."""
    pattern = str(options.label_from)
    column = find_roles(table, ReadOptions(path=options.path, features=options.features), where).get("path")
    if column is None:
        raise DataError(
            f"{where}: label_from= reads file names, but no column holds any. Name it with path=."
        )
    named = read_names([cell_text(cell) for cell in table[column]], pattern)
    columns = {role: f"{role} in the file name" for role in named[0]}
    cells = {columns[role]: [name[role] for name in named] for role in columns}
    chosen = replace(
        options,
        label_from=None,
        path=column,
        label=columns["label"],
        group=columns.get("group", options.group),
        fold=columns.get("fold", options.fold),
    )
    return table.assign(**cells), chosen


def _paths(table: pd.DataFrame, roles: Roles, where: str) -> list[str | None] | None:
    column = roles.get("path")
    if column is None:
        return None
    paths = [cell_text(cell).replace("\\", "/") or None for cell in table[column]]
    empty = [f"row {row}" for row, path in zip(table.index, paths, strict=True) if path is None]
    if empty:
        raise DataError(
            f"{where}: {plural(len(empty), 'row')} {verb(empty, 'has', 'have')} no path in column {column!r}:\n"
            f"{listing(empty)}"
        )
    return paths


def _optional_texts(table: pd.DataFrame, roles: Roles, role: str) -> list[str | None] | None:
    column = roles.get(role)
    return None if column is None else [None if cell in MISSING else cell for cell in texts(table[column])]


def _groups(table: pd.DataFrame, roles: Roles, paths: Sequence[str | None] | None) -> list[str | None] | None:
    """Return the given groups; a clip without one gets its recording, if several clips share it."""
    given = _optional_texts(table, roles, "group")
    if paths is None:
        return given
    several = {
        path for path, count in pd.Series(list(paths), dtype=object).value_counts().items() if count > 1
    }
    if not several:
        return given
    if given is None:
        roles.notes.append("groups: the recordings, because some have several clips")
        return list(paths)
    return [group or (path if path in several else None) for group, path in zip(given, paths, strict=True)]


def _parts(table: pd.DataFrame, roles: Roles) -> list[Part] | None:
    column = roles.get("part")
    return None if column is None else [cast(Part, part_of(cell) or "train") for cell in table[column]]
