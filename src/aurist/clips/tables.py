"""CSV, TSV and Parquet: clips of recordings, rows of features, or both."""

from __future__ import annotations

import csv
import fnmatch
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd

from aurist.clips.filenames import read_names
from aurist.clips.guess import ReadOptions, Roles, find_roles, known_column, part_of
from aurist.clips.labels import cell_text, split_labels
from aurist.clips.table import Clips, Part, make_clips
from aurist.errors import DataError, listing

#: Excel in Korea writes cp949; latin-1 reads anything.
ENCODINGS = ("utf-8-sig", "cp949", "latin-1")
#: A text column in which at least this share of the cells are numbers is a column of numbers with bad cells.
MOSTLY_NUMBERS = 0.9


def load_table(path: Path) -> tuple[pd.DataFrame, list[str]]:
    """A table file as it stands, and notes on how it was read.

    Raises
    ------
    DataError
        Where it is empty or cannot be parsed.
    """
    if path.suffix.lower() == ".parquet":
        try:
            return pd.read_parquet(path), []
        except (OSError, ValueError) as error:
            raise DataError(f"{path} cannot be read as Parquet: {error}") from error
    for encoding in ENCODINGS:
        try:
            with path.open(encoding=encoding, newline="") as file:
                head = file.read(65536)
                separator = "\t" if path.suffix.lower() == ".tsv" else _separator(head)
            table = pd.read_csv(path, sep=separator, encoding=encoding, low_memory=False)
            break
        except UnicodeDecodeError:
            continue
        except (pd.errors.ParserError, pd.errors.EmptyDataError, csv.Error) as error:
            raise DataError(f"{path} cannot be read as a table: {error}") from error
    notes = [] if encoding == "utf-8-sig" else [f"{path.name} is not UTF-8; read as {encoding}"]
    if len(table) == 0:
        raise DataError(f"{path} has column names but no rows.")
    return table.rename(columns=str), notes


def _separator(head: str) -> str:
    first = head.split("\n", 1)[0]
    return max(",;\t|", key=first.count) if any(mark in first for mark in ",;\t|") else ","


def read_table(
    table: pd.DataFrame,
    options: ReadOptions,
    *,
    where: str,
    root: Path | None,
    labelled: bool,
    notes: Sequence[str] = (),
) -> Clips:
    """Make clips of a table's rows.

    Raises
    ------
    DataError
        Where columns are missing, or cells are not what their column must hold: all of them at once.
    """
    roles = find_roles(table, options, where)
    if options.label_from and roles.get("path"):
        table = _with_names(table, roles, options.label_from)
    labels, absent, multilabel = _labels(table, roles, where, labelled=labelled)
    features = _features(table, roles, options, where)
    starts, ends = _spans(table, roles, where)
    paths = None
    if roles.get("path"):
        paths = [cell_text(cell).replace("\\", "/") or None for cell in table[roles.columns["path"]]]
        _all_there(paths, roles.columns["path"], where)
    clip_ids = None if roles.get("id") is None else [cell_text(c) for c in table[roles.columns["id"]]]
    return make_clips(
        labels,
        paths=paths,
        clip_ids=clip_ids,
        starts=starts,
        ends=ends,
        absent=absent,
        groups=_group(table, roles, paths),
        folds=_text_column(table, roles, "fold"),
        parts=_parts(table, roles),
        features=features,
        multilabel=multilabel,
        root=options.audio_root or root,
        notes=[*notes, *roles.notes],
    )


def _with_names(table: pd.DataFrame, roles: Roles, pattern: str) -> pd.DataFrame:
    named = pd.DataFrame(read_names([cell_text(c) for c in table[roles.columns["path"]]], pattern))
    for role in named.columns:
        roles.columns[role] = f"{role} (from the file name)"
    return table.assign(**{roles.columns[role]: named[role].to_numpy() for role in named.columns})


def _labels(
    table: pd.DataFrame, roles: Roles, where: str, *, labelled: bool
) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]], bool]:
    nothing: list[tuple[str, ...]] = [()] * len(table)
    column = roles.get("label")
    if column is None:
        if labelled:
            raise DataError(
                f"{where}: found no column of labels among: {', '.join(map(str, table.columns[:40]))}. "
                "Name it with --label."
            )
        return nothing, nothing, False
    cells = [cell_text(cell) for cell in table[column]]
    if any(";" in cell for cell in cells):
        pairs = [split_labels(cell) for cell in cells]
        return [pair[0] for pair in pairs], [pair[1] for pair in pairs], True
    empty = [f"row {row + 2}" for row, cell in enumerate(cells) if not cell]
    if empty and labelled:
        raise DataError(
            f"{where}: {len(empty)} rows have no label in column {column!r}:\n{listing(empty)}\n"
            "Fill them in or take the rows out. (Where several labels are allowed, written a;b, an empty cell "
            "means none.)"
        )
    return [(cell,) if cell else () for cell in cells], nothing, False


def _features(table: pd.DataFrame, roles: Roles, options: ReadOptions, where: str) -> pd.DataFrame | None:
    """The feature columns: those named, or in a table without paths all that have no other role."""
    free = [str(name) for name in table.columns if name not in roles.columns.values()]
    if options.features is not None:
        chosen = [name for pattern in options.features for name in _matching(pattern, free, where)]
        chosen = list(dict.fromkeys(chosen))
    elif roles.get("path"):
        return None
    else:
        names_only = [name for name in free if _is_a_name(table[name])]
        if names_only:
            roles.notes.append(
                f"not taken as features, a different text in every row: {', '.join(names_only)}"
            )
        chosen = [name for name in free if name not in names_only]
    if not chosen:
        raise DataError(
            f"{where}: found neither a column of audio files (--path) nor any features. "
            f"It has: {', '.join(map(str, table.columns[:40]))}."
        )
    return _as_features(table.loc[:, chosen], where)


def _matching(pattern: str, names: list[str], where: str) -> list[str]:
    found = [name for name in names if fnmatch.fnmatchcase(name, pattern)]
    return found or [known_column(pattern, names, "--features", where)]


def _is_a_name(column: pd.Series[str]) -> bool:
    text = not pd.api.types.is_numeric_dtype(column) and not isinstance(column.dtype, pd.CategoricalDtype)
    return text and len(column) > 1 and bool(column.is_unique) and not _mostly_numbers(column)


def _mostly_numbers(column: pd.Series[str]) -> bool:
    there = column.dropna()
    return len(there) > 0 and float(pd.to_numeric(there, errors="coerce").notna().mean()) >= MOSTLY_NUMBERS


def _as_features(table: pd.DataFrame, where: str) -> pd.DataFrame:
    out = table.copy()
    bad = []
    for name in out.columns:
        column = out[name]
        if pd.api.types.is_bool_dtype(column):
            out[name] = column.astype(np.float64)
        elif not pd.api.types.is_numeric_dtype(column) and _mostly_numbers(column):
            numbers = pd.to_numeric(column, errors="coerce")
            for row in np.flatnonzero(numbers.isna() & column.notna()):
                bad.append(f"row {row + 2}, column {name!r}: {column.iloc[row]!r}")
            out[name] = numbers
    if bad:
        raise DataError(
            f"{where}: {len(bad)} cells are no numbers, in columns of numbers:\n{listing(bad)}\n"
            "Correct them, or leave them empty where the value is unknown."
        )
    return out


def _spans(
    table: pd.DataFrame, roles: Roles, where: str
) -> tuple[Sequence[float] | None, Sequence[float] | None]:
    if roles.get("start") is None:
        return None, None
    start = pd.to_numeric(table[roles.columns["start"]], errors="coerce").to_numpy(dtype=float)
    if roles.get("end") is None:
        return cast(Sequence[float], start), None
    end = pd.to_numeric(table[roles.columns["end"]], errors="coerce").to_numpy(dtype=float)
    wrong = (start < 0) | (end <= start) | (np.isnan(start) != np.isnan(end))
    if wrong.any():
        rows = [f"row {row + 2}: start {start[row]:g}, end {end[row]:g}" for row in np.flatnonzero(wrong)]
        raise DataError(
            f"{where}: {len(rows)} clips do not end after they start:\n{listing(rows)}\n"
            "Expected 0 <= start < end, in seconds."
        )
    return cast(Sequence[float], start), cast(Sequence[float], end)


def _all_there(paths: Sequence[str | None], column: str, where: str) -> None:
    empty = [f"row {row + 2}" for row, path in enumerate(paths) if path is None]
    if empty:
        raise DataError(f"{where}: {len(empty)} rows have no path in column {column!r}:\n{listing(empty)}")


def _text_column(table: pd.DataFrame, roles: Roles, role: str) -> list[str | None] | None:
    column = roles.get(role)
    return None if column is None else [cell_text(cell) or None for cell in table[column]]


def _group(table: pd.DataFrame, roles: Roles, paths: Sequence[str | None] | None) -> list[str | None] | None:
    """The given group, or the recording where it has several clips."""
    given = _text_column(table, roles, "group")
    if given is not None or paths is None or len(set(paths)) == len(paths):
        return given
    return list(paths)


def _parts(table: pd.DataFrame, roles: Roles) -> list[Part] | None:
    column = roles.get("part")
    return None if column is None else [cast(Part, part_of(cell) or "train") for cell in table[column]]
