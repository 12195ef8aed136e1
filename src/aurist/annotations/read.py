"""Read annotations of any known format, from a file or a folder: the entry point of this folder."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from aurist.annotations.audacity import read_audacity
from aurist.annotations.birdclef import is_birdclef, read_birdclef
from aurist.annotations.programs import layout_of, read_program
from aurist.annotations.raven import BEGIN, END, read_raven, with_ravens_names
from aurist.annotations.recordings import Recordings
from aurist.annotations.table import Annotations, join_annotations, make_annotations
from aurist.annotations.text_table import read_text_table, with_point
from aurist.clips.folders import find_audio
from aurist.clips.load_table import read_text
from aurist.errors import DataError, listing, plural

SUFFIXES = (".txt", ".csv", ".tsv", ".jsonl")
#: Files of BirdNET that are no tables: its settings, and a list of recordings for Raven.
_NO_TABLE = re.compile(r"birdnet.*(params\.csv|\.list\.txt)", re.IGNORECASE)


def read_annotations(
    source: Path | str, *, audio_root: Path | Recordings | None = None, label: str | None = None
) -> Annotations:
    """Read annotations from a file or a folder of files. The format is recognised by the content.

    Selection tables of Raven (one recording or several), label tracks of Audacity, RFCX's ``train_tp.csv`` and
    ``train_fp.csv``, soundscape labels of BirdCLEF, results of BirdNET, boxes of OpenSoundscape, DESED's TSV,
    annotations of Hoplite, and what `aurist.annotations.write` writes.

    Parameters
    ----------
    source
        The file or folder.
    audio_root
        Folder of the recordings, to find them by the end of their paths; or `Recordings`, so several calls cannot use
        one recording under different paths. None: use the paths of the annotations, or the folder of the table.
    label
        Column of the labels, for formats with several.

    Raises
    ------
    DataError
        If a file has no known format, has wrong rows, or fits several recordings: all at once.
    """
    path = Path(source)
    recordings_of = _recordings(path, audio_root)
    if path.is_dir():
        files = [file for file in sorted(path.rglob("*")) if _may_be_table(file.relative_to(path))]
        skipped = [file.name for file in files if _NO_TABLE.fullmatch(file.name)]
        files = [file for file in files if file.name not in skipped]
        if not files:
            raise DataError(
                f"{path} holds no annotations: expected files that end in {', '.join(SUFFIXES)}.{_swapped(path)}"
            )
        annotations = _all(files, recordings_of, label)
        annotations = replace(annotations, notes=together(annotations.notes))
        skipped_notes = [f"{name}: no annotations, skipped" for name in dict.fromkeys(skipped)]
        return replace(annotations, notes=(*annotations.notes, *skipped_notes))
    if not path.exists():
        raise DataError(f"{path} does not exist. Expected a file of annotations, or a folder of them.")
    return _read_file(path, recordings_of(path), label)


def _recordings(source: Path, given: Path | Recordings | None) -> Callable[[Path], Recordings]:
    """Return a function from a file to the recordings of its folder; each folder is listed once."""
    if given is None:
        in_folder = cache(lambda folder: Recordings(folder, by_path=False))
        return lambda file: in_folder(file.parent)
    recordings = given if isinstance(given, Recordings) else Recordings(given, source)
    return lambda _: recordings


def _swapped(folder: Path) -> str:
    """Say that a folder of annotations holds recordings, if it does."""
    n = len(find_audio(folder)[0])
    if not n:
        return ""
    return (
        f" It holds {plural(n, 'recording')}: give their folder first, and that of the tables as annotations."
    )


def _may_be_table(path: Path) -> bool:
    """Tell whether a path may be a table, by its ending. Hidden files of Macs and version control are no tables."""
    hidden = any(level.startswith(".") or level == "__MACOSX" for level in path.parts)
    return path.suffix.lower() in SUFFIXES and not hidden


def _all(files: list[Path], recordings_of: Callable[[Path], Recordings], label: str | None) -> Annotations:
    tables, problems = [], []
    for file in files:
        try:
            tables.append(_read_file(file, recordings_of(file), label))
        except DataError as error:
            problems.append(str(error))
    if problems:
        raise DataError(
            f"{plural(len(problems), 'file')} of annotations cannot be read:\n{listing(problems)}"
        )
    return join_annotations(tables)


def _read_file(path: Path, recordings: Recordings, label: str | None) -> Annotations:
    if path.suffix.lower() == ".jsonl":
        return _json_lines(path, recordings)
    lines = read_text(path)[0].lstrip().split("\n")
    head = next((line for line in lines if line.strip() and not line.startswith("#")), "").split("\t")
    if _is_label_track(head):
        return read_audacity(path, recordings)
    table = with_ravens_names(read_text_table(path))
    if {BEGIN, END} <= set(table.columns):
        return read_raven(table, recordings, label)
    if is_birdclef(table):
        return read_birdclef(table, recordings)
    layout = layout_of(table)
    if layout is None:
        raise DataError(
            f"{path} is in no format of annotations that aurist knows: it has the columns {', '.join(table.columns)}. "
            "Expected a selection table of Raven, a label track of Audacity, a table of RFCX, BirdCLEF, BirdNET, "
            "OpenSoundscape, DESED or Hoplite, or the columns path, start, end, label (without path in a "
            "table that is named after its recording)."
        )
    return read_program(table, layout, recordings, label)


def _is_label_track(head: list[str]) -> bool:
    """Tell whether a first line is a label: two numbers, then a text. An empty file is a track without labels."""
    if head == [""]:
        return True
    try:
        return len(head) >= 2 and float(with_point(head[0])) <= float(with_point(head[1]))
    except ValueError:
        return False


def _json_lines(path: Path, recordings: Recordings) -> Annotations:
    rows: list[dict[str, Any]] = []
    lines, bad = [], []
    for number, line in enumerate(read_text(path)[0].split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:  # also numbers of thousands of digits
            bad.append(f"line {number}: {getattr(error, 'msg', error)}")
            continue
        if not isinstance(row, dict) or not {"path", "start", "end", "label"} <= set(row):
            bad.append(f"line {number}: no object with path, start, end and label")
            continue
        rows.append(row)
        lines.append(number)
    if bad:
        raise DataError(f"{path} has lines that are no annotations:\n{listing(bad)}")
    return recordings.with_paths(make_annotations(rows, str(path), lines=lines, root=recordings.folder), path)


def together(notes: Sequence[str]) -> tuple[str, ...]:
    """Write the same note on several files as one, in the order of the first.

    Examples
    --------
    >>> together(["a.txt: labels from 'Species'", "b.txt: 1 row left out", "c.txt: labels from 'Species'"])
    ("2 tables (a.txt, c.txt): labels from 'Species'", 'b.txt: 1 row left out')
    """
    files: dict[str, list[str]] = {}
    for note in notes:
        name, colon, text = note.partition(": ")
        files.setdefault(text if colon else note, []).append(name if colon else "")
    return tuple(
        f"{names[0]}: {text}"
        if len(names) == 1 and names[0]
        else text
        if not names[0]
        else f"{len(names)} tables ({names[0]}, {names[1]}{' ...' if len(names) > 2 else ''}): {text}"
        for text, names in files.items()
    )
