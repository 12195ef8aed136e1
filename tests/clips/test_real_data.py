"""The readers on data sets as people really have them."""

from __future__ import annotations

from pathlib import Path

import pytest

from aurist.clips.read import ReadOptions, read_clips
from aurist.errors import DataError


@pytest.mark.parametrize(
    ("name", "clips", "classes", "groups", "folds", "several"),
    [
        ("esc10", 400, 10, 304, 5, False),
        ("gtzan100", 117, 10, 101, 0, False),
        ("nips4b", 687, 87, 0, 0, True),
        ("odd-files", 98, 13, 0, 0, False),
        ("bengalese", 7652, 9, 135, 0, False),
        ("bats", 44, 4, 3, 0, False),
        ("nips4b/segments.csv", 5481, 87, 563, 0, False),
        ("esc10/audio", 400, 10, 304, 0, False),
    ],
)
def test_recordings(
    data_dir: Path, name: str, clips: int, classes: int, groups: int, folds: int, several: bool
) -> None:
    read = read_clips(data_dir / name)
    assert (len(read), len(read.classes), read.multilabel) == (clips, classes, several)
    assert (read.table["group"].nunique(), read.table["fold"].nunique()) == (groups, folds)
    assert all(file.exists() for file in read.files())
    assert read.features == ()


def test_labels_in_file_names(data_dir: Path) -> None:
    read = read_clips(data_dir / "fsdd", ReadOptions(label_from="{label}_{group}_{n}"))
    assert read.classes == tuple("0123456789") and len(read) == 1200
    assert read.table["group"].nunique() == 6
    with pytest.raises(DataError, match="label_from"):
        read_clips(data_dir / "fsdd")


@pytest.mark.parametrize(
    ("name", "rows", "classes", "features", "groups", "folds"),
    [
        ("spotify-genres/train.csv", 25383, 15, 11, 0, 0),
        ("tables/frogs_mfcc.csv", 7195, 10, 22, 60, 0),
        ("tables/us8k_features.csv", 8732, 10, 37, 0, 10),
        ("tables/birds/birds-train.arff", 322, 19, 260, 0, 0),
        ("tables/birds/birds-test.arff", 323, 19, 260, 0, 0),
        ("tables/emotions/emotions.arff", 593, 6, 72, 0, 0),
    ],
)
def test_feature_tables(
    data_dir: Path, name: str, rows: int, classes: int, features: int, groups: int, folds: int
) -> None:
    read = read_clips(data_dir / name)
    assert (len(read), len(read.classes), len(read.features)) == (rows, classes, features)
    assert (read.table["group"].nunique(), read.table["fold"].nunique()) == (groups, folds)
    assert read.multilabel == name.endswith(".arff")


def test_a_contest_s_test_table_keeps_its_ids(data_dir: Path) -> None:
    read = read_clips(data_dir / "spotify-genres" / "test.csv", labelled=False)
    assert read.table["clip_id"].tolist()[:2] == ["TEST_00000", "TEST_00001"]
    assert not read.labelled and len(read.features) == 11
    with pytest.raises(DataError, match=r"such as .*train\.csv"):
        read_clips(data_dir / "spotify-genres")


def test_boxes_without_files_say_what_is_missing(data_dir: Path) -> None:
    with pytest.raises(DataError, match=r"(?s)'t_min' and 't_max'.*path=.*'recording_id'"):
        read_clips(data_dir / "rfcx" / "train_tp.csv")
    with pytest.raises(DataError, match=r"(?s)1 row has no label.*row 50"):
        read_clips(data_dir / "soundscapes")
