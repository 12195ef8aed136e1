"""The clips table itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aurist.clips import COLUMNS, make_clips
from aurist.clips.read import read_clips
from aurist.errors import DataError


def test_defaults() -> None:
    clips = make_clips([("a",), ("b",)])
    assert tuple(clips.table.columns) == COLUMNS
    assert clips.table["clip_id"].tolist() == ["0", "1"]
    assert clips.table["part"].tolist() == ["train", "train"]
    assert clips.table["start"].isna().all()
    assert not clips.has_audio


def test_clips_of_one_file_have_ids_of_their_own() -> None:
    clips = make_clips([("a",)] * 3, paths=["x.wav", "y.wav", "x.wav"])
    assert clips.table["clip_id"].tolist() == ["x.wav", "y.wav", "x.wav#2"]


def test_repeated_ids_are_all_named() -> None:
    with pytest.raises(DataError, match="2 ids are used for more than one row") as error:
        make_clips([("a",)] * 5, clip_ids=["p", "q", "p", "q", "r"])
    assert "'p'" in str(error.value)
    assert "'q'" in str(error.value)
    assert "'r'" not in str(error.value)


def test_classes_are_sorted_and_hold_those_only_ever_absent() -> None:
    clips = make_clips([("b",), ()], absent=[(), ("a",)], multilabel=True)
    assert clips.classes == ("a", "b")
    np.testing.assert_array_equal(clips.targets(), [[0, 1], [0, 0]])
    np.testing.assert_array_equal(clips.targets(["b", "z"]), [[1, 0], [0, 0]])


def test_take_by_mask_and_by_position() -> None:
    clips = make_clips([("a",), ("b",), ("c",)], features=pd.DataFrame({"x": [1.0, 2.0, 3.0]}))
    for rows in (np.array([True, False, True]), [0, 2]):
        taken = clips.take(rows)
        assert taken.table["labels"].tolist() == [("a",), ("c",)]
        assert taken.table.index.tolist() == [0, 1]
        assert taken.feature_table()["x"].tolist() == [1.0, 3.0]
        assert taken.classes == clips.classes


def test_relative_paths_start_from_the_root_and_absolute_ones_do_not(tmp_path: Path) -> None:
    clips = make_clips([(), ()], paths=["a/b.wav", str(tmp_path / "c.wav")], root=Path("data"))
    assert clips.files() == [Path("data/a/b.wav"), tmp_path / "c.wav"]


def test_messages_count_rows_of_a_table_without_ids_as_an_editor_does(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("tempo,label\n\n1.5,a\n2.5,b\n")
    assert [read_clips(tmp_path / "t.csv").display_name(row) for row in range(2)] == ["row 3", "row 4"]
    (tmp_path / "t.csv").write_text("id,tempo,label\nT1,1.5,a\nT2,2.5,b\n")
    assert read_clips(tmp_path / "t.csv").take([1]).display_name(0) == "T2 (row 3)"
    assert make_clips([("a",)], paths=["a.wav"], rows=[2]).display_name(0) == "a.wav"
