"""Selections of Raven over two recordings, by known answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from aurist.annotations import CutOptions, Recordings, read_annotations
from aurist.automl.annotated import read_annotated

from .files import RAVEN, recordings, write

HEADER = RAVEN + "\tBegin Path\tFile Offset (s)\tBegin File\tEnd File\tAnnotation"


def row(begin: float, end: float, path: str, offset: float, last: str, label: str = "wren") -> str:
    cells = ("1", "S", "1", begin, end, 500, 900, f"C:\\field\\{path}", offset, path, last, label)
    return "\t".join(map(str, cells))


def spans(
    folder: Path, *rows: str, header: str = HEADER, **seconds: float
) -> tuple[list[tuple[str, float, float]], str]:
    """Paths, starts and ends, and the notes; lengths are known by name."""
    recordings(folder / "r", "a.wav", "b.wav", "c.wav")
    table = write(folder, "all.txt", header, *rows)
    rec = Recordings(folder / "r", table, length=lambda file: seconds.get(file.stem))
    annotations = read_annotations(table, audio_root=rec)
    return [(selection.path, selection.start, selection.end) for selection in annotations], "\n".join(
        annotations.notes
    )


def test_a_selection_over_two_recordings_is_one_of_each(tmp_path: Path) -> None:
    own = row(65, 66, "b.wav", 5, "b.wav")
    parts, notes = spans(tmp_path, row(58, 63, "a.wav", 58, "b.wav"), own)
    assert parts == [("a.wav", 58, 60), ("b.wav", 0, 3), ("b.wav", 5, 6)]
    assert "1 selection over several recordings" in notes
    # whatever comes first, and where the sequence goes on before and behind
    more = (row(203, 204, "c.wav", 3, "c.wav"), own, row(58, 63, "a.wav", 58, "b.wav"))
    assert spans(tmp_path, *more)[0] == [("c.wav", 3, 4), ("b.wav", 5, 6), ("a.wav", 58, 60), ("b.wav", 0, 3)]


def test_a_selection_over_three_holds_the_second_as_a_whole(tmp_path: Path) -> None:
    own = (row(65, 66, "b.wav", 5, "b.wav"), row(101, 102, "c.wav", 1, "c.wav"))
    parts, _ = spans(tmp_path, row(58, 104, "a.wav", 58, "c.wav"), *own)
    assert parts[:3] == [("a.wav", 58, 60), ("b.wav", 0, 40), ("c.wav", 0, 4)]


def test_without_the_column_of_its_end_the_next_recording_tells(tmp_path: Path) -> None:
    header = HEADER.replace("\tEnd File", "")
    both = (row(58, 63, "a.wav", 58, "x"), row(65, 66, "b.wav", 5, "x"))
    rows = [text.replace("\tx\twren", "\twren") for text in both]
    assert spans(tmp_path, *rows, header=header)[0] == [("a.wav", 58, 60), ("b.wav", 0, 3), ("b.wav", 5, 6)]
    # what lasts longer than the sequence would have it is of joined tables
    assert spans(tmp_path, *rows, header=header, a=90)[0] == [("a.wav", 58, 63), ("b.wav", 5, 6)]
    # BirdNET's windows have a fixed length: the last is filled up with silence
    birdnet = spans(tmp_path, *(f"{text}\t0.9" for text in rows), header=header + "\tConfidence")
    assert birdnet[0] == [("a.wav", 58, 60), ("b.wav", 5, 6)]


@pytest.mark.parametrize(
    "others",
    [
        [row(70, 71, "a.wav", 70, "a.wav"), row(65, 66, "b.wav", 5, "b.wav")],  # a is longer than 60 s
        [row(10, 11, "a.wav", 3, "a.wav"), row(65, 66, "b.wav", 5, "b.wav")],  # a begins at 7 s
        [row(5, 6, "b.wav", 5, "b.wav"), row(65, 66, "c.wav", 5, "c.wav")],  # b begins with a
    ],
)
def test_what_is_in_no_one_sequence_is_not_divided(tmp_path: Path, others: list[str]) -> None:
    rows = (row(58, 63, "a.wav", 58, ""), *others)
    assert spans(tmp_path, *rows)[0][0] == ("a.wav", 58, 63)


def test_where_no_selection_is_of_the_second_the_length_of_the_first_tells(tmp_path: Path) -> None:
    selection = row(58, 63, "a.wav", 58, "b.wav")
    assert spans(tmp_path, selection, a=60)[0] == [("a.wav", 58, 60), ("b.wav", 0, 3)]
    parts, notes = spans(tmp_path, selection)
    assert parts == [("a.wav", 58, 63)]
    assert "row 2 continues from C:/field/a.wav in C:/field/b.wav, but its end there is unknown" in notes


def test_rows_without_an_offset_are_not_divided(tmp_path: Path) -> None:
    rows = (row(58, 63, "a.wav", "", ""), row(1, 2, "a.wav", 1, ""), row(65, 66, "b.wav", 5, ""))  # type: ignore[arg-type]
    assert spans(tmp_path, *rows)[0][0] == ("a.wav", 58, 63)


def test_windows_of_both_recordings_have_the_label(tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav"):
        (tmp_path / "r").mkdir(exist_ok=True)
        sf.write(tmp_path / "r" / name, np.zeros(20 * 1000), 1000)
    table = write(tmp_path, "all.txt", HEADER, row(17, 23, "a.wav", 17, "b.wav"))
    clips = read_annotated(tmp_path / "r", table, CutOptions(window=5)).table
    labelled = clips[clips["labels"].map(len) > 0]
    assert labelled[["path", "start", "end"]].to_numpy().tolist() == [["a.wav", 15, 20], ["b.wav", 0, 5]]
