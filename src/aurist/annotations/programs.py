"""Read tables of annotations from other programs and data sets, by their names of columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aurist.annotations.raven import NOTHING
from aurist.annotations.recordings import Recordings
from aurist.annotations.table import ABSENT, Annotations, make_annotations
from aurist.annotations.text_table import TextTable
from aurist.clips.labels import MISSING


@dataclass(frozen=True)
class TableLayout:
    """The columns that a program writes.

    Parameters
    ----------
    name
        The common name of the format.
    path, start, end, label
        Required columns; a ``duration`` may replace the end. ``path`` may be several columns to join, or none if a
        table has the name of its recording.
    low, high, score, state
        Optional columns.
    many
        The mark between several labels of one row; None: a row has one label.
    suffix
        The ending to add to the path.
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
        """The columns that identify the format."""
        return (*self.path, self.start, self.duration or self.end, self.label)


#: A table has the first format whose columns are all present.
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
        "Kaleidoscope",
        ("INDIR", "FOLDER", "IN FILE"),
        "OFFSET",
        "",
        "TOP1MATCH",
        low="Fmin",
        high="Fmax",
        score="SCORE",
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
    TableLayout("aurist", (), "start", "end", "label", low="low", high="high", score="score", state="state"),
    TableLayout("aurist", (), "t_min", "t_max", "label", low="f_min", high="f_max"),
)
#: RFCX's species are numbers in its tables, and columns s0 to s23 in its submission.
_RFCX, _RFCX_LABEL = "RFCX", "s{}"


def layout_of(table: TextTable) -> TableLayout | None:
    """Return the format whose columns a table has, or None."""
    columns = set(table.columns)
    return next((layout for layout in LAYOUTS if columns.issuperset(layout.needed)), None)


def read_program(
    table: TextTable, layout: TableLayout, recordings: Recordings, label: str | None
) -> Annotations:
    """Read a table of a known layout.

    A row without a label and without times is a recording without annotations. RFCX's false positives, recognised by
    the name of their file, are absent: a person has checked that the species is not there.

    Parameters
    ----------
    table, layout
        The table and its layout.
    recordings
        The recordings of its folder.
    label
        Another column of the labels, such as BirdNET's "Scientific name".
    """
    column = label or layout.label
    number_columns = (layout.start, layout.end, layout.duration, layout.low, layout.high, layout.score)
    table = table.with_points(number_columns)
    table.need((column,), f"table of {layout.name} with labels in {column!r}")
    is_false_positive = layout.name == _RFCX and table.where.stem.endswith("fp")
    table_recording = None if layout.path else recordings.of_table(table.where)
    rows: list[dict[str, Any]] = []
    lines, listened = [], [] if table_recording is None else [table_recording]
    for number, row in zip(table.numbers, table.rows, strict=True):
        path = table_recording or _path(row, layout)
        listened.append(path)
        if row[column] in MISSING and row[layout.start] in MISSING:
            continue
        labels = (
            [cell_label for cell_label in row[column].split(layout.many) if cell_label] if layout.many else []
        )
        for cell_label in labels or [row[column]]:
            if cell_label.lower() != NOTHING:
                is_number = cell_label and layout.name == _RFCX and column == layout.label
                class_name = _RFCX_LABEL.format(cell_label) if is_number else cell_label
                rows.append({**_values(row, layout), "path": path, "label": class_name})
                if is_false_positive:
                    rows[-1]["state"] = ABSENT
                lines.append(number)
    annotations = make_annotations(
        rows,
        str(table.where),
        lines=lines,
        recordings=[path for path in dict.fromkeys(listened) if path],
        root=recordings.folder,
        notes=[*table.notes, f"{table.where.name}: read as a table of {layout.name}, labels from {column!r}"],
    )
    return annotations if table_recording is not None else recordings.with_paths(annotations, table.where)


def _path(row: dict[str, str], layout: TableLayout) -> str:
    path = "/".join(folder for folder in (row[name].strip("/") for name in layout.path[1:]) if folder)
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
