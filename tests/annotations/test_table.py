"""Annotations from rows."""

from __future__ import annotations

from aurist.annotations import make_annotations
from aurist.annotations.text_table import read_text_table


def test_labels_that_programs_write_for_nothing_are_said() -> None:
    rows = [
        {"path": "a.wav", "start": i, "end": i + 1, "label": label} for i, label in enumerate(["NA", "wren"])
    ]
    assert make_annotations(rows, "a.txt").notes == (
        "a.txt: read as names of classes, not as missing values: NA",
    )
    assert make_annotations(rows[1:], "a.txt").notes == ()


def test_quotes_of_a_spreadsheet_around_a_cell_are_none_of_the_label(tmp_path) -> None:
    path = tmp_path / "a.txt"
    path.write_text('Begin Time (s)\tSpecies\n1\t"wren, song"\n2\t"say ""tick"""\n3\t"a" or "b"\n4\t5" gun\n')
    assert [row["Species"] for row in read_text_table(path).rows] == [
        "wren, song",
        'say "tick"',
        '"a" or "b"',
        '5" gun',
    ]
