"""A page beside clips that were cut out of recordings: to hear them, and to say of each whether it is right."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from aurist.files import write_text
from aurist.report.pictures import read_shown, spectrogram
from aurist.report.templates import template


def write_review(folder: Path, table: pd.DataFrame, classes: Sequence[str], *, padding: float) -> None:
    """Write ``index.html`` into the folder of clips; it opens without a connection, and gives the table back filled in.

    Parameters
    ----------
    folder
        Of the clips.
    table
        As `aurist.automl.cut_clips` gives it.
    classes
        What a verdict may name.
    padding
        Seconds of sound before and behind each detection.
    """
    records = table.astype(object).to_dict("records")
    clips = []
    for row in records:
        shown = read_shown(folder / str(row["file"]), longest=math.inf)
        before = min(padding, float(row["start"]))
        seconds = max(shown.seconds, 1e-6)
        marked = (before / seconds, min(1.0, (before + float(row["end"]) - float(row["start"])) / seconds))
        clips.append({**row, "picture": spectrogram(shown), "marked": [round(100 * x, 2) for x in marked]})
    page = template("review.html").render(
        name=folder.resolve().name,
        rows=records,
        clips=clips,
        classes=list(classes),
        columns=list(table.columns),
    )
    write_text(folder / "index.html", page)
