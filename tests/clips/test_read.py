"""The one door in, and real data through it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from aurist.clips.read import ReadOptions, read_clips
from aurist.errors import DataError


def plant(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def test_a_folder_with_its_table_is_read_by_the_table(tmp_path: Path) -> None:
    plant(tmp_path, "audio/a.wav", "audio/b.wav", "audio/c.wav")
    (tmp_path / "labels.csv").write_text("path,label\naudio/a.wav,x\naudio/b.wav,y\n")
    clips = read_clips(tmp_path)
    assert clips.classes == ("x", "y")
    assert clips.notes[:2] == (
        f"read from labels.csv in {tmp_path}",
        f"1 of 3 recordings in {tmp_path} is not in labels.csv: left out",
    )


def test_a_table_that_lists_other_files_is_passed_over(tmp_path: Path) -> None:
    plant(tmp_path, "x/a.wav", "y/b.wav")
    (tmp_path / "labels.csv").write_text("path,label\nelsewhere.wav,p\nfar.wav,q\n")
    assert read_clips(tmp_path).classes == ("x", "y")


def test_two_tables_of_a_folder_are_an_error_that_names_them(tmp_path: Path) -> None:
    plant(tmp_path, "x/a.wav", "y/b.wav")
    for name in ("labels.csv", "metadata.csv"):
        (tmp_path / name).write_text("path,label\nx/a.wav,p\ny/b.wav,q\n")
    with pytest.raises(DataError, match=r"holds 2 tables .*labels\.csv, metadata\.csv"):
        read_clips(tmp_path)


def test_a_folder_of_tables_alone(tmp_path: Path) -> None:
    for name in ("train.csv", "test.csv"):
        (tmp_path / name).write_text("x,label\n1,a\n")
    with pytest.raises(DataError, match=r"Give the one to read, such as .*train\.csv"):
        read_clips(tmp_path)


def test_a_single_recording_can_be_predicted_but_not_learnt_from(tmp_path: Path) -> None:
    plant(tmp_path, "a.wav")
    assert read_clips(tmp_path / "a.wav", labelled=False).files() == [tmp_path / "a.wav"]
    with pytest.raises(DataError, match="single recording"):
        read_clips(tmp_path / "a.wav")


def test_what_is_not_there_or_no_table(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        read_clips(tmp_path / "gone.csv")
    with pytest.raises(DataError, match="neither a folder, nor a recording, nor a table"):
        read_clips(plant(tmp_path, "a.pdf") / "a.pdf")


def test_a_frame_without_rows() -> None:
    with pytest.raises(DataError, match="no rows"):
        read_clips(pd.DataFrame({"x": [], "label": []}))


def test_a_frame_is_not_changed() -> None:
    table = pd.DataFrame({"x": [1, 2], "label": ["a", "b"]}, index=[7, 9])
    before = table.copy(deep=True)
    assert read_clips(table).table.index.tolist() == [0, 1]
    pd.testing.assert_frame_equal(table, before)


def test_spotify(data_dir: Path) -> None:
    clips = read_clips(data_dir / "spotify-genres" / "train.csv")
    assert (len(clips), len(clips.classes), len(clips.features)) == (25_383, 15, 11)
    assert clips.table["clip_id"].iloc[0] == "TRAIN_00000"
    assert not clips.multilabel
    unlabelled = read_clips(data_dir / "spotify-genres" / "test.csv", labelled=False)
    assert (len(unlabelled), unlabelled.classes) == (16_922, ())
    assert unlabelled.features == clips.features


def test_esc10(data_dir: Path) -> None:
    clips = read_clips(data_dir / "esc10")
    table = clips.table
    assert (len(clips), len(clips.classes)) == (400, 10)
    assert table["fold"].value_counts().to_dict() == dict.fromkeys("12345", 80)
    assert table["group"].notna().all()
    assert table.groupby("group")["fold"].nunique().max() == 1
    assert all(file.is_file() for file in clips.files())


def test_gtzan100(data_dir: Path) -> None:
    clips = read_clips(data_dir / "gtzan100")
    assert (len(clips), len(clips.classes)) == (117, 10)
    assert set(clips.table["part"]) == {"train"}  # its column `part` says where a file is from
    assert clips.table["group"].nunique() == 101


def test_nips4b(data_dir: Path) -> None:
    clips = read_clips(data_dir / "nips4b" / "labels.csv")
    assert (len(clips), len(clips.classes), clips.multilabel) == (687, 87, True)
    assert int((clips.table["labels"].map(len) == 0).sum()) == 100


def test_fsdd(data_dir: Path) -> None:
    clips = read_clips(data_dir / "fsdd", ReadOptions(label_from="{label}_{group}_{n}"))
    assert len(clips) == 1200
    assert clips.classes == tuple("0123456789")
    assert clips.table["group"].nunique() == 6


def test_mulan(data_dir: Path) -> None:
    birds = read_clips(data_dir / "tables" / "birds" / "birds-train.arff")
    assert (len(birds), len(birds.classes), len(birds.features), birds.multilabel) == (322, 19, 260, True)
    emotions = read_clips(data_dir / "tables" / "emotions" / "emotions.arff")
    assert (len(emotions), len(emotions.classes), len(emotions.features)) == (593, 6, 72)


def test_tables_of_features(data_dir: Path) -> None:
    sounds = read_clips(data_dir / "tables" / "us8k_features.csv")
    assert (len(sounds), len(sounds.classes), sounds.table["fold"].nunique()) == (8732, 10, 10)
    frogs = read_clips(data_dir / "tables" / "frogs_mfcc.csv")
    assert (frogs.classes[0], frogs.table["group"].nunique(), len(frogs.features)) == (
        "AdenomeraAndre",
        60,
        22,
    )


def test_syllables(data_dir: Path) -> None:
    clips = read_clips(data_dir / "bengalese")
    assert (len(clips), len(clips.classes), clips.table["path"].nunique()) == (7652, 9, 135)
    assert (clips.table["end"] > clips.table["start"]).all()
