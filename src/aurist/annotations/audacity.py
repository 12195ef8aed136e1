"""Read and write Audacity's label tracks: one recording, no header, frequencies on a line of their own.

Source: the manual of Audacity, "Importing and Exporting Labels", standard and extended format.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

from aurist.annotations.recordings import Recordings
from aurist.annotations.table import Annotations, make_annotations
from aurist.annotations.text_table import with_point
from aurist.clips.load_table import read_text
from aurist.errors import DataError, listing
from aurist.files import atomic_path

#: The mark of a line with the frequencies of the label above it.
_FREQUENCIES = "\\"
#: The score at the end of a label that aurist wrote.
_SCORED = re.compile(r"(.*\S) ([01]\.\d\d)")


def read_audacity(path: Path, recordings: Recordings) -> Annotations:
    """Read a label track. Its name is the name of the recording.

    BirdNET's confidence, a fourth column, is the score, and so is the number with two decimals at the end of the label
    if every label has one. Frequencies below 0 mean no frequencies.
    """
    content, notes = read_text(path)
    recording = recordings.of_table(path)
    rows: list[dict[str, Any]] = []
    lines, bad, commas = [], [], False
    for number, line in enumerate(content.split("\n"), start=1):
        cells = line.split("\t")
        numbers = [with_point(cell.strip()) for cell in cells]
        if not line.strip() or (line.startswith("#") and not rows):
            continue
        if cells[0] == _FREQUENCIES:
            if len(cells) != 3 or not rows or "low" in rows[-1]:
                bad.append(f"line {number}: frequencies of no label: {line!r}")
            else:
                rows[-1] |= {"low": _frequency(numbers[1]), "high": _frequency(numbers[2])}
        elif len(cells) not in (2, 3, 4):
            bad.append(f"line {number}: {len(cells)} cells, but a label has a start, an end and a text")
        else:
            label = cells[2].strip() if len(cells) > 2 else ""
            rows.append({"path": recording, "start": numbers[0], "end": numbers[1], "label": label})
            commas |= "," in cells[0] + cells[1]
            if len(cells) == 4:
                rows[-1]["score"] = numbers[3]
            lines.append(number)
    _split_scores(rows)
    if bad:
        raise DataError(f"{path} is no label track of Audacity:\n{listing(bad)}")
    if commas:
        notes = [*notes, f"{path.name}: numbers are written with a decimal comma"]
    return make_annotations(
        rows,
        str(path),
        lines=lines,
        recordings=[recording],
        root=recordings.folder,
        notes=notes,
    )


def write_audacity(annotations: Annotations, path: Path) -> None:
    """Write a label track, with frequencies if they are known; a score is the end of its label.

    Raises
    ------
    DataError
        If there is more than one recording, as a label track has only one.
    """
    paths = sorted(set(annotations.table["path"]))
    if len(paths) > 1:
        raise DataError(
            f"A label track of Audacity is of one recording, but these annotations are of {len(paths)}, such as "
            f"{paths[0]} and {paths[1]}: write one file for each."
        )
    lines = []
    for annotation in annotations:
        label = " ".join(annotation.label.split())
        label += "" if math.isnan(annotation.score) else f" {annotation.score:.2f}"
        lines.append(f"{annotation.start:.6f}\t{annotation.end:.6f}\t{label}")
        if annotation.has_band:
            lines.append(f"{_FREQUENCIES}\t{annotation.low:.6f}\t{annotation.high:.6f}")
    with atomic_path(path) as temporary:
        temporary.write_text("".join(line + "\n" for line in lines), encoding="utf-8")


def _split_scores(rows: list[dict[str, Any]]) -> None:
    """Take the scores out of the labels, if all have one."""
    matches = [_SCORED.fullmatch(row["label"]) for row in rows]
    for row, match in zip(rows, matches, strict=True):
        if all(matches) and match is not None and "score" not in row:
            row |= {"label": match[1], "score": match[2]}


def _frequency(cell: str) -> str:
    try:
        return "" if float(cell) < 0 else cell
    except ValueError:
        return cell  # make_annotations reports the bad cell
