"""The one door in: a file of annotations of any known kind, or a folder of them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from aurist.annotations.audacity import read_audacity
from aurist.annotations.birdclef import is_birdclef, read_birdclef
from aurist.annotations.lines import read_lines, with_point
from aurist.annotations.programs import layout_of, read_program
from aurist.annotations.raven import BEGIN, END, read_raven, with_ravens_names
from aurist.annotations.recordings import Recordings
from aurist.annotations.table import Annotations, make_annotations, together
from aurist.clips.loading import read_text
from aurist.errors import DataError, listing, plural

SUFFIXES = (".txt", ".csv", ".tsv", ".jsonl")
#: What BirdNET writes beside its tables: its settings, and the recordings for Raven to open.
_NO_TABLE = re.compile(r"birdnet.*(params\.csv|\.list\.txt)", re.IGNORECASE)


def read_annotations(
    source: Path | str, *, audio_root: Path | Recordings | None = None, label: str | None = None
) -> Annotations:
    """Read annotations: a file, whose format is known by what is in it, or a folder of such files.

    Selection tables of Raven (one recording or several), label tracks of Audacity, RFCX's ``train_tp.csv`` and
    ``train_fp.csv``, soundscape labels of BirdCLEF, results of BirdNET, boxes of OpenSoundscape, DESED's TSV,
    annotations of Hoplite, and what `aurist.annotations.write` writes.

    Parameters
    ----------
    source
        The file or folder.
    audio_root
        Folder of the recordings, in which they are found by the end of their paths; as `Recordings` where several calls
        shall not find the same one under different paths. None: what the annotations say, or where they stand.
    label
        Column of the labels, where a format has several.

    Raises
    ------
    DataError
        Where a file is of no known format, rows of it cannot be, or it may belong to several recordings: all at once.
    """
    path = Path(source)
    there = _recordings(path, audio_root)
    if path.is_dir():
        files = [file for file in sorted(path.rglob("*")) if _may_be_table(file.relative_to(path))]
        passed = [file.name for file in files if _NO_TABLE.fullmatch(file.name)]
        files = [file for file in files if file.name not in passed]
        if not files:
            raise DataError(f"{path} holds no annotations: expected files that end in {', '.join(SUFFIXES)}.")
        found = _all(files, there, label)
        said = [f"{name}: no annotations, passed over" for name in dict.fromkeys(passed)]
        return replace(found, notes=(*found.notes, *said))
    if not path.exists():
        raise DataError(f"{path} does not exist. Expected a file of annotations, or a folder of them.")
    return _one(path, there(path), label)


def _recordings(source: Path, given: Path | Recordings | None) -> Callable[[Path], Recordings]:
    """Where the recordings of a file are looked for; each folder is listed once."""
    if given is None:
        beside = cache(lambda folder: Recordings(folder, by_path=False))
        return lambda file: beside(file.parent)
    there = given if isinstance(given, Recordings) else Recordings(given, source)
    return lambda _: there


def _may_be_table(path: Path) -> bool:
    """By its ending; Macs and version control hide files of their own among those of people."""
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in path.parts)
    return path.suffix.lower() in SUFFIXES and not hidden


def _all(files: list[Path], there: Callable[[Path], Recordings], label: str | None) -> Annotations:
    parts, problems = [], []
    for file in files:
        try:
            parts.append(_one(file, there(file), label))
        except DataError as error:
            problems.append(str(error))
    if problems:
        raise DataError(
            f"{plural(len(problems), 'file')} of annotations cannot be read:\n{listing(problems)}"
        )
    return together(parts)


def _one(path: Path, there: Recordings, label: str | None) -> Annotations:
    if path.suffix.lower() == ".jsonl":
        return _json_lines(path, there)
    lines = read_text(path)[0].lstrip().split("\n")
    head = next((line for line in lines if line.strip() and not line.startswith("#")), "").split("\t")
    if _is_label_track(head):
        return read_audacity(path, there)
    table = with_ravens_names(read_lines(path))
    if {BEGIN, END} <= set(table.columns):
        return read_raven(table, there, label)
    if is_birdclef(table):
        return read_birdclef(table, there)
    layout = layout_of(table)
    if layout is None:
        raise DataError(
            f"{path} is in no format of annotations that aurist knows: it has the columns {', '.join(table.columns)}. "
            "Expected a selection table of Raven, a label track of Audacity, a table of RFCX, BirdCLEF, BirdNET, "
            "OpenSoundscape, DESED or Hoplite, or the columns path, start, end, label."
        )
    return read_program(table, layout, there, label)


def _is_label_track(head: list[str]) -> bool:
    """Whether a first line is a label: two numbers, then a text; an empty file is a track without labels."""
    if head == [""]:
        return True
    try:
        return len(head) >= 2 and float(with_point(head[0])) <= float(with_point(head[1]))
    except ValueError:
        return False


def _json_lines(path: Path, there: Recordings) -> Annotations:
    rows: list[dict[str, Any]] = []
    lines, bad = [], []
    for number, line in enumerate(read_text(path)[0].split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:  # a number of thousands of digits, too
            bad.append(f"line {number}: {getattr(error, 'msg', error)}")
            continue
        if not isinstance(row, dict) or not {"path", "start", "end", "label"} <= set(row):
            bad.append(f"line {number}: no object with path, start, end and label")
            continue
        rows.append(row)
        lines.append(number)
    if bad:
        raise DataError(f"{path} has lines that are no annotations:\n{listing(bad)}")
    return there.placed(make_annotations(rows, str(path), lines=lines, root=there.folder), path)
