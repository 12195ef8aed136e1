"""Numbers as spreadsheets write them, with gaps, in columns of features."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aurist.clips.read import ReadOptions, read_clips

NAN = float("nan")


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (['"120,5"', '"90,25"', '"1,125"'], [120.5, 90.25, 1.125]),
        (['"1,234"', "7", '"-2,345,678.5"'], [1234, 7, -2345678.5]),
        (["27%", "3.5 %", "?"], [27, 3.5, NAN]),
        (["?", "-", "4"], [NAN, NAN, 4]),
        (["  ", "5", "NA"], [NAN, 5, NAN]),
        (["--", "1e3", '"0,5"'], [NAN, NAN, 0.5]),
    ],
)
def test_numbers_with_gaps_at_a_fit_and_in_new_tables(
    tmp_path: Path, cells: list[str], values: list[float]
) -> None:
    values = [1000.0 if cell == "1e3" else value for cell, value in zip(cells, values, strict=True)]
    path = tmp_path / "t.csv"
    path.write_text("label,x,z\n" + "".join(f"a,{cell},{i}.5\n" for i, cell in enumerate(cells)))
    clips = read_clips(path)
    assert clips.features == ("x", "z")
    np.testing.assert_array_equal(clips.table["x"].to_numpy(dtype=float), values)
    marked = any(mark in cell for cell in cells for mark in (",", "%", "?", "-"))
    assert any(note.startswith("read as numbers: ") for note in clips.notes) == marked
    fitted = ReadOptions(fitted=(("x", "number"), ("z", "number")))
    np.testing.assert_array_equal(read_clips(path, fitted).table["x"].to_numpy(dtype=float), values)


def test_text_with_marks_stays_text() -> None:
    table = pd.DataFrame({"label": list("abab"), "mode": ["maj", "-", "min", "maj"], "z": [1.5, 2, 3, 4]})
    assert read_clips(table).table["mode"].tolist() == ["maj", "-", "min", "maj"]
