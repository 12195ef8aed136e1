"""Folders of recordings as clips."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aurist.clips import Clips
from aurist.clips.folders import folder_infos
from aurist.clips.read import ReadOptions, read_clips
from aurist.errors import DataError


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def rows(clips: Clips, *columns: str) -> list[tuple[object, ...]]:
    table = clips.table.assign(label=[";".join(labels) for labels in clips.table["labels"]])
    return list(table[list(columns)].itertuples(index=False, name=None))


def test_a_folder_a_class_in_any_case_sorted(tmp_path: Path) -> None:
    touch(tmp_path, "dog/b.WAV", "dog/a.wav", "cat/c.Mp3", "cat/d.flac")
    clips = read_clips(tmp_path)
    assert rows(clips, "path", "label", "part") == [
        ("cat/c.Mp3", "cat", "train"),
        ("cat/d.flac", "cat", "train"),
        ("dog/a.wav", "dog", "train"),
        ("dog/b.WAV", "dog", "train"),
    ]
    assert clips.root == tmp_path and all(file.exists() for file in clips.files())
    assert "labels: the first level of folders (2 classes)" in clips.notes


def test_what_is_hidden_or_no_audio(tmp_path: Path) -> None:
    touch(
        tmp_path,
        "dog/a.wav",
        "cat/b.wav",
        "dog/._a.wav",
        "cat/.hidden/x.wav",
        "__MACOSX/dog/a.wav",
        ".git/y.wav",
        "cat/notes.txt",
        "cat/cover.JPG",
        "dog/cover.jpg",
        "README",
    )
    clips = read_clips(tmp_path)
    assert clips.table["path"].tolist() == ["cat/b.wav", "dog/a.wav"]
    (note,) = [note for note in clips.notes if note.startswith("skipped")]
    assert "2 .jpg" in note and "1 .txt" in note and "1 without suffix" in note


@pytest.mark.parametrize("level", ["fold1", "fold_1", "fold-01", "Fold 1", "FOLD01"])
@pytest.mark.parametrize("above", [True, False])
def test_fold_levels(tmp_path: Path, level: str, above: bool) -> None:
    folders = [f"{level}/dog", "fold2/cat"] if above else [f"dog/{level}", "cat/fold2"]
    touch(tmp_path, *(f"{folder}/a.wav" for folder in folders))
    assert sorted(rows(read_clips(tmp_path), "label", "fold", "group")) == [
        ("cat", "2", None),
        ("dog", "1", None),
    ]


def test_a_folder_is_no_fold() -> None:
    infos = folder_infos(["folder1/a.wav", "folded/b.wav"])
    assert [(info.label, info.fold) for info in infos] == [("folder1", None), ("folded", None)]


@pytest.mark.parametrize("above", [True, False])
@pytest.mark.parametrize("valid", ["valid", "val", "Validation"])
def test_part_levels_above_and_below_the_classes(tmp_path: Path, above: bool, valid: str) -> None:
    for part in ("train", valid, "TEST"):
        for name in ("dog", "cat"):
            touch(tmp_path, f"{part}/{name}/a.wav" if above else f"{name}/{part}/a.wav")
    clips = read_clips(tmp_path)
    assert clips.classes == ("cat", "dog")
    assert clips.table["part"].value_counts().to_dict() == {"train": 2, "valid": 2, "test": 2}
    assert clips.table["group"].isna().all()
    for path, part in rows(clips, "path", "part"):
        assert (part == "test") == ("TEST" in str(path))
    assert "parts: 2 train, 2 valid, 2 test" in clips.notes


def test_a_test_folder_beside_the_classes(tmp_path: Path) -> None:
    touch(tmp_path, "dog/a.wav", "cat/b.wav", "test/dog/c.wav", "test/cat/d.wav")
    assert rows(read_clips(tmp_path), "label", "part") == [
        ("cat", "train"),
        ("dog", "train"),
        ("cat", "test"),
        ("dog", "test"),
    ]


def test_the_sound_of_a_train_is_a_class(tmp_path: Path) -> None:
    touch(tmp_path, "sounds/train/a.wav", "sounds/bus/b.wav")
    assert read_clips(tmp_path).classes == ("bus", "train")
    parts = touch(tmp_path / "parts", "train/train/a.wav", "train/bus/b.wav", "test/train/c.wav")
    assert rows(read_clips(parts), "label", "part") == [
        ("train", "test"),
        ("bus", "train"),
        ("train", "train"),
    ]


def test_folders_below_the_class_are_groups(tmp_path: Path) -> None:
    touch(tmp_path, "rock/queen/a.wav", "rock/queen/b.wav", "rock/abba/live/c.wav", "jazz/d.wav")
    clips = read_clips(tmp_path)
    assert rows(clips, "label", "group") == [
        ("jazz", None),
        ("rock", "rock/abba/live"),
        ("rock", "rock/queen"),
        ("rock", "rock/queen"),
    ]
    assert any(note.startswith("groups: the folders below") for note in clips.notes)


def test_one_class_in_parts_is_not_two_classes_called_train_and_test(tmp_path: Path) -> None:
    touch(tmp_path, "dog/train/a.wav", "dog/test/b.wav")
    with pytest.raises(DataError, match="one folder, 'dog'"):
        read_clips(tmp_path)


def test_an_eval_folder_is_not_guessed(tmp_path: Path) -> None:
    touch(tmp_path, "train/dog/a.wav", "train/cat/b.wav", "eval/dog/c.wav", "eval/cat/d.wav")
    with pytest.raises(DataError, match=r"eval holds folders of classes.*Rename it to train, valid or test"):
        read_clips(tmp_path)


def test_files_without_a_class_are_all_listed(tmp_path: Path) -> None:
    touch(tmp_path, "dog/a.wav", "cat/b.wav", "loose1.wav", "loose2.wav")
    with pytest.raises(DataError, match=r"(?s)2 of 4 files.*loose1\.wav\n  loose2\.wav\n.*label_from"):
        read_clips(tmp_path)
    clips = read_clips(tmp_path, labelled=False)
    assert rows(clips, "path", "label")[-1] == ("loose2.wav", "") and len(clips) == 4


def test_a_flat_folder(tmp_path: Path) -> None:
    touch(tmp_path, "7_jo_1.wav", "8_al_2.wav")
    with pytest.raises(DataError, match="no class folder"):
        read_clips(tmp_path)
    assert read_clips(tmp_path, labelled=False).classes == ()
    clips = read_clips(tmp_path, ReadOptions(label_from="{label}_{group}_{n}"))
    assert rows(clips, "label", "group") == [("7", "jo"), ("8", "al")]


def test_one_folder_says_nothing_of_what_is_predicted(tmp_path: Path) -> None:
    touch(tmp_path, "recordings/a.wav", "recordings/b.wav")
    assert read_clips(tmp_path, labelled=False).classes == ()


def test_a_folder_without_recordings(tmp_path: Path) -> None:
    touch(tmp_path, "a/readme.md")
    with pytest.raises(DataError, match=r"found no audio files, only 1 \.md"):
        read_clips(tmp_path)
    with pytest.raises(DataError, match="does not exist"):
        read_clips(tmp_path / "nowhere")


def test_links_in_a_circle(tmp_path: Path) -> None:
    touch(tmp_path, "dog/a.wav", "cat/b.wav")
    (tmp_path / "dog" / "again").symlink_to(tmp_path)
    assert read_clips(tmp_path).table["path"].tolist() == ["cat/b.wav", "dog/a.wav"]


def test_a_table_in_the_folder_that_lists_its_recordings(tmp_path: Path) -> None:
    touch(tmp_path, "audio/a.wav", "audio/b.wav", "audio/c.wav")
    (tmp_path / "labels.csv").write_text("path,label\naudio/a.wav,x\naudio/b.wav,y\n")
    clips = read_clips(tmp_path)
    assert rows(clips, "path", "label") == [("audio/a.wav", "x"), ("audio/b.wav", "y")]
    assert clips.notes[0].startswith("read from labels.csv")
    assert clips.notes[1].startswith("1 of 3 recordings")
    (tmp_path / "metadata.csv").write_text("path,label\naudio/a.wav,x\naudio/b.wav,y\n")
    with pytest.raises(DataError, match=r"2 tables that list its recordings: labels\.csv, metadata\.csv"):
        read_clips(tmp_path)


def test_a_table_of_other_things_is_passed_over(tmp_path: Path) -> None:
    touch(tmp_path, "dog/a.wav", "cat/b.wav")
    (tmp_path / "index.csv").write_text("path,label\nelsewhere.wav,x\n")
    assert read_clips(tmp_path).classes == ("cat", "dog")


def test_a_folder_of_tables(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("a,label\n1,x\n")
    (tmp_path / "test.csv").write_text("a\n1\n")
    with pytest.raises(DataError, match=r"holds tables and no recordings.*such as .*train\.csv"):
        read_clips(tmp_path)


def test_a_single_recording_is_only_predicted(tmp_path: Path) -> None:
    touch(tmp_path, "a.OGG", "a.xyz")
    clips = read_clips(tmp_path / "a.OGG", labelled=False)
    assert clips.files() == [tmp_path / "a.OGG"]
    with pytest.raises(DataError, match="single recording"):
        read_clips(tmp_path / "a.OGG")
    with pytest.raises(DataError, match="neither a folder, nor a recording, nor a table"):
        read_clips(tmp_path / "a.xyz", labelled=False)


levels = st.tuples(
    st.sampled_from(["", "fold1/", "fold2/"]),
    st.sampled_from(["train/", "valid/", "test/"]),
    st.sampled_from(["dog/", "cat/", "새/"]),
    st.sampled_from(["", "session/"]),
    st.sampled_from(["a.wav", "b.FLAC", "ü é.ogg"]),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=st.lists(levels, min_size=1, max_size=12, unique=True), part_first=st.booleans())
def test_any_tree_of_folds_parts_and_classes(
    tmp_path: Path, files: list[tuple[str, ...]], part_first: bool
) -> None:
    root = tmp_path / "tree"
    shutil.rmtree(root, ignore_errors=True)
    expected = {}
    for fold, part, name, session, file in [
        *files,
        ("", "train/", "dog/", "", "z.wav"),
        ("", "test/", "cat/", "", "z.wav"),
    ]:
        above = f"{part}{fold}" if part_first else f"{fold}{part}"
        group = f"{name}{session}"[:-1] if session else None
        expected[f"{above}{name}{session}{file}"] = (name[:-1], group, fold[4:5] or None, part[:-1])
    touch(root, *expected)
    clips = read_clips(root)
    assert clips.table["path"].tolist() == sorted(expected)
    for path, *rest in rows(clips, "path", "label", "group", "fold", "part"):
        assert tuple(rest) == expected[str(path)]


def test_names_that_are_no_text_are_listed_and_left_out(tmp_path: Path) -> None:
    strange = os.fsdecode(b"caf\xe9.wav")
    try:
        touch(tmp_path, "dog/a.wav", "cat/b.wav", "cat/x.txt", f"cat/{strange}", os.fsdecode(b"\xff/c.wav"))
    except OSError:
        pytest.skip("this file system takes no such names")
    clips = read_clips(tmp_path)
    assert clips.table["path"].tolist() == ["cat/b.wav", "dog/a.wav"]
    assert any(r"\xff/c.wav, cat/caf\xe9.wav)" in note and "2 with a name" in note for note in clips.notes)
    with pytest.raises(DataError, match=r"caf\\xe9.wav"):
        read_clips(tmp_path / "cat" / strange, labelled=False)
