"""Tables of a run, with pyarrow and without."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aurist import tables
from aurist.errors import MissingExtraError, RunError
from aurist.stored import read_frame
from aurist.tables import read_table, table_path, write_table


@pytest.fixture
def without_pyarrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pyarrow count as not installed."""
    monkeypatch.setattr(tables, "has_extra", lambda extra: False)


def example() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "clip_id": ["a.wav", "b\udcff.wav", "나.wav"],
            "group": ["x", None, ""],
            "labels": [["dog", "cat"], [], ["dog"]],
            "start": [0.0, np.nan, 1e-300],
            "fold": np.array([0, -1, 2]),
            "proba": list(np.array([[0.1, 0.9], [1 / 3, 2 / 3], [0.0, 1.0]])),
            "key": np.array([2**64 - 1, 0, 1], dtype=np.uint64),
            "weight": np.array([1, 2, 3], dtype=np.float32),
            "seen": [True, False, True],
            "mode": pd.Categorical(["minor", None, "major"], ["minor", "other", "major"]),
            "energy": np.array([0.5, 1.5, np.inf]),
        }
    )


def _cells(column: pd.Series) -> list[object]:
    return column.astype(object).where(column.notna(), "none").tolist()


@pytest.mark.usefixtures("without_pyarrow")
def test_without_pyarrow_a_table_is_read_as_it_was(tmp_path: Path) -> None:
    table, path = example(), tmp_path / "clips.parquet"
    write_table(table, path)
    assert [file.name for file in tmp_path.iterdir()] == ["clips.npz"]
    back = read_table(path)
    assert back.columns.tolist() == table.columns.tolist()
    assert back.dtypes.tolist() == table.dtypes.tolist()
    for name in table:
        assert [np.array(cell).tolist() for cell in _cells(back[name])] == [
            np.array(cell).tolist() for cell in _cells(table[name])
        ]


def test_both_kinds_of_files_hold_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = example().drop(index=1)  # Parquet takes Unicode alone
    write_table(table, tmp_path / "a.parquet")
    monkeypatch.setattr(tables, "has_extra", lambda extra: False)
    write_table(table, tmp_path / "b.parquet")
    a, b = read_table(tmp_path / "b.parquet"), pd.read_parquet(tmp_path / "a.parquet")
    assert a.dtypes.tolist() == b.dtypes.tolist()
    for name in table:
        for left, right in zip(a[name], b[name], strict=True):
            np.testing.assert_array_equal(left, right)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.text(), st.floats(), st.none() | st.text()), max_size=4))
def test_text_and_numbers_come_back_exactly(rows: list[tuple[str, float, str | None]]) -> None:
    table = pd.DataFrame(
        {
            "text": pd.Series([row[0] for row in rows], dtype=object),
            "number": np.array([row[1] for row in rows], dtype=np.float64),
            "both": pd.Series([row[2] for row in rows], dtype=object),
        }
    )
    back = tables._from_arrays(tables._to_arrays(table))
    pd.testing.assert_frame_equal(back, table, check_exact=True)


def test_a_table_of_another_installation_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "folds.parquet"
    with monkeypatch.context() as patch:
        patch.setattr(tables, "has_extra", lambda extra: False)
        write_table(pd.DataFrame({"fold": [0]}), path)
        assert table_path(path) == tmp_path / "folds.npz"
    write_table(pd.DataFrame({"fold": [1]}), path)
    assert read_table(path)["fold"].tolist() == [1]
    with monkeypatch.context() as patch:
        patch.setattr(tables, "has_extra", lambda extra: False)
        write_table(pd.DataFrame({"fold": [2]}), path)
    assert read_table(path)["fold"].tolist() == [2]


def test_a_parquet_file_without_pyarrow_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "folds.parquet"
    write_table(pd.DataFrame({"fold": [0]}), path)
    monkeypatch.setattr("aurist.extras.has_extra", lambda extra: False)
    with pytest.raises(MissingExtraError, match=r"folds\.parquet.*pip install 'aurist\[parquet\]'"):
        read_frame(path, {"fold": "i"}, "Copy it again.")


@pytest.mark.usefixtures("without_pyarrow")
def test_a_damaged_file_is_an_error_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "folds.parquet"
    write_table(pd.DataFrame({"fold": [0], "clip_id": ["a"]}), path)
    whole = (tmp_path / "folds.npz").read_bytes()
    for cut in (whole[:-30], b"", whole.replace(b"int64", b"obj64"), whole.replace(b"<i8", b"|O8")):
        (tmp_path / "folds.npz").write_bytes(cut)
        with pytest.raises(RunError, match="damaged"):
            read_frame(path, {"fold": "i"}, "Copy it again.")
