"""BirdCLEF's soundscape labels: one row for every five seconds of a recording, with all species in it.

Source: the data pages of BirdCLEF 2021 to 2023 on Kaggle. ``row_id`` is the recording's name and the second in which
the stretch ends.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aurist.annotations.lines import Lines
from aurist.annotations.raven import NOTHING
from aurist.annotations.table import Annotations, make_annotations
from aurist.clips.suffixes import is_audio

SECONDS = 5.0
NEEDED = ("row_id", "birds")


def is_birdclef(table: Lines) -> bool:
    """Whether a table is one of soundscape labels."""
    return set(NEEDED) <= set(table.columns)


def read_birdclef(table: Lines, root: Path | None) -> Annotations:
    """Soundscape labels; "nocall" is a stretch without birds.

    The recordings are found in the folder by the beginning of their names: those of 2021 go on with a date.
    """
    folder = root or table.where.parent
    there = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if is_audio(file.name))
    names: dict[str, str] = {}
    rows: list[dict[str, Any]] = []
    lines = []
    for number, row in zip(table.numbers, table.rows, strict=True):
        stem, _, second = row["row_id"].rpartition("_")
        if stem not in names:
            names[stem] = next((path for path in there if _is_of(path, stem)), f"{stem}.ogg")
        try:
            times: dict[str, Any] = {"start": max(0.0, float(second) - SECONDS), "end": float(second)}
        except ValueError:
            times = {"start": second, "end": second}
        for label in row["birds"].split():
            if label.lower() != NOTHING:
                rows.append({"path": names[stem], **times, "label": label})
                lines.append(number)
    return make_annotations(
        rows,
        str(table.where),
        lines=lines,
        recordings=list(names.values()),
        root=folder,
        notes=[*table.notes, f"{table.where.name}: read as soundscape labels of BirdCLEF"],
    )


def _is_of(path: str, stem: str) -> bool:
    name = path.rpartition("/")[2].rpartition(".")[0]
    return name == stem or name.startswith(f"{stem}_")
