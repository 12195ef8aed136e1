"""Read Raven's selection tables (Cornell Lab of Ornithology), of one or several recordings."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

from aurist.annotations.recordings import Recordings
from aurist.annotations.sequence import RecordingSequence, Selection, end_of
from aurist.annotations.table import Annotations, make_annotations
from aurist.annotations.text_table import TextTable
from aurist.clips.times import normalise_name
from aurist.errors import DataError, listing, plural

BEGIN, END, LOW, HIGH = "Begin Time (s)", "End Time (s)", "Low Freq (Hz)", "High Freq (Hz)"
END_PATH, END_FILE = "End Path", "End File"
BEGIN_PATH, BEGIN_FILE, OFFSET = "Begin Path", "Begin File", "File Offset (s)"
#: Common columns of labels; the first one that a table has is used.
LABEL_COLUMNS = ("Annotation", "Species", "Label", "Class", "Common Name", "Call Type", "Call", "Tags", "Tag")
SCORE_COLUMNS = ("Confidence", "Score")
#: BirdNET's label for a stretch without birds.
NOTHING = "nocall"
HEADER = (
    "Selection", "View", "Channel", BEGIN, END, LOW, HIGH, BEGIN_PATH, BEGIN_FILE, OFFSET, "Annotation", "Score",
)  # fmt: skip


def read_raven(table: TextTable, recordings: Recordings, label: str | None) -> Annotations:
    """Read a selection table.

    A selection has a row for each view of it: only one is used. In a table of several recordings the times count
    through all recordings in sequence, and "File Offset (s)" is the time in the recording that "Begin Path" or "Begin
    File" names. A selection that continues in the next recording is divided.

    Parameters
    ----------
    table
        The table.
    recordings
        The recordings of its folder.
    label
        Column of the labels; None: the first of `LABEL_COLUMNS` that is not empty.

    Raises
    ------
    DataError
        If rows are wrong, or the table has several recordings and no times in each of them.
    """
    table.need((BEGIN, END), "selection table of Raven")
    table = table.with_points((BEGIN, END, LOW, HIGH, OFFSET, *SCORE_COLUMNS))
    column = _label_column(table, label)
    score = next((name for name in SCORE_COLUMNS if name in table.columns), None)
    table_recording = _recording_of_table(table, recordings)
    rows: list[dict[str, Any]] = []
    spans: list[Selection | None] = []
    lines, seen, further_views = [], set(), 0
    for number, row in zip(table.numbers, table.rows, strict=True):
        path = table_recording if table_recording is not None else _path(row)
        key = (path, row.get("Selection"), row[BEGIN], row[END], row[column])
        if row.get("Selection") and key in seen:
            further_views += 1
            continue
        seen.add(key)
        start, end = _times(row)
        bounds = {"low": row.get(LOW), "high": row.get(HIGH)}
        rows.append({"path": path, "start": start, "end": end, **bounds, "label": row[column]})
        if score is not None:
            rows[-1]["score"] = row[score]
        lines.append(number)
        spans.append(None if table_recording is not None else _span(path, row, start, end))
    rows, lines, division_notes = _divided(rows, lines, spans, table, recordings)
    listened = [str(row["path"]) for row in rows] or (
        [table_recording] if table_recording is not None else []
    )
    with_label = [i for i, row in enumerate(rows) if row["label"].lower() != NOTHING]
    notes = [
        *table.notes,
        *_check_offsets(table),
        f"{table.where.name}: labels from the column {column!r}",
        *division_notes,
    ]
    if further_views:
        notes.append(
            f"{table.where.name}: {plural(further_views, 'row')} of further views of a selection left out"
        )
    annotations = make_annotations(
        [rows[i] for i in with_label],
        str(table.where),
        lines=[lines[i] for i in with_label],
        recordings=listened,
        root=recordings.folder,
        notes=notes,
    )
    return annotations if table_recording is not None else recordings.with_paths(annotations, table.where)


def with_ravens_names(table: TextTable) -> TextTable:
    """Rename columns to Raven's names if R or another program changed them.

    ``Begin.Time..s.``, ``Begin_Time_(s)`` and ``begin time (s)`` are ``Begin Time (s)``.
    """
    ravens_names = {
        normalise_name(name): name for name in (*HEADER, END_PATH, END_FILE, *LABEL_COLUMNS, *SCORE_COLUMNS)
    }
    named = {
        name: ravens_names.get(normalise_name(name), name)
        for name in table.columns
        if name not in ravens_names.values()
    }
    new = [name for name in named.values() if name in ravens_names.values()]
    named = {old: name for old, name in named.items() if new.count(name) == 1 and name not in table.columns}
    if not {BEGIN, END} <= {named.get(name, name) for name in table.columns} or not named:
        return table
    rows = tuple({named.get(name, name): cell for name, cell in row.items()} for row in table.rows)
    return replace(table, columns=tuple(named.get(name, name) for name in table.columns), rows=rows)


def _label_column(table: TextTable, given: str | None) -> str:
    if given is not None:
        table.need((given,), f"selection table with labels in {given!r}")
        return given
    lower = {name.lower(): name for name in table.columns}
    present = [lower[name.lower()] for name in LABEL_COLUMNS if name.lower() in lower]
    if not present:
        raise DataError(
            f"{table.where} has no column that looks like labels; it has: {', '.join(table.columns)}. "
            "Name one with label=."
        )
    # Raven Lite always writes the column Annotation, even if it is empty
    return next((name for name in present if any(row[name] for row in table.rows)), present[0])


def _recording_of_table(table: TextTable, recordings: Recordings) -> str | None:
    """Return the recording of a table without recordings in its rows; None if the rows name recordings."""
    if any(row.get(BEGIN_PATH) or row.get(BEGIN_FILE) for row in table.rows):
        return None
    try:
        return recordings.of_table(table.where)
    except DataError:
        if table.rows or not {BEGIN_PATH, BEGIN_FILE} & set(table.columns):
            raise
        return None  # an empty table of several recordings


def _path(row: dict[str, str]) -> str:
    return (row.get(BEGIN_PATH) or row.get(BEGIN_FILE) or "").replace("\\", "/")


def _check_offsets(table: TextTable) -> list[str]:
    """Raise DataError if offsets are no numbers or are missing. Return a note if they seem not to be needed."""
    bad = []
    begins: dict[str, list[float]] = {}
    for number, row in zip(table.numbers, table.rows, strict=True):
        offset = row.get(OFFSET, "")
        if offset and not _is_number(offset):
            bad.append(f"row {number}: {OFFSET} is {offset!r}, but must be a number")
        elif not offset and _is_number(row[BEGIN]):
            begins.setdefault(_path(row), []).append(float(row[BEGIN]))
    if bad:
        raise DataError(f"{table.where}: {plural(len(bad), 'problem')}:\n{listing(bad)}")
    if len(begins) < 2:
        return []
    in_time = sorted(begins.values(), key=min)  # rows may be in any order
    if all(max(before) < min(after) for before, after in pairwise(in_time)):
        raise DataError(
            f"{table.where} has selections of {len(begins)} recordings in one sequence of times, as Raven writes them "
            f"if it opens several, but no position in each recording: add the column {OFFSET!r} in Raven (Choose "
            "Measurements), or save a table for each recording."
        )
    return [f"{table.where.name}: without {OFFSET!r} times are read as times in each recording"]


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _times(row: dict[str, str]) -> tuple[str | float, str | float]:
    """Return start and end in the recording that the selection begins in."""
    offset = row.get(OFFSET, "")
    if not offset:
        return row[BEGIN], row[END]
    try:
        return float(offset), float(offset) + float(row[END]) - float(row[BEGIN])
    except ValueError:
        return row[BEGIN], row[END]  # make_annotations reports the bad cell


def _span(path: str, row: dict[str, str], start: str | float, end: str | float) -> Selection | None:
    """Return the selection's times; None if they are no numbers, which is reported with the row."""
    offset = row.get(OFFSET, "")
    if not all(_is_number(str(cell)) for cell in (start, end, row[BEGIN], offset or 0)):
        return None
    begin = float(row[BEGIN]) - float(offset) if offset else math.nan
    last = end_of(path, row.get(END_PATH, ""), row.get(END_FILE, ""))
    return Selection(path, float(start), float(end), begin, last)


def _divided(
    rows: list[dict[str, Any]],
    lines: list[int],
    spans: list[Selection | None],
    table: TextTable,
    recordings: Recordings,
) -> tuple[list[dict[str, Any]], list[int], list[str]]:
    """Divide selections that continue in the next recording. Return rows, their lines, and notes."""
    sequence = RecordingSequence(
        [span for span in spans if span is not None], lambda path: recordings.seconds(path, table.where)
    )
    divided_rows: list[dict[str, Any]] = []
    numbers, n_divided, notes = [], 0, []
    for row, line, span in zip(rows, lines, spans, strict=True):
        selections = [span] if span is None else sequence.divide(span)
        if selections is None:
            assert span is not None
            selections = [span]
            notes.append(
                f"{table.where.name}: row {line} continues from {span.path} in {span.last}, but its end there is "
                "unknown: it counts only in the first"
            )
        if "Confidence" in table.columns:  # windows of a program; its last window is padded with silence
            selections = selections[:1]
        n_divided += len(selections) > 1
        for selection in selections:
            times = (
                {} if selection is None or (len(selections) == 1 and selection is span) else vars(selection)
            )
            divided_rows.append(
                row | {name: times[name] for name in ("path", "start", "end") if name in times}
            )
            numbers.append(line)
    if n_divided:
        notes.append(
            f"{table.where.name}: {plural(n_divided, 'selection')} over several recordings, one for each of them"
        )
    return divided_rows, numbers, notes
