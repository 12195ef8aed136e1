"""Annotations: boxes in time, and mostly in frequency, with what is in them or surely is not."""

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
    """One of them."""

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
        """Whether both frequencies are known."""
        return not (math.isnan(self.low) or math.isnan(self.high))


@dataclass(frozen=True)
class Annotations:
    """A table of annotations.

    Parameters
    ----------
    table
        One row an annotation, the columns of `COLUMNS`: ``path`` (of the recording, as the file has it), ``start`` and
        ``end`` in seconds of that recording, ``low`` and ``high`` in Hz (NaN: not given), ``label``, ``state``
        ("present", or "absent" where somebody has made sure that it is not there), ``score`` (NaN: none).
    recordings
        The recordings that were listened to, those without any annotation too.
    root
        The folder that relative paths start from.
    notes
        What was guessed or passed over, for people.
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
    """Annotations from rows, whose numbers may be text as files have it; what is not given gets its default.

    Rows without a label are left out, with a note: they mark a place, and their recording was listened to.

    Parameters
    ----------
    rows
        Each has at least ``path, start, end, label``.
    where
        Which file it is, for messages.
    lines
        Where each row stands in it.

    Raises
    ------
    DataError
        Where a number is none, an annotation ends before it begins, or there is no path: all bad rows at once.

    Examples
    --------
    >>> made = make_annotations([{"path": "a.wav", "start": "1.5", "end": 2, "label": "wren"}], "a.txt")
    >>> made.table[["path", "start", "end", "label", "state"]].to_dict("records")
    [{'path': 'a.wav', 'start': 1.5, 'end': 2.0, 'label': 'wren', 'state': 'present'}]
    """
    problems: list[str] = []
    found = []
    for place, row in enumerate(rows):
        if _is_nothing(row["label"]):
            continue
        line = lines[place] if lines is not None else place + 1
        values = {
            name: _number(row, name, line, problems) for name in ("start", "end", "low", "high", "score")
        }
        problems += [f"row {line}: {what}" for what in _wrong(row, values)]
        state = str(row.get("state", PRESENT))
        found.append({"path": str(row["path"]), **values, "label": str(row["label"]).strip(), "state": state})
    if problems:
        raise DataError(
            f"{where}: {plural(len(problems), 'thing')} that cannot be:\n{listing(problems)}\n"
            "Times are in seconds of the recording, and frequencies in Hz."
        )
    table = pd.DataFrame(found, columns=list(COLUMNS))
    table = table.astype(dict.fromkeys(("start", "end", "low", "high", "score"), np.float64))
    named = dict.fromkeys([*recordings, *(str(row["path"]) for row in rows)])
    odd = sorted({str(row["label"]) for row in found} & MISSING)
    if odd:
        notes = [*notes, f"{Path(where).name}: taken as names of classes, not as missing: {', '.join(odd)}"]
    blank = len(rows) - len(found)
    if blank:
        notes = [*notes, f"{Path(where).name}: {plural(blank, 'row')} without a label left out"]
    return Annotations(table, tuple(named), root, tuple(notes))


def together(parts: Sequence[Annotations]) -> Annotations:
    """Several tables as one; relative paths are made absolute where they start from different folders."""
    roots = {part.root for part in parts}
    root = next(iter(roots)) if len(roots) == 1 else None
    tables: list[pd.DataFrame] = []
    recordings: list[str] = []
    notes: list[str] = []
    for part in parts:
        prefix = None if root is not None else part.root
        placed = [_placed(str(name), prefix) for name in part.table["path"]]
        tables.append(part.table.assign(path=placed))
        recordings += [_placed(name, prefix) for name in part.recordings]
        notes += part.notes
    table = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(COLUMNS))
    return Annotations(table, tuple(dict.fromkeys(recordings)), root, tuple(dict.fromkeys(notes)))


def _placed(name: str, folder: Path | None) -> str:
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
    """Nothing, blanks, or NaN as JSON has it; a text is a label, even "NA"."""
    return value is None or value != value or not str(value).strip()


def _is_no_number(value: object) -> bool:
    """Whether a cell of numbers is empty, or says so: R writes NA."""
    return _is_nothing(value) or str(value).strip() in MISSING


def _wrong(row: dict[str, Any], values: dict[str, float]) -> list[str]:
    said = []
    start, end, low, high = (values[name] for name in ("start", "end", "low", "high"))
    said += [f"there is no {name}" for name in ("start", "end") if _is_no_number(row.get(name))]
    if start < 0 or np.isinf([start, end]).any():
        said.append(f"start is {start:g} s and end is {end:g} s")
    elif end < start:
        said.append(f"it ends at {end:g} s, before it starts at {start:g} s")
    if high < low:
        said.append(f"its highest frequency, {high:g} Hz, is below its lowest, {low:g} Hz")
    if not str(row["path"]).strip():
        said.append("there is no recording")
    if row.get("state", PRESENT) not in STATES:
        said.append(f"state is {row['state']!r}, but must be one of: {', '.join(STATES)}")
    return said
