"""Tables with row names, as R writes them: the header is one cell short."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

import aurist
from aurist.clips.read import read_clips

ROWS = [["r1", "0.5", "rock song"], ["r2", "0.25", "folk"], ["r3", "1.5", "rock song"]]


def written(path: Path, mark: str, *, quote: bool, names: list[str], end: str = "\n") -> Path:
    """As `write.table(data, sep = mark, quote = quote, row.names = TRUE)` does."""
    q = '"' if quote else ""
    lines = [mark.join(f"{q}{name}{q}" for name in ("tempo", "genre"))]
    lines += [
        mark.join((f"{q}{name}{q}", tempo, f"{q}{genre if quote or mark != ' ' else genre.split()[0]}{q}"))
        for name, (_, tempo, genre) in zip(names, ROWS, strict=True)
    ]
    path.write_text(end.join(lines) + end)
    return path


@pytest.mark.parametrize(
    ("mark", "quote", "names", "end"),
    [
        (mark, quote, names, end)
        for mark, quote, names, end in itertools.product(
            ",\t ;", (True, False), (["1", "2", "10"], ["s1", "s2", "s3"]), ("\n", "\r\n")
        )
    ],
)
def test_row_names_of_r_are_ids(tmp_path: Path, mark: str, quote: bool, names: list[str], end: str) -> None:
    clips = read_clips(written(tmp_path / "t.txt", mark, quote=quote, names=names, end=end))
    assert clips.table["clip_id"].tolist() == names
    assert clips.table["tempo"].tolist() == [0.5, 0.25, 1.5]
    assert clips.features == ("tempo",) and clips.classes[0] == "folk"
    assert clips.rows == (2, 3, 4)
    assert any("as R writes it: the first holds row names (id)" in note for note in clips.notes)


def test_row_names_stand_beside_paths_and_ids(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text('"path","label","id"\n"1","a.wav","dog","x"\n"2","b.wav","cat","y"\n')
    clips = read_clips(table)
    assert clips.table["path"].tolist() == ["a.wav", "b.wav"] and clips.table["clip_id"].tolist() == [
        "x",
        "y",
    ]
    table.write_text("path label\n1 a.wav dog\n2 b.wav cat\n")
    assert read_clips(table).table["path"].tolist() == ["a.wav", "b.wav"]
    table.write_text('"label"\n"a.wav","dog"\n"b.wav","cat"\n')  # the names of rows are the recordings
    assert read_clips(table).table["path"].tolist() == ["a.wav", "b.wav"]


def test_one_row_with_row_names(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_text("tempo\tenergy\tgenre\n1\t0.5\t0.25\trock\n")
    assert read_clips(tmp_path / "t.tsv").table["energy"].tolist() == [0.25]


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ('"tempo","genre"\n"1",0.5,"rock"\n"2",0.25\n', 2),  # not in every row
        ('"tempo","genre"\n"1",0.5,"rock",7\n"2",0.25,"folk",8\n', 2),  # two cells more
        ('"tempo","genre"\n"1",0.5,"rock"\n"1",0.25,"folk"\n', 3),  # names of rows differ
        ("path,label\na.wav,dog,cat\nb.wav,cat,owl\n", 2),  # a label with a comma
        ("id,label\n7,dog,cat\n8,cat,owl\n", 3),
        ("tempo,genre\n0.5,dog,cat\n0.7,cat,owl\n", 2),
        ("tempo,genre\n120,dog,cat\n90,cat,owl\n", 2),
    ],
)
def test_what_else_is_ragged_is_an_error_with_its_row(tmp_path: Path, text: str, row: int) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(aurist.DataError, match=rf"t\.csv: .*\n(.*\n)*  row {row}: \d cell"):
        read_clips(tmp_path / "t.csv")


def test_a_single_column_of_names_with_blanks_is_one_column(tmp_path: Path) -> None:
    for text in ("path\nmy song.wav\nour song.wav\n", '"path"\nmy song.wav\nour song.wav\n'):
        (tmp_path / "t.csv").write_text(text)
        clips = read_clips(tmp_path / "t.csv", labelled=False)
        assert clips.table["path"].tolist() == ["my song.wav", "our song.wav"]
