"""Write annotations and detections to files for other programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from aurist.annotations.audacity import write_audacity
from aurist.annotations.kaleidoscope_writing import write_kaleidoscope
from aurist.annotations.raven_writing import RecordingFacts, write_raven
from aurist.annotations.table import PRESENT, Annotations
from aurist.errors import check_one_of
from aurist.extras import need_extra
from aurist.files import atomic_path, write_csv

FORMATS = ("csv", "raven", "audacity", "jsonl", "kaleidoscope", "parquet")
#: The column of clock times, in tables of recordings that have some.
CLOCK = "clock"


def write_annotations(
    annotations: Annotations,
    path: Path,
    form: str,
    *,
    facts: Mapping[str, RecordingFacts] | None = None,
    safe_csv: bool = False,
) -> None:
    """Write annotations. All formats but Parquet can be read again.

    Parameters
    ----------
    annotations
        The annotations.
    path
        The file; it is replaced as a whole.
    form
        One of `FORMATS`.
    facts
        Properties of each recording, for `aurist.annotations.raven_writing.write_raven`, for Kaleidoscope, and for
        clock times.
    safe_csv
        In a CSV, put a quote in front of text that a spreadsheet would read as a formula.

    Raises
    ------
    ConfigError
        If there is no such format.
    MissingExtraError
        For Parquet, if pyarrow is not installed.
    DataError
        If the format cannot hold them: Audacity's holds one recording.
    """
    check_one_of("format", form, FORMATS)
    if form == "raven":
        write_raven(annotations, path, facts=facts)
    elif form == "audacity":
        write_audacity(annotations, path)
    elif form == "kaleidoscope":
        write_kaleidoscope(annotations, path, facts=facts or {}, safe_csv=safe_csv)
    elif form == "csv":
        write_csv(_without_empty(_with_clock(annotations, facts)), path, safe=safe_csv, float_format="%.9g")
    elif form == "parquet":
        need_extra("parquet", "A Parquet table")
        with atomic_path(path) as temporary:
            _with_clock(annotations, facts).to_parquet(temporary, index=False)
    else:
        records = _with_clock(annotations, facts).to_dict("records")
        filled = [{str(key): value for key, value in row.items() if value == value} for row in records]
        with atomic_path(path) as temporary:
            temporary.write_text(
                "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in filled), encoding="utf-8"
            )


def _without_empty(table: pd.DataFrame) -> pd.DataFrame:
    """Leave out columns that say nothing: frequencies if no annotation has any, the state if all are present."""
    empty = [name for name in ("low", "high") if table[name].isna().all()]
    return table.drop(columns=empty + (["state"] if (table["state"] == PRESENT).all() else []))


def _with_clock(annotations: Annotations, facts: Mapping[str, RecordingFacts] | None) -> pd.DataFrame:
    """Add the clock times of the starts, if any recording has one."""
    table = annotations.table
    if not facts or all(recording.began is None for recording in facts.values()):
        return table
    clock = [
        facts[annotation.path].clock(annotation.start) if annotation.path in facts else ""
        for annotation in annotations
    ]
    return table.assign(**{CLOCK: clock})
