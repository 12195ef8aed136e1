"""Text that a spreadsheet would take for formulas, there and back."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aurist.annotations import make_annotations, read_annotations, write_annotations
from aurist.clips.guess import ReadOptions
from aurist.clips.load_table import load_table
from aurist.clips.read import read_clips
from aurist.files import write_csv
from aurist.formulas import original_cell, original_table, safe_cell, safe_table

from .command import aurist

FORMULA = re.compile(r"[=+\-@\t\r\n]")
#: Texts of what matters here, in every order.
texts = st.text(st.sampled_from("'=+-@\t\r\n1a,\" "), max_size=6)
#: The same, but for what a reader of text files makes of it anyhow.
lines = st.text(st.sampled_from("'=+-@\t1a,;\" "), min_size=1, max_size=6)
#: Without the blanks and quotes around a cell that a reader of annotations leaves out.
bare = st.text(st.sampled_from("'=+-@1a,; "), max_size=6).map(str.strip).filter(bool)


@given(texts)
def test_text_comes_back_as_it_was_and_no_other_text_is_changed(text: str) -> None:
    written = safe_cell(text)
    assert original_cell(written) == text
    assert not FORMULA.match(written)
    assert (written == text) == (re.match(r"'*[=+\-@\t\r\n]", text) is None)


@pytest.mark.parametrize("cell", [-1, -1.5, float("-inf"), None, True, ("=a",)])
def test_what_is_no_text_is_no_formula(cell: object) -> None:
    assert safe_cell(cell) is cell


def test_tables_of_any_kind_of_column() -> None:
    table = pd.DataFrame(
        {"=n": [-1.0, 2.0], "mixed": [-1, "-1"], "gap": [None, "@x"], "c": ["+a", "b"]}, [7, 8]
    )
    table["c"] = table["c"].astype("category")
    table["s"] = pd.Series(["'=", "x"], index=[7, 8], dtype="string")
    table.insert(0, "c", ["=1", "2"], allow_duplicates=True)
    safe = safe_table(table)
    assert list(safe.columns) == ["c", "'=n", "mixed", "gap", "c", "s"]
    assert safe.to_numpy().tolist() == [
        ["'=1", -1.0, -1, None, "'+a", "''="],
        ["2", 2.0, "'-1", "'@x", "b", "x"],
    ]
    back, count = original_table(safe)
    assert count == 5 and back.to_numpy().tolist() == table.to_numpy().tolist()
    assert table.columns[1] == "=n" and table.iloc[0, 0] == "=1"  # the given one stays


@settings(max_examples=60, deadline=None)
# blanks around a column name are stripped, and cells full of semicolons look like columns
@given(
    st.lists(st.tuples(lines, lines), min_size=1, max_size=5).filter(lambda rows: ";" not in str(rows)),
    lines.filter(lambda name: name == name.strip() and ";" not in name),
)
def test_a_table_of_clips_comes_back_exactly(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], name: str
) -> None:
    table = pd.DataFrame(rows, columns=["path", "label"], dtype=object).assign(**{f"{name}x": 1.5})
    file = tmp_path_factory.mktemp("t") / "safe.csv"
    write_csv(table, file, safe=True)
    assert not formulas_in(file)
    back, notes = load_table(file, ReadOptions())
    assert back[["path", "label"]].to_numpy().tolist() == table[["path", "label"]].to_numpy().tolist()
    assert back.columns.tolist() == [column.strip() for column in table.columns]
    assert any("is left out" in note for note in notes) == any(safe_cell(c) != c for row in rows for c in row)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(bare, bare), min_size=1, max_size=4))
def test_annotations_come_back_exactly(
    tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[str, str]]
) -> None:
    rows = [{"path": path, "start": 0, "end": 1, "label": label} for path, label in pairs]
    file = tmp_path_factory.mktemp("t") / "a.csv"
    write_annotations(make_annotations(rows, "test"), file, "csv", safe_csv=True)
    assert not formulas_in(file)
    assert [(annotation.path, annotation.label) for annotation in read_annotations(file)] == pairs


def formulas_in(file: Path) -> list[str]:
    with file.open(newline="") as text:
        return [cell for row in csv.reader(text) for cell in row if FORMULA.match(cell)]


def test_features_by_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import numpy as np
    import soundfile as sf

    for name in ("=a.wav", "b.wav"):
        sf.write(tmp_path / name, np.random.default_rng(0).normal(size=8000) / 9, 16000)
    (tmp_path / "t.csv").write_text('path,label\n=a.wav,"@SUM(A1)"\nb.wav,dog\n')
    monkeypatch.setenv("AURIST_CACHE_DIR", str(tmp_path / "cache"))
    for option, path, label in (([], "=a.wav", "@SUM(A1)"), (["--safe-csv"], "'=a.wav", "'@SUM(A1)")):
        done = aurist("features", tmp_path / "t.csv", "-o", tmp_path / "f.csv", "--jobs", 1, *option)
        assert done.returncode == 0, done.stderr
        table = pd.read_csv(tmp_path / "f.csv")
        assert table.loc[0, ["path", "label"]].tolist() == [path, label]
        assert (table.select_dtypes("number") < 0).any(axis=None)  # negative numbers stay numbers
        clips = read_clips(tmp_path / "f.csv", ReadOptions(label="label"))
        assert clips.table["labels"].tolist() == [("@SUM(A1)",), ("dog",)]
