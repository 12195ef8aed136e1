"""Audacity's label tracks: one recording, no header, frequencies in a line of their own.

Source: the manual of Audacity, "Importing and Exporting Labels", standard and extended format.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aurist.annotations.lines import with_point
from aurist.annotations.recordings import Recordings
from aurist.annotations.table import Annotations, make_annotations
from aurist.clips.loading import read_text
from aurist.errors import DataError, listing
from aurist.files import atomic_path

#: begins the line that holds the frequencies of the label above
_FREQUENCIES = "\\"


def read_audacity(path: Path, there: Recordings) -> Annotations:
    """A label track; the recording is the one of its name.

    BirdNET's confidence, a fourth column, is the score. Frequencies below 0 say that there are none.
    """
    text, notes = read_text(path)
    recording = there.of_table(path)
    rows: list[dict[str, Any]] = []
    lines, bad, commas = [], [], False
    for number, line in enumerate(text.split("\n"), start=1):
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
            bad.append(f"line {number}: {len(cells)} cells, where a label has a start, an end and a text")
        else:
            text_of = cells[2].strip() if len(cells) > 2 else ""
            rows.append({"path": recording, "start": numbers[0], "end": numbers[1], "label": text_of})
            commas |= "," in cells[0] + cells[1]
            if len(cells) == 4:
                rows[-1]["score"] = numbers[3]
            lines.append(number)
    if bad:
        raise DataError(f"{path} is no label track of Audacity:\n{listing(bad)}")
    if commas:
        notes = [*notes, f"{path.name}: numbers are written with a decimal comma"]
    return make_annotations(
        rows,
        str(path),
        lines=lines,
        recordings=[recording],
        root=there.folder,
        notes=notes,
    )


def write_audacity(annotations: Annotations, path: Path) -> None:
    """A label track with frequencies where they are known.

    Raises
    ------
    DataError
        Where there is more than one recording: a label track has one.
    """
    several = sorted(set(annotations.table["path"]))
    if len(several) > 1:
        raise DataError(
            f"A label track of Audacity is of one recording, but these annotations are of {len(several)}, such as "
            f"{several[0]} and {several[1]}: write one file for each."
        )
    lines = []
    for one in annotations:
        lines.append(f"{one.start:.6f}\t{one.end:.6f}\t{' '.join(one.label.split())}")
        if one.has_band:
            lines.append(f"{_FREQUENCIES}\t{one.low:.6f}\t{one.high:.6f}")
    with atomic_path(path) as part:
        part.write_text("".join(line + "\n" for line in lines), encoding="utf-8")


def _frequency(cell: str) -> str:
    try:
        return "" if float(cell) < 0 else cell
    except ValueError:
        return cell  # what is wrong is said with the row
