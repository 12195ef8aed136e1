"""Lines before the header of a text table."""

from __future__ import annotations

from pathlib import Path

import pytest

from aurist.annotations import read_annotations
from aurist.clips.preamble import preamble_of
from aurist.clips.read import read_clips
from aurist.errors import DataError

ROWS = "a.wav,dog\nb.wav,cat\n"


@pytest.mark.parametrize(
    "before",
    [
        "",
        "sep=,\n",
        "SEP=,\r\n",
        '"sep=,"\n',
        "sep=,,,,\n",
        "# made in May, 2024\n",
        "sep=,\n# a\n#\n\n# b\n\n",
    ],
)
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_lines_before_the_header_are_passed_over(tmp_path: Path, before: str, mark: str) -> None:
    text = (before + "path,label\n" + ROWS).replace(",", mark)
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode("utf-8-sig"))
    clips = read_clips(path)
    assert clips.classes == ("cat", "dog") and clips.table["path"].tolist() == ["a.wav", "b.wav"]
    assert clips.rows == (text.count("\n") - 1, text.count("\n"))
    assert any("skipped: # " in note for note in clips.notes) == ("#" in before)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("#,path,label\n1,a.wav,dog\n", 0),
        ("# path,label\na.wav,dog\n", 0),
        ("#name,label\nrex,dog\n", 0),
        ("# made by X, 2024\npath,label\na.wav,dog\n", 1),
        ("#a,b\n#1,2\n", 0),
        ("sep=;\npath,label\n", 1),
        ("sep=9\n", 0),
    ],
)
def test_what_is_a_header_is_none_of_the_lines_before(text: str, lines: int) -> None:
    assert preamble_of(text).lines == lines


def test_bad_rows_are_named_by_their_line(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("# one\n# two\npath,label\na.wav,dog\nb.wav\n")
    with pytest.raises(DataError, match="row 5: 1 cell"):
        read_clips(path)
    path.write_text("# one\npath,start,end,label\na.wav,0,1,dog\na.wav,zero,1,dog\n")
    with pytest.raises(DataError, match="row 4: start is 'zero'"):
        read_annotations(path)


def test_tables_of_annotations_and_label_tracks(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    (tmp_path / "t.csv").write_text("sep=;\n# made\npath;start;end;label\na.wav;0,5;1;dog\n")
    assert read_annotations(tmp_path / "t.csv").table["start"].tolist() == [0.5]
    (tmp_path / "a.txt").write_text("# made\n0.5\t1.0\tdog\n")
    assert read_annotations(tmp_path / "a.txt").table["label"].tolist() == ["dog"]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(" (s)", "..s.").replace(" (Hz)", "..Hz.").replace(" ", "."),
        lambda text: text.replace(" ", "_"),
        str.lower,
        lambda text: "\t".join(f'"{cell}"' for cell in text.split("\t")),
    ],
)
def test_headers_of_raven_as_others_write_them(tmp_path: Path, change: object) -> None:
    header = (
        "Selection\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tBegin File\tFile Offset (s)"
    )
    header = f"{header}\tCommon Name"
    assert callable(change)
    rows = "1\t30.0\t31.0\t100\t200\tb.wav\t10.0\twren\n2\t1.0\t2.0\t100\t200\ta.wav\t1.0\twren\n"
    (tmp_path / "t.txt").write_text(f"{change(header)}\n{rows}")
    table = read_annotations(tmp_path / "t.txt").table
    assert table["start"].tolist() == [10.0, 1.0] and table["high"].tolist() == [200.0, 200.0]
    assert table["label"].tolist() == ["wren", "wren"]
