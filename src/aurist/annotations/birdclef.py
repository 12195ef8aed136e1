"""Read BirdCLEF's soundscape labels: one row per five seconds of a recording, with all species in it.

Source: the data pages of BirdCLEF 2021 to 2023 on Kaggle. ``row_id`` is the recording's name and the end of the stretch
in seconds.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from aurist.annotations.raven import NOTHING
from aurist.annotations.recordings import Recordings
from aurist.annotations.table import Annotations, make_annotations
from aurist.annotations.text_table import TextTable
from aurist.errors import DataError, listing, plural

SECONDS = 5.0
NEEDED = ("row_id", "birds")


def is_birdclef(table: TextTable) -> bool:
    """Tell whether a table holds soundscape labels."""
    return set(NEEDED) <= set(table.columns)


def read_birdclef(table: TextTable, recordings: Recordings) -> Annotations:
    """Read soundscape labels; "nocall" is a stretch without birds.

    Raises
    ------
    DataError
        If rows are wrong or fit several recordings: all of them at once.
    """
    names = _recordings(table, recordings)
    rows: list[dict[str, Any]] = []
    lines = []
    for number, row in zip(table.numbers, table.rows, strict=True):
        stem, _, second = row["row_id"].rpartition("_")
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
        root=recordings.folder,
        notes=[*table.notes, f"{table.where.name}: read as soundscape labels of BirdCLEF"],
    )


def _recordings(table: TextTable, recordings: Recordings) -> dict[str, str]:
    """Find the recording of each name in a table. Files of 2021 have a date behind the name, the table has not."""
    names: dict[str, str] = {}
    problems = []
    for stem in dict.fromkeys(row["row_id"].rpartition("_")[0] for row in table.rows):
        try:
            path = recordings.find(stem, table.where)
        except DataError as error:
            problems.append(str(error))
            continue
        dated = (
            [candidate for candidate in recordings.names if PurePath(candidate).stem.startswith(f"{stem}_")]
            if path is None
            else []
        )
        if len(dated) > 1:
            problems.append(
                f"{stem} may be {len(dated)} recordings in {recordings.folder}: {', '.join(dated[:5])}"
            )
        names[stem] = path or (dated[0] if dated else f"{stem}.ogg")
    if problems:
        raise DataError(
            f"{table.where}: {plural(len(problems), 'ambiguous recording')}:\n{listing(problems)}"
        )
    return names
