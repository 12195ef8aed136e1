"""Annotations: boxes in time, mostly also in frequency, with a label that is present or absent."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from aurist.clips.labels import MISSING
from aurist.errors import DataError, listing, plural

COLUMNS = ("path", "start", "end", "low", "high", "label", "state", "score")
PRESENT, ABSENT = "present", "absent"
STATES = (PRESENT, ABSENT)


class Annotation(NamedTuple):
    """One annotation: a box with its label."""

    path: str
    start: float
    end: float
    low: float
    high: float
    label: str
    state: str
    score: float

    @property
    def has_band(self) -> bool:
        """True if both frequencies are known."""
        return not (math.isnan(self.low) or math.isnan(self.high))


@dataclass(frozen=True)
class Annotations:
    """A table of annotations.

    Parameters
    ----------
    table
        One row per annotation, the columns of `COLUMNS`: ``path`` (of the recording, as in the file), ``start`` and
        ``end`` in seconds of that recording, ``low`` and ``high`` in Hz (NaN: not given), ``label``, ``state``
        ("present", or "absent" if somebody has checked that it is not there), ``score`` (NaN: none).
    recordings
        The annotated recordings, also those without any annotation.
    root
        The folder that relative paths start from.
    notes
        Guesses and skipped data, for people.
    """

    table: pd.DataFrame
    recordings: tuple[str, ...] = ()
    root: Path | None = None
    notes: tuple[str, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.table)

    def __iter__(self) -> Iterator[Annotation]:
        columns = [self.table[name].tolist() for name in COLUMNS]
        return (Annotation(*values) for values in zip(*columns, strict=True))


def make_annotations(
    rows: Sequence[dict[str, Any]],
    where: str,
    *,
    lines: Sequence[int] | None = None,
    recordings: Sequence[str] = (),
    root: Path | None = None,
    notes: Sequence[str] = (),
) -> Annotations:
    """Make annotations from rows. Numbers may be text; missing fields get defaults.

    Rows without a label are left out, with a note. Their recording still counts as annotated.

    Parameters
    ----------
    rows
        Each row has at least ``path, start, end, label``.
    where
        The file's name, for messages.
    lines
        The line of each row in the file.

    Raises
    ------
    DataError
        If a number is invalid, an annotation ends before it begins, or there is no path: all bad rows at once.

    Examples
    --------
    >>> annotations = make_annotations([{"path": "a.wav", "start": "1.5", "end": 2, "label": "wren"}], "a.txt")
    >>> annotations.table[["path", "start", "end", "label", "state"]].to_dict("records")
    [{'path': 'a.wav', 'start': 1.5, 'end': 2.0, 'label': 'wren', 'state': 'present'}]
    """
    problems: list[str] = []
    kept_rows = []
    for index, row in enumerate(rows):
        if _is_nothing(row["label"]):
            continue
        line = lines[index] if lines is not None else index + 1
        values = {
            name: _number(row, name, line, problems) for name in ("start", "end", "low", "high", "score")
        }
        problems += [f"row {line}: {problem}" for problem in _problems(row, values)]
        state = str(row.get("state", PRESENT))
        kept_rows.append(
            {"path": str(row["path"]), **values, "label": str(row["label"]).strip(), "state": state}
        )
    if problems:
        raise DataError(
            f"{where}: {plural(len(problems), 'problem')}:\n{listing(problems)}\n"
            "Times are in seconds of the recording, and frequencies in Hz."
        )
    table = pd.DataFrame(kept_rows, columns=list(COLUMNS))
    table = table.astype(dict.fromkeys(("start", "end", "low", "high", "score"), np.float64))
    paths = dict.fromkeys([*recordings, *(str(row["path"]) for row in rows)])
    unusual_labels = sorted({str(row["label"]) for row in kept_rows} & MISSING)
    if unusual_labels:
        notes = [
            *notes,
            f"{Path(where).name}: read as names of classes, not as missing values: {', '.join(unusual_labels)}",
        ]
    n_blank = len(rows) - len(kept_rows)
    if n_blank:
        notes = [*notes, f"{Path(where).name}: {plural(n_blank, 'row')} without a label left out"]
    return Annotations(table, tuple(paths), root, tuple(notes))


def join_annotations(sources: Sequence[Annotations]) -> Annotations:
    """Join several tables. Relative paths become absolute if they start from different folders.

    A box that is given more than once counts once, with a note.

    Examples
    --------
    >>> one = make_annotations([{"path": "a.wav", "start": 1, "end": 2, "label": "wren"}], "a.txt")
    >>> joined = join_annotations([one, one])
    >>> len(joined), joined.notes
    (1, ('1 box is given more than once: counted once',))
    """
    roots = {source.root for source in sources}
    root = next(iter(roots)) if len(roots) == 1 else None
    tables: list[pd.DataFrame] = []
    recordings: list[str] = []
    notes: list[str] = []
    for source in sources:
        prefix = None if root is not None else source.root
        paths = [_absolute(str(name), prefix) for name in source.table["path"]]
        tables.append(source.table.assign(path=paths))
        recordings += [_absolute(name, prefix) for name in source.recordings]
        notes += source.notes
    table = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(COLUMNS))
    again = table.duplicated([name for name in COLUMNS if name != "score"])
    if again.any():
        n = int(again.sum())
        notes.append(
            f"{plural(n, 'box', 'boxes')} {'is' if n == 1 else 'are'} given more than once: counted once"
        )
    table = table[~again].reset_index(drop=True)
    return Annotations(table, tuple(dict.fromkeys(recordings)), root, tuple(dict.fromkeys(notes)))


def _absolute(name: str, folder: Path | None) -> str:
    return name if folder is None or Path(name).is_absolute() else str(folder / name)


def _number(row: dict[str, Any], name: str, line: int, problems: list[str]) -> float:
    value = row.get(name)
    if _is_no_number(value):
        return float("nan")
    try:
        return float(str(value))
    except ValueError:
        problems.append(f"row {line}: {name} is {value!r}, but must be a number")
        return float("nan")


def _is_nothing(value: object) -> bool:
    """Tell whether a label is empty, blank, or NaN as in JSON; any text is a label, even "NA"."""
    return value is None or value != value or not str(value).strip()


def _is_no_number(value: object) -> bool:
    """Tell whether a cell of numbers is empty or marked as missing: R writes NA."""
    return _is_nothing(value) or str(value).strip() in MISSING


def _problems(row: dict[str, Any], values: dict[str, float]) -> list[str]:
    problems = []
    start, end, low, high = (values[name] for name in ("start", "end", "low", "high"))
    problems += [f"there is no {name}" for name in ("start", "end") if _is_no_number(row.get(name))]
    if start < 0 or np.isinf([start, end]).any():
        problems.append(f"start is {start:g} s and end is {end:g} s")
    elif end < start:
        problems.append(f"it ends at {end:g} s, before it starts at {start:g} s")
    if high < low:
        problems.append(f"its highest frequency, {high:g} Hz, is below its lowest, {low:g} Hz")
    if not str(row["path"]).strip():
        problems.append("there is no recording")
    if row.get("state", PRESENT) not in STATES:
        problems.append(f"state is {row['state']!r}, but must be one of: {', '.join(STATES)}")
    return problems
