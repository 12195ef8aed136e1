"""Tables of annotations by other programs and data sets: the same things under other names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aurist.annotations.lines import Lines
from aurist.annotations.raven import NOTHING
from aurist.annotations.recordings import Recordings
from aurist.annotations.table import ABSENT, Annotations, make_annotations
from aurist.clips.labels import MISSING


@dataclass(frozen=True)
class TableLayout:
    """Which columns a program writes.

    Parameters
    ----------
    name
        As people name the format.
    path, start, end, label
        Columns that are there; the end may be a ``duration`` instead. ``path`` may be several that are joined, or none
        where a table is of the recording of its name.
    low, high, score, state
        Columns that may be there.
    many
        What stands between several labels of one row; None: a row has one.
    suffix
        What the path lacks.
    """

    name: str
    path: tuple[str, ...]
    start: str
    end: str
    label: str
    low: str = ""
    high: str = ""
    score: str = ""
    state: str = ""
    duration: str = ""
    many: str | None = None
    suffix: str = ""

    @property
    def needed(self) -> tuple[str, ...]:
        """The columns by which the format is known."""
        return (*self.path, self.start, self.duration or self.end, self.label)


#: The first whose columns are all there is the format of a table.
LAYOUTS = (
    TableLayout("BirdNET", ("File",), "Start (s)", "End (s)", "Common name", score="Confidence"),
    TableLayout("BirdNET", (), "Start (s)", "End (s)", "Common name", score="Confidence"),
    TableLayout("BirdNET", ("filepath",), "start", "end", "common_name", score="confidence"),
    TableLayout(
        "BirdNET",
        ("INDIR", "FOLDER", "IN FILE"),
        "OFFSET",
        "",
        "common_name",
        score="confidence",
        duration="DURATION",
    ),
    TableLayout(
        "OpenSoundscape", ("audio_file",), "start_time", "end_time", "annotation", low="low_f", high="high_f"
    ),
    TableLayout("DESED", ("filename",), "onset", "offset", "event_label"),
    TableLayout("Hoplite", ("filename",), "start_time_s", "end_time_s", "label", many=" "),
    TableLayout(
        "RFCX", ("recording_id",), "t_min", "t_max", "species_id", low="f_min", high="f_max", suffix=".flac"
    ),
    TableLayout(
        "aurist", ("path",), "start", "end", "label", low="low", high="high", score="score", state="state"
    ),
    TableLayout("aurist", ("path",), "t_min", "t_max", "label", low="f_min", high="f_max"),
)
#: RFCX's species are numbers in its tables, and columns s0 to s23 in its submission.
_RFCX, _RFCX_LABEL = "RFCX", "s{}"


def layout_of(table: Lines) -> TableLayout | None:
    """The format whose columns a table has."""
    there = set(table.columns)
    return next((layout for layout in LAYOUTS if there.issuperset(layout.needed)), None)


def read_program(table: Lines, layout: TableLayout, there: Recordings, label: str | None) -> Annotations:
    """A table of a known layout.

    A row without a label and without times is a recording in which nothing was found. RFCX's false positives, known by
    the name of their file, are absent: a person has heard that the species is not there.

    Parameters
    ----------
    table, layout
        What was read, and as what.
    there
        The recordings.
    label
        Another column of the labels, such as BirdNET's "Scientific name".
    """
    column = label or layout.label
    numbers = (layout.start, layout.end, layout.duration, layout.low, layout.high, layout.score)
    table = table.with_points(numbers)
    table.need((column,), f"table of {layout.name} with labels in {column!r}")
    false = layout.name == _RFCX and table.where.stem.endswith("fp")
    own = None if layout.path else there.of_table(table.where)
    rows: list[dict[str, Any]] = []
    lines, listened = [], [] if own is None else [own]
    for number, row in zip(table.numbers, table.rows, strict=True):
        path = own or _path(row, layout)
        listened.append(path)
        if row[column] in MISSING and row[layout.start] in MISSING:
            continue
        labels = [one for one in row[column].split(layout.many) if one] if layout.many else []
        for one in labels or [row[column]]:
            if one.lower() != NOTHING:
                numbered = one and layout.name == _RFCX and column == layout.label
                named = _RFCX_LABEL.format(one) if numbered else one
                rows.append({**_values(row, layout), "path": path, "label": named})
                if false:
                    rows[-1]["state"] = ABSENT
                lines.append(number)
    made = make_annotations(
        rows,
        str(table.where),
        lines=lines,
        recordings=[path for path in dict.fromkeys(listened) if path],
        root=there.folder,
        notes=[*table.notes, f"{table.where.name}: read as a table of {layout.name}, labels from {column!r}"],
    )
    return made if own is not None else there.placed(made, table.where)


def _path(row: dict[str, str], layout: TableLayout) -> str:
    path = "/".join(part for part in (row[name].strip("/") for name in layout.path[1:]) if part)
    first = row[layout.path[0]]
    return (f"{first.rstrip('/')}/{path}" if path else first) + layout.suffix


def _values(row: dict[str, str], layout: TableLayout) -> dict[str, Any]:
    out: dict[str, Any] = {"start": row[layout.start]}
    if layout.duration:
        try:
            out["end"] = float(row[layout.start]) + float(row[layout.duration])
        except ValueError:
            out["end"] = row[layout.duration]
    else:
        out["end"] = row[layout.end]
    for name in ("low", "high", "score"):
        column = getattr(layout, name)
        if column and column in row:
            out[name] = row[column]
    if layout.state and row.get(layout.state):
        out["state"] = row[layout.state]
    return out
