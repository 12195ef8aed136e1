"""Annotations and detections to files that other programs open."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from aurist.annotations.audacity import write_audacity
from aurist.annotations.raven import RecordingFacts, write_raven
from aurist.annotations.table import Annotations
from aurist.errors import check_one_of
from aurist.files import atomic_path, write_csv

FORMATS = ("csv", "raven", "audacity", "jsonl")


def write_annotations(
    annotations: Annotations,
    path: Path,
    form: str,
    *,
    sounds: Mapping[str, RecordingFacts] | None = None,
    safe_csv: bool = False,
) -> None:
    """Write annotations; all of these formats can be read back.

    Parameters
    ----------
    annotations
        What to write.
    path
        The file; replaced as a whole.
    form
        One of `FORMATS`.
    sounds
        What a Raven table wants to know of each recording: see `aurist.annotations.raven.write_raven`.
    safe_csv
        In a CSV, write text that a spreadsheet would take for a formula so that it does not.

    Raises
    ------
    ConfigError
        Where there is no such format.
    DataError
        Where the format cannot hold them: Audacity's holds one recording.
    """
    check_one_of("format", form, FORMATS)
    if form == "raven":
        write_raven(annotations, path, sounds=sounds)
    elif form == "audacity":
        write_audacity(annotations, path)
    elif form == "csv":
        write_csv(annotations.table, path, safe=safe_csv, float_format="%.9g")
    else:
        records = annotations.table.to_dict("records")
        said = [{str(key): value for key, value in row.items() if value == value} for row in records]
        with atomic_path(path) as part:
            part.write_text(
                "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in said), encoding="utf-8"
            )
