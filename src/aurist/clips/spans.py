"""Find start and end of each clip in its file: the columns of times, and their cells in seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.clips.guess import NONE, ReadOptions, Roles, match_column
from aurist.clips.labels import MISSING, cell_text, exact_numbers
from aurist.clips.times import (
    COUNTS,
    OFFSETS,
    TIME_NAMES,
    UNITS,
    describe_times,
    has_times,
    is_date,
    looks_like_time,
    normalise_name,
    rank,
    seconds,
    time_role,
    unit_of,
)
from aurist.errors import DataError, listing, plural

Seconds = npt.NDArray[np.float64]


def find_times(roles: Roles, table: pd.DataFrame, options: ReadOptions, where: str) -> None:
    """Add the columns of times to ``roles``: a start with an end or a duration. Times need a path.

    Raises
    ------
    DataError
        If a named column does not exist or has no partner, or there are times without paths.
    """
    names = [str(name) for name in table.columns]
    for role, name in (("start", options.start), ("end", options.end)):
        if name not in (None, NONE):
            roles.columns[role] = match_column(str(name), names, f"{role}=", where)
    columns = roles.columns
    if time_role(columns.get("end", "")) == "duration":
        columns["duration"] = columns.pop("end")
    pair = _paired(columns, _guessed_times(table, options, set(columns.values())), options)
    if "path" not in columns:
        _refuse_without_path(roles, pair, options, where)
        return
    if len(pair) == 2 and not _of_the_source(columns, pair):
        roles.notes.extend(_time_notes(pair, columns, table))
        columns.update(pair)
        roles.units = {role: unit_of(name, role) for role, name in pair.items()}
    else:
        _check_single(columns, options, where)
    _note_unused(roles, table, pair)


def _paired(given: Mapping[str, str], guessed: Mapping[str, str], options: ReadOptions) -> dict[str, str]:
    """Choose the start, and the end or the duration. Given columns win over guessed ones, an end over a duration."""
    times = {**guessed, **{role: given[role] for role in TIME_NAMES if role in given}}
    offset = (
        normalise_name(times.get("end", "")).removesuffix(unit_of(times.get("end", ""), "end")) in OFFSETS
    )
    if offset and "start" not in times and "duration" in times and options.start is None:
        times["start"] = times.pop("end")
    other = "duration" if "duration" in given or "end" not in times else "end"
    return {role: times[role] for role in ("start", other) if role in times}


def _guessed_times(table: pd.DataFrame, options: ReadOptions, taken: set[str]) -> dict[str, str]:
    """Find the best column of each role that was not given; the option ``end`` also covers a duration."""
    best: dict[str, str] = {}
    features = {*(options.features or ()), *(name for name, _ in options.fitted)}
    for role in ("start", "end", "duration"):
        if getattr(options, "start" if role == "start" else "end") is not None:
            continue
        candidates = [
            name
            for name in map(str, table.columns)
            if name not in taken | features and time_role(name) == role and has_times(table[name])
        ]
        if candidates:
            best[role] = min((rank(name, role), name) for name in candidates)[1]
    return best


def _refuse_without_path(roles: Roles, pair: dict[str, str], options: ReadOptions, where: str) -> None:
    """Raise DataError for starts and ends without files. Other columns with such names may be features."""
    start, end = pair.get("start"), pair.get("end")
    if start and end and options.path != NONE:
        group = roles.columns.get("group")
        raise DataError(
            f"{where}: {start!r} and {end!r} say where clips begin and end, but no column names the audio files. "
            "Name it with path="
            + (f" (if {group!r} names the recordings, add a column with their file names)" if group else "")
            + '; or give path="none", if the rows are features.'
        )
    if start and end:
        roles.columns.update(pair)
    else:
        for role in ("start", "end", "duration"):
            roles.columns.pop(role, None)


def _of_the_source(columns: dict[str, str], pair: dict[str, str]) -> bool:
    """Tell whether times belong to the recordings that the files were cut from, as in UrbanSound8K."""
    return normalise_name(columns["path"]) == "slicefilename" and not set(pair.values()) & set(
        columns.values()
    )


def _time_notes(pair: dict[str, str], columns: dict[str, str], table: pd.DataFrame) -> list[str]:
    """Write a note for each column that was guessed, or is not in plain seconds."""
    notes = []
    for role, name in pair.items():
        option = "start" if role == "start" else "end"
        format_note = describe_times(table[name], unit_of(name, role))
        if name not in columns.values():
            title = f"end: {pair['start']} + {name}" if role == "duration" else f"{role} column: {name}"
            format_note = f"; {format_note}" if format_note else ""
            notes.append(f"{title} (guessed; {option}= names another, or none{format_note})")
        elif format_note:
            notes.append(f"{role} column: {name} ({format_note})")
    return notes


def _check_single(columns: dict[str, str], options: ReadOptions, where: str) -> None:
    """Raise DataError if only one of two times was given. Guessed single columns are noted as not used."""
    for role in ("start", "end", "duration"):
        name = columns.pop(role, None)
        have, lacks = ("start", "end") if role == "start" else ("end", "start")
        if name is not None and getattr(options, have) is not None:
            raise DataError(
                f"{where}: found the {have} of clips ({name!r}), but not their {lacks}. "
                f"Name that column with {lacks}=."
            )


def _note_unused(roles: Roles, table: pd.DataFrame, pair: dict[str, str]) -> None:
    """Note columns that look like times and are not used, as each clip is then a whole file."""
    used = set(roles.columns.values())
    unused = [
        name
        for name in map(str, table.columns)
        if name not in used and (name in pair.values() or looks_like_time(name, table[name]))
    ]
    if len(pair) == 1 and not used & set(pair.values()):
        (role, name) = next(iter(pair.items()))
        lacks = "start" if role != "start" else "end"
        roles.notes.append(f"{name} is not used as a time: there is no column for the {lacks}")
        unused = [other for other in unused if other != name]
    if unused:
        roles.notes.append(
            f"not used, although named like times: {', '.join(unused[:8])} (start= and end= name columns of times)"
        )


def read_spans(
    table: pd.DataFrame, columns: Mapping[str, str], units: Mapping[str, str], where: str
) -> tuple[Sequence[float] | None, Sequence[float] | None]:
    """Read start and end of clips in seconds of their files; None and None if there are no columns of times.

    Parameters
    ----------
    table
        The table of clips.
    columns
        Columns of the roles "start", and "end" or "duration".
    units
        Units of plain numbers, by role.
    where
        The file's name, for messages.

    Raises
    ------
    DataError
        If times are dates or counts of samples, or clips do not end after their start: all of them.
    """
    other = "end" if "end" in columns else "duration"
    if not {"path", "start", other} <= columns.keys():
        return None, None
    for role in ("start", other):
        _check_readable(table[columns[role]], columns[role], units.get(role, ""), role, where)
    start_cells, end_cells = table[columns["start"]], table[columns[other]]
    start, start_bad = _times(start_cells, units.get("start", ""))
    end, end_bad = _times(end_cells, units.get(other, ""))
    end = start + end if other == "duration" else end
    wrong = start_bad | end_bad | (start < 0) | (end <= start) | (np.isnan(start) != np.isnan(end))
    if wrong.any():
        rows = [
            f"row {row}: start {cell_text(begins) or 'empty'}, {other} {cell_text(ends) or 'empty'}"
            for row, begins, ends in zip(
                table.index[wrong], start_cells[wrong], end_cells[wrong], strict=True
            )
        ]
        raise DataError(
            f"{where}: {plural(len(rows), 'clip')} {'has' if len(rows) == 1 else 'have'} an invalid start or "
            f"end:\n{listing(rows)}\n"
            "Expected 0 <= start < end, in seconds or as hours:minutes:seconds; or both empty for a whole file."
        )
    return start.tolist(), end.tolist()


def _check_readable(column: pd.Series[Any], name: str, unit: str, role: str, where: str) -> None:
    refuse = f'{"end" if role == "duration" else role}="none", if the clips are whole files'
    if unit in COUNTS:
        raise DataError(
            f"{where}: {name!r} counts {unit if unit.endswith('s') else unit + 's'}, as its name says, but the "
            "sample rate is unknown. "
            f"Divide by the rate, and name the column {role}; or give {refuse}."
        )
    dates = [f"row {row}: {cell_text(cell)}" for row, cell in column.items() if is_date(cell)]
    if dates:
        raise DataError(
            f"{where}: {plural(len(dates), 'cell')} of {name!r} {'is a date' if len(dates) == 1 else 'are dates'}, "
            f"which give no position in the file:\n{listing(dates, limit=5)}\n"
            f"Give seconds from the beginning of the file; or {refuse}."
        )


def _times(column: pd.Series[Any], unit: str) -> tuple[Seconds, npt.NDArray[np.bool_]]:
    """Return times in seconds, and a mask of the cells that are no times."""
    scale = UNITS.get(unit, 1.0)
    if pd.api.types.is_timedelta64_dtype(column):
        return column.dt.total_seconds().to_numpy(dtype=np.float64), np.zeros(len(column), dtype=bool)
    cells = column.mask(column.isna() | column.map(cell_text).isin(MISSING))
    numbers = exact_numbers(cells).to_numpy(dtype=np.float64) * scale
    for at in np.flatnonzero(np.isnan(numbers) & cells.notna().to_numpy()):
        numbers[at] = seconds(cells.iloc[at], scale)
    return numbers, (np.isnan(numbers) & cells.notna().to_numpy()) | np.isinf(numbers)
