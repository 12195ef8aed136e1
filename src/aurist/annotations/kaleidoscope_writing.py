"""Write tables for Kaleidoscope (Wildlife Acoustics), whose viewer shows each row and takes a manual id."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd

from aurist.annotations.raven_writing import RecordingFacts
from aurist.annotations.table import Annotation, Annotations
from aurist.files import write_csv


def write_kaleidoscope(
    annotations: Annotations, path: Path, *, facts: Mapping[str, RecordingFacts], safe_csv: bool = False
) -> None:
    """Write a table of one or several recordings.

    Source: the columns of "Kaleidoscope Pro 5, cluster.csv": folder, file, offset and duration name the sound.

    Parameters
    ----------
    annotations
        The annotations.
    path
        The file; it is replaced as a whole.
    facts
        Properties by recording; one without them is named by its path, and has no date.
    safe_csv
        Put a quote in front of text that a spreadsheet would read as a formula.
    """
    rows = [_row(annotation, facts.get(annotation.path)) for annotation in annotations]
    write_csv(pd.DataFrame(rows, columns=list(_EMPTY)), path, safe=safe_csv, float_format="%.9g")


#: The columns, with the value of a recording without facts.
_EMPTY = dict.fromkeys(
    (
        "INDIR",
        "FOLDER",
        "IN FILE",
        "CHANNEL",
        "OFFSET",
        "DURATION",
        "Fmin",
        "Fmax",
        "DATE",
        "TIME",
        "HOUR",
        "TOP1MATCH",
        "SCORE",
        "MANUAL ID",
    ),
    "",
)


def _row(annotation: Annotation, recording: RecordingFacts | None) -> dict[str, object]:
    file = Path(annotation.path) if recording is None else recording.file
    began = None if recording is None else recording.began
    return {
        **_EMPTY,
        "INDIR": str(file.parent),
        "IN FILE": file.name,
        "CHANNEL": 0 if recording is None else recording.channel - 1,
        "OFFSET": annotation.start,
        "DURATION": annotation.end - annotation.start,
        "Fmin": "" if math.isnan(annotation.low) else annotation.low,
        "Fmax": "" if math.isnan(annotation.high) else annotation.high,
        **({} if began is None else _clock(began + timedelta(seconds=annotation.start))),
        "TOP1MATCH": annotation.label,
        "SCORE": "" if math.isnan(annotation.score) else annotation.score,
    }


def _clock(time: datetime) -> dict[str, object]:
    return {"DATE": f"{time:%Y-%m-%d}", "TIME": f"{time:%H:%M:%S}", "HOUR": time.hour}
