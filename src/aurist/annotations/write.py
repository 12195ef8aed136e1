"""Write annotations and detections to files for other programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from aurist.annotations.audacity import write_audacity
from aurist.annotations.raven_writing import RecordingFacts, write_raven
from aurist.annotations.table import Annotations
from aurist.errors import check_one_of
from aurist.files import atomic_path, write_csv

FORMATS = ("csv", "raven", "audacity", "jsonl")


def write_annotations(
    annotations: Annotations,
    path: Path,
    form: str,
    *,
    facts: Mapping[str, RecordingFacts] | None = None,
    safe_csv: bool = False,
) -> None:
    """Write annotations. All formats can be read again.

    Parameters
    ----------
    annotations
        The annotations.
    path
        The file; it is replaced as a whole.
    form
        One of `FORMATS`.
    facts
        Properties of each recording for a Raven table: see `aurist.annotations.raven_writing.write_raven`.
    safe_csv
        In a CSV, put a quote in front of text that a spreadsheet would read as a formula.

    Raises
    ------
    ConfigError
        If there is no such format.
    DataError
        If the format cannot hold them: Audacity's holds one recording.
    """
    check_one_of("format", form, FORMATS)
    if form == "raven":
        write_raven(annotations, path, facts=facts)
    elif form == "audacity":
        write_audacity(annotations, path)
    elif form == "csv":
        write_csv(annotations.table, path, safe=safe_csv, float_format="%.9g")
    else:
        records = annotations.table.to_dict("records")
        filled = [{str(key): value for key, value in row.items() if value == value} for row in records]
        with atomic_path(path) as temporary:
            temporary.write_text(
                "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in filled), encoding="utf-8"
            )
