"""Several labels in a cell or a folder's name, and what stands around labels."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from aurist.clips import Clips
from aurist.clips.folders import folder_infos
from aurist.clips.read import ReadOptions, read_clips
from aurist.errors import ConfigError


def read(cells: list[str], **options: str) -> Clips:
    table = pd.DataFrame({"path": [f"{i}.wav" for i in range(len(cells))], "label": cells})
    return read_clips(table, ReadOptions(**options))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cells", "right"),
    [
        (["dog,cat", "dog", "cat,bird"], [("dog", "cat"), ("dog",), ("cat", "bird")]),
        (["Guitar,Music", "Piano,Music"], [("Guitar", "Music"), ("Piano", "Music")]),
        (["a, b", "a", "b"], [("a", "b"), ("a",), ("b",)]),
        (["a|b", "c"], [("a", "b"), ("c",)]),
        (["['a', 'b']", "['a']", "[]"], [("a", "b"), ("a",), ()]),
        (['["it\'s", "b, c"]', '["b, c"]'], [("it's", "b, c"), ("b, c",)]),
        (["[a, b]", "[b]"], [("a", "b"), ("b",)]),
        (["wren robin", "wren", "robin"], [("wren", "robin"), ("wren",), ("robin",)]),
        (["a+b", "a", "b"], [("a", "b"), ("a",), ("b",)]),
    ],
)
def test_lists_of_labels_are_several_and_said(cells: list[str], right: list[tuple[str, ...]]) -> None:
    clips = read(cells)
    assert clips.multilabel and clips.table["labels"].tolist() == right
    assert any('label_separator="none"' in note for note in clips.notes)
    assert not read([cell or "x" for cell in cells], label_separator="none").multilabel


@pytest.mark.parametrize(
    "cells",
    [
        ["Tit, Blue", "Tit, Great", "Robin"],
        ["hard rock", "rock", "folk"],
        ["1,5", "2,5", "1"],
        ["-1", "1"],
        ["AC/DC", "a"],
    ],
)
def test_what_may_be_one_name_stays_one(cells: list[str]) -> None:
    clips = read(cells)
    assert not clips.multilabel and clips.table["labels"].tolist() == [(cell,) for cell in cells]


def test_a_name_with_a_comma_is_asked_after() -> None:
    assert any("'Tit, Blue' is read as one label" in note for note in read(["Tit, Blue", "Robin"]).notes)


def test_the_separator_can_be_given() -> None:
    assert read(["a b", "c"], label_separator="space").table["labels"].tolist() == [("a", "b"), ("c",)]
    with pytest.raises(ConfigError, match="label_separator"):
        read(["a b", "c"], label_separator="x")


def test_quotes_of_spreadsheets_are_no_part_of_a_label(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('path,label\na.wav,"""dog"""\nb.wav,dog\nc.wav,\'dog\nd.wav,\'Apapane\n')
    clips = read_clips(tmp_path / "t.csv")
    assert clips.classes == ("'Apapane", "dog")
    assert any('quotes around some are left out, such as "dog"' in note for note in clips.notes)


def test_a_label_that_is_known_to_be_absent_needs_no_second_one() -> None:
    clips = read(["-Wren", "Wren", "Robin"])
    assert clips.multilabel and clips.table["absent"].tolist() == [("Wren",), (), ()]


def folder(root: Path, *files: str) -> Clips:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()
    return read_clips(root)


def test_folders_of_birdnet(tmp_path: Path) -> None:
    clips = folder(
        tmp_path,
        *(f"{name}/{i}.wav" for name in ("-Wren", "Background", "Robin", "Wren", "Wren,Robin") for i in "12"),
    )
    assert clips.classes == ("Robin", "Wren") and clips.multilabel
    rows = dict(
        zip(clips.table["path"], zip(clips.table["labels"], clips.table["absent"], strict=True), strict=True)
    )
    assert rows["Wren,Robin/1.wav"] == (("Wren", "Robin"), ())
    assert rows["-Wren/2.wav"] == ((), ("Wren",))
    assert rows["Background/1.wav"] == ((), ())


def test_a_folder_of_noise_is_a_class_beside_single_ones_and_said(tmp_path: Path) -> None:
    clips = folder(tmp_path, "dog/1.wav", "noise/1.wav")
    assert clips.classes == ("dog", "noise") and any("noise read as a class" in note for note in clips.notes)


@pytest.mark.parametrize(
    "names",
    [("2019", "2020"), ("site_A", "site_B"), ("2024-05-01", "2024-05-02"), ("Station 1", "Station 2")],
)
def test_folders_that_look_like_no_classes_are_doubted(tmp_path: Path, names: tuple[str, str]) -> None:
    assert any("doubtful" in note for note in folder(tmp_path, *(f"{name}/1.wav" for name in names)).notes)


def test_folders_of_sounds_are_not_doubted(tmp_path: Path) -> None:
    assert not any(
        "doubtful" in note for note in folder(tmp_path, "0/a.wav", "1/a.wav", "am radio/a.wav").notes
    )


@pytest.mark.parametrize("cells", [["NA", "wren"], ["None", "wren"], ["nan", "wren"]])
def test_a_class_called_as_nothing_is_said_by_every_reader(tmp_path: Path, cells: list[str]) -> None:
    for clips in (read(cells), folder(tmp_path, *(f"{cell}/1.wav" for cell in cells))):
        assert any("not as missing" in note and cells[0] in note for note in clips.notes)


def test_a_level_between_the_parts_and_the_classes() -> None:
    infos = folder_infos(["train/audio/yes/a.wav", "train/audio/no/b.wav", "test/audio/c.wav"])
    assert [(info.label, info.part) for info in infos] == [
        ("yes", "train"),
        ("no", "train"),
        (None, "test"),
    ]
    infos = folder_infos(["train/dog/x/a.wav", "train/dog/y/b.wav", "test/cat/c.wav"])
    assert [info.label for info in infos] == ["dog", "dog", "cat"]


def test_labels_that_are_not_used_are_said() -> None:
    table = pd.DataFrame({"path": ["a.wav", "b.wav", "c.wav"], "primary_label": ["x", "y", "x"]})
    table["secondary_labels"], table["class_id"] = ["['z']", "[]", "[]"], [1, 2, 1]
    notes = read_clips(table).notes
    assert any("not used, although named like labels: secondary_labels (" in note for note in notes)
