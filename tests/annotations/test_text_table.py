"""Text tables as spreadsheets of all countries save them."""

from __future__ import annotations

from pathlib import Path

import pytest

from aurist.annotations import read_annotations
from aurist.errors import DataError

from .files import RAVEN, boxes, recordings, write


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        (
            "a.txt",
            [
                RAVEN + "\tBegin File\tFile Offset (s)\tSpecies",
                "1\tS\t1\t61,5\t63\t100,5\t900\ta.wav\t1,5\t2,5",
            ],
        ),
        ("a.txt", ["1,5\t3\t2,5", "\\\t100,5\t900"]),
        ("a.csv", ["path;start;end;low;high;label", "a.wav;1,5;3;100,5;900;2,5"]),
    ],
)
def test_numbers_may_have_a_decimal_comma(tmp_path: Path, name: str, lines: list[str]) -> None:
    recordings(tmp_path, "a.wav")
    annotations = read_annotations(write(tmp_path, name, *lines))
    assert boxes(annotations) == [("a.wav", 1.5, 3, 100.5, 900, "2,5")]
    assert f"{name}: numbers are written with a decimal comma" in annotations.notes


def test_a_quotation_mark_that_is_not_closed_swallows_no_rows(tmp_path: Path) -> None:
    rows = ("path,start,end,label", "a.wav,1,2,owl", 'a.wav,1,2,"wren', "a.wav,2,3,owl", "a.wav,3,4,jay")
    with pytest.raises(DataError, match=r"from line 3 on: unexpected end of data\. Close the quotation mark"):
        read_annotations(write(tmp_path, "a.csv", *rows))
    with pytest.raises(DataError, match="from line 2 on: field larger than field limit"):
        read_annotations(write(tmp_path, "a.csv", rows[0], "a.wav,1,2," + 140_000 * "x"))


def test_where_commas_separate_cells_they_are_in_no_number(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="row 2: start is '1,5', but must be a number"):
        read_annotations(write(tmp_path, "a.csv", "path,start,end,label", 'a.wav,"1,5",3,x'))
