"""Raven's selection tables (Cornell Lab of Ornithology), of one recording or of several."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from aurist.annotations.lines import Lines
from aurist.annotations.recordings import Recordings
from aurist.annotations.sequence import RecordingSequence, Selection, end_of
from aurist.annotations.table import Annotations, make_annotations
from aurist.clips.times import normalise_name
from aurist.errors import DataError, listing, plural
from aurist.files import atomic_path

BEGIN, END, LOW, HIGH = "Begin Time (s)", "End Time (s)", "Low Freq (Hz)", "High Freq (Hz)"
END_PATH, END_FILE = "End Path", "End File"
BEGIN_PATH, BEGIN_FILE, OFFSET = "Begin Path", "Begin File", "File Offset (s)"
#: Columns that people and programs put the label in, the first that is there.
LABEL_COLUMNS = ("Annotation", "Species", "Label", "Class", "Common Name", "Call Type", "Call", "Tags", "Tag")
SCORE_COLUMNS = ("Confidence", "Score")
#: BirdNET writes this label where it found nothing.
NOTHING = "nocall"
_HEADER = (
    "Selection", "View", "Channel", BEGIN, END, LOW, HIGH, BEGIN_PATH, BEGIN_FILE, OFFSET, "Annotation", "Score",
)  # fmt: skip
#: What ends a cell or a line, in the name of a recording.
_BREAKS = re.compile(r"[\t\r\n]")


def read_raven(table: Lines, there: Recordings, label: str | None) -> Annotations:
    """A selection table.

    A selection has a row for each view of it: one is taken. In a table of several recordings the times are those
    of all of them in sequence, and "File Offset (s)" is the time in the recording that "Begin Path" or "Begin
    File" names. A selection that goes on in the next recording is one of each.

    Parameters
    ----------
    table
        What was read.
    there
        The recordings.
    label
        Column of the labels; None: the first of `LABEL_COLUMNS` that says anything.

    Raises
    ------
    DataError
        Where rows cannot be, or nothing says where in their recordings selections of several are.
    """
    table.need((BEGIN, END), "selection table of Raven")
    table = table.with_points((BEGIN, END, LOW, HIGH, OFFSET, *SCORE_COLUMNS))
    column = _label_column(table, label)
    score = next((name for name in SCORE_COLUMNS if name in table.columns), None)
    own = _own(table, there)
    rows: list[dict[str, Any]] = []
    spans: list[Selection | None] = []
    lines, seen, doubled = [], set(), 0
    for number, row in zip(table.numbers, table.rows, strict=True):
        path = own if own is not None else _path(row)
        key = (path, row.get("Selection"), row[BEGIN], row[END], row[column])
        if row.get("Selection") and key in seen:
            doubled += 1
            continue
        seen.add(key)
        start, end = _times(row)
        bounds = {"low": row.get(LOW), "high": row.get(HIGH)}
        rows.append({"path": path, "start": start, "end": end, **bounds, "label": row[column]})
        if score is not None:
            rows[-1]["score"] = row[score]
        lines.append(number)
        spans.append(None if own is not None else _span(path, row, start, end))
    rows, lines, split = _divided(rows, lines, spans, table, there)
    listened = [str(row["path"]) for row in rows] or ([own] if own is not None else [])
    kept = [i for i, row in enumerate(rows) if row["label"].lower() != NOTHING]
    notes = [
        *table.notes,
        *_check_offsets(table),
        f"{table.where.name}: labels from the column {column!r}",
        *split,
    ]
    if doubled:
        notes.append(f"{table.where.name}: {plural(doubled, 'row')} of further views of a selection left out")
    made = make_annotations(
        [rows[i] for i in kept],
        str(table.where),
        lines=[lines[i] for i in kept],
        recordings=listened,
        root=there.folder,
        notes=notes,
    )
    return made if own is not None else there.placed(made, table.where)


def with_ravens_names(table: Lines) -> Lines:
    """The table with its columns called as Raven calls them, where R or another program wrote them otherwise.

    ``Begin.Time..s.``, ``Begin_Time_(s)`` and ``begin time (s)`` are ``Begin Time (s)``.
    """
    own = {
        normalise_name(name): name for name in (*_HEADER, END_PATH, END_FILE, *LABEL_COLUMNS, *SCORE_COLUMNS)
    }
    named = {name: own.get(normalise_name(name), name) for name in table.columns if name not in own.values()}
    new = [name for name in named.values() if name in own.values()]
    named = {old: name for old, name in named.items() if new.count(name) == 1 and name not in table.columns}
    if not {BEGIN, END} <= {named.get(name, name) for name in table.columns} or not named:
        return table
    rows = tuple({named.get(name, name): cell for name, cell in row.items()} for row in table.rows)
    return replace(table, columns=tuple(named.get(name, name) for name in table.columns), rows=rows)


def _label_column(table: Lines, given: str | None) -> str:
    if given is not None:
        table.need((given,), f"selection table with labels in {given!r}")
        return given
    lower = {name.lower(): name for name in table.columns}
    there = [lower[name.lower()] for name in LABEL_COLUMNS if name.lower() in lower]
    if not there:
        raise DataError(
            f"{table.where} has no column that looks like labels; it has: {', '.join(table.columns)}. "
            "Name one with --label."
        )
    # Raven Lite writes the column Annotation whether or not somebody uses it
    return next((name for name in there if any(row[name] for row in table.rows)), there[0])


def _own(table: Lines, there: Recordings) -> str | None:
    """The recording of a table that does not name any in its rows."""
    if any(row.get(BEGIN_PATH) or row.get(BEGIN_FILE) for row in table.rows):
        return None
    try:
        return there.of_table(table.where)
    except DataError:
        if table.rows or not {BEGIN_PATH, BEGIN_FILE} & set(table.columns):
            raise
        return None  # a table of several, in none of which anything was found


def _path(row: dict[str, str]) -> str:
    return (row.get(BEGIN_PATH) or row.get(BEGIN_FILE) or "").replace("\\", "/")


def _check_offsets(table: Lines) -> list[str]:
    """Raise DataError where offsets are no numbers, or are missing; a note where they seem not to be needed."""
    bad = []
    begins: dict[str, list[float]] = {}
    for number, row in zip(table.numbers, table.rows, strict=True):
        offset = row.get(OFFSET, "")
        if offset and not _is_number(offset):
            bad.append(f"row {number}: {OFFSET} is {offset!r}, but must be a number")
        elif not offset and _is_number(row[BEGIN]):
            begins.setdefault(_path(row), []).append(float(row[BEGIN]))
    if bad:
        raise DataError(f"{table.where}: {plural(len(bad), 'thing')} that cannot be:\n{listing(bad)}")
    if len(begins) < 2:
        return []
    in_time = sorted(begins.values(), key=min)  # rows may be sorted by label, or by anything
    if all(max(before) < min(after) for before, after in pairwise(in_time)):
        raise DataError(
            f"{table.where} has selections of {len(begins)} recordings one after another, as Raven counts their times "
            f"when it opens several, but not where they are in each: add the column {OFFSET!r} in Raven (Choose "
            "Measurements), or save a table for each recording."
        )
    return [f"{table.where.name}: without {OFFSET!r} the times are taken for those of each recording"]


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _times(row: dict[str, str]) -> tuple[str | float, str | float]:
    """Of the recording that the selection begins in."""
    offset = row.get(OFFSET, "")
    if not offset:
        return row[BEGIN], row[END]
    try:
        return float(offset), float(offset) + float(row[END]) - float(row[BEGIN])
    except ValueError:
        return row[BEGIN], row[END]  # what is wrong is said of these


def _span(path: str, row: dict[str, str], start: str | float, end: str | float) -> Selection | None:
    """A selection in time; None where its times are no numbers, which is said of the row itself."""
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
    table: Lines,
    there: Recordings,
) -> tuple[list[dict[str, Any]], list[int], list[str]]:
    """Divide selections that go on in the next recording; rows, their lines, and notes."""
    sequence = RecordingSequence(
        [span for span in spans if span is not None], lambda path: there.seconds(path, table.where)
    )
    made: list[dict[str, Any]] = []
    numbers, divided, notes = [], 0, []
    for row, line, span in zip(rows, lines, spans, strict=True):
        parts = [span] if span is None else sequence.parts(span)
        if parts is None:
            assert span is not None
            parts = [span]
            notes.append(
                f"{table.where.name}: row {line} goes on from {span.path} in {span.last}, but nothing says how far: it "
                "counts in the first alone"
            )
        if "Confidence" in table.columns:  # windows of a program, whose last one is filled up with silence
            parts = parts[:1]
        divided += len(parts) > 1
        for part in parts:
            where = {} if part is None or (len(parts) == 1 and part is span) else vars(part)
            made.append(row | {name: where[name] for name in ("path", "start", "end") if name in where})
            numbers.append(line)
    if divided:
        notes.append(
            f"{table.where.name}: {plural(divided, 'selection')} over several recordings, one for each of them"
        )
    return made, numbers, notes


@dataclass(frozen=True)
class RecordingFacts:
    """What Raven wants to know of a recording.

    Parameters
    ----------
    file
        Where it is.
    seconds
        Its length.
    nyquist
        Half of its sample rate, in Hz; NaN: not known.
    channel
        That the annotations are of, counted from 1.
    """

    file: Path
    seconds: float
    nyquist: float
    channel: int = 1


def write_raven(
    annotations: Annotations, path: Path, *, sounds: Mapping[str, RecordingFacts] | None = None
) -> None:
    """A selection table of one recording, or of several, which opens in Raven Pro and Raven Lite.

    Parameters
    ----------
    annotations
        What to write.
    path
        The file; replaced as a whole.
    sounds
        By recording: with them the times of a table of several are those in sequence, as Raven has them when it opens
        the recordings one after another, and boxes without a band have the whole one, for Raven has no others. Without
        them every recording begins at 0, and bands that are not known are empty.
    """
    sounds = sounds or {}
    before = _sequence(annotations, sounds)
    lines = ["\t".join(_HEADER)]
    for number, one in enumerate(annotations, start=1):
        sound = sounds.get(one.path, RecordingFacts(Path(one.path), 0.0, math.nan))
        shift = before.get(one.path, 0.0)
        times = [f"{shift + one.start:.6f}", f"{shift + one.end:.6f}"]
        low = 0.0 if math.isnan(one.low) and not math.isnan(sound.nyquist) else one.low
        high = sound.nyquist if math.isnan(one.high) else one.high
        bounds = ["" if math.isnan(value) else f"{value:.3f}" for value in (low, high)]
        file = sound.file.absolute() if one.path in sounds else sound.file
        place = [*(_BREAKS.sub(" ", name) for name in (str(file), file.name)), f"{one.start:.6f}"]
        score = "" if math.isnan(one.score) else f"{one.score:.6f}"
        label = " ".join(one.label.split())
        cells = [str(number), "Spectrogram 1", str(sound.channel), *times, *bounds, *place, label, score]
        lines.append("\t".join(cells))
    with atomic_path(path) as part:
        part.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _sequence(annotations: Annotations, sounds: Mapping[str, RecordingFacts]) -> dict[str, float]:
    """Seconds before each recording, where they are opened one after another."""
    before, total = {}, 0.0
    for path in annotations.recordings:
        before[path] = total
        total += sounds[path].seconds if path in sounds else 0.0
    return before
