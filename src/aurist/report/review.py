"""The review page of clips cut out of recordings: to play them, and to enter a verdict for each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from aurist.files import write_text
from aurist.report.pictures import read_for_page, spectrogram
from aurist.report.templates import template


def write_review(folder: Path, table: pd.DataFrame, classes: Sequence[str], *, padding: float) -> None:
    """Write ``index.html`` into the folder of clips. It opens without a connection, and exports the verdicts as a
    table.

    Parameters
    ----------
    folder
        The folder of the clips.
    table
        The detections, with the file of each clip.
    classes
        The classes that a verdict may name.
    padding
        Seconds of sound before and after each detection.
    """
    records = table.astype(object).to_dict("records")
    clips = []
    for row in records:
        clip_sound = read_for_page(folder / str(row["file"]), longest=math.inf)
        before = min(padding, float(row["start"]))
        seconds = max(clip_sound.seconds, 1e-6)
        marked = (before / seconds, min(1.0, (before + float(row["end"]) - float(row["start"])) / seconds))
        clips.append(
            {**row, "picture": spectrogram(clip_sound), "marked": [round(100 * x, 2) for x in marked]}
        )
    page = template("review.html").render(
        name=folder.resolve().name,
        rows=records,
        clips=clips,
        classes=list(classes),
        columns=list(table.columns),
    )
    write_text(folder / "index.html", page)
