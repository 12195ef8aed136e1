"""Roles of columns: given, guessed, and told."""

from __future__ import annotations

import pandas as pd
import pytest

from aurist.clips.guess import ReadOptions, find_roles, match_column, mostly_numbers, part_of
from aurist.clips.spans import find_times
from aurist.errors import DataError


def columns(table: dict[str, list[object]], options: ReadOptions | None = None) -> dict[str, str]:
    frame, options = pd.DataFrame(table), options or ReadOptions()
    roles = find_roles(frame, options, "t.csv")
    find_times(roles, frame, options, "t.csv")
    return roles.columns


@pytest.mark.parametrize("name", ["path", "File", "file_name", "audio path", "slice_file_name", "fname"])
def test_names_of_the_path(name: str) -> None:
    assert columns({name: ["a.wav", "b.wav"], "label": ["x", "y"]})["path"] == name


def test_a_column_of_audio_files_is_the_path_whatever_its_name() -> None:
    assert columns({"what": ["a.wav", "b.MP3"], "label": ["x", "y"]})["path"] == "what"


@pytest.mark.parametrize(
    "name", ["genre", "Class", "class_name", "SPECIES", "primary_label", "y_true", "tags"]
)
def test_names_of_the_label(name: str) -> None:
    assert columns({"x": [1, 2], name: ["a", "b"]})["label"] == name


@pytest.mark.parametrize("name", ["recording_id", "RecordID", "artist", "speaker", "fsID", "site"])
def test_names_of_the_group(name: str) -> None:
    assert columns({"x": [1, 2, 3], "label": ["a", "b", "a"], name: ["p", "p", "q"]})["group"] == name


def test_a_group_of_one_value_is_none() -> None:
    assert "group" not in columns({"x": [1, 2], "label": ["a", "b"], "site": ["p", "p"]})


def test_an_id_is_taken_only_where_it_is_unique() -> None:
    assert columns({"x": [1, 2], "label": ["a", "b"], "ID": ["p", "q"]})["id"] == "ID"
    assert "id" not in columns({"x": [1, 2], "label": ["a", "b"], "ID": ["p", "p"]})


def test_a_track_id_that_repeats_is_a_group() -> None:
    roles = columns({"x": [1, 2, 3], "label": ["a", "b", "a"], "track_id": ["p", "p", "q"]})
    assert roles["group"] == "track_id"
    assert "id" not in roles


def test_a_split_of_other_words_is_no_part() -> None:
    assert "part" not in columns({"x": [1, 2], "label": ["a", "b"], "part": ["intro", "verse"]})
    assert columns({"x": [1, 2], "label": ["a", "b"], "split": ["train", "val"]})["part"] == "split"


def test_notes_say_each_guess_and_how_to_change_it() -> None:
    roles = find_roles(pd.DataFrame({"genre": ["a", "b"], "x": [1, 2]}), ReadOptions(), "t.csv")
    assert roles.notes == ["label column: genre (guessed; label= names another, or none)"]


def test_what_is_given_is_not_a_guess() -> None:
    roles = find_roles(pd.DataFrame({"genre": ["a", "b"], "x": [1, 2]}), ReadOptions(label="genre"), "t.csv")
    assert roles.columns == {"label": "genre"}
    assert roles.notes == []


def test_where_several_would_do_the_first_wins_and_the_others_are_named() -> None:
    table = pd.DataFrame({"genre": ["a", "b"], "label": ["c", "d"], "x": [1, 2]})
    roles = find_roles(table, ReadOptions(), "t.csv")
    assert roles.columns["label"] == "label"
    assert any("label column: label" in note and "genre" in note for note in roles.notes)


@pytest.mark.parametrize("role", ["label", "group", "fold", "id"])
def test_none_keeps_a_role_empty(role: str) -> None:
    table = {"x": [1, 2], "label": ["a", "b"], "group": ["p", "q"], "fold": [1, 2], "id": ["r", "s"]}
    roles = columns(table, ReadOptions(**{role: "none"}))
    assert role not in roles
    assert {"label", "group", "fold", "id"} - {role} <= set(roles)


def test_a_column_given_but_missing_names_the_nearest() -> None:
    with pytest.raises(
        DataError, match=r"t\.csv: found no column 'gnre' .*label=.*Did you mean 'genre'"
    ) as error:
        columns({"genre": ["a"], "tempo": [1]}, ReadOptions(label="gnre"))
    assert "genre, tempo" in str(error.value)


def test_a_column_given_in_another_case_is_found() -> None:
    assert match_column("GENRE", ["Genre", "x"], "label=", "t") == "Genre"


def test_times_without_a_file_are_an_error_that_names_path() -> None:
    with pytest.raises(DataError, match=r"no column names the audio files\. Name it with path="):
        columns({"start": [0.0], "end": [1.0], "label": ["a"]})


def test_a_start_given_without_an_end_is_an_error() -> None:
    with pytest.raises(DataError, match="end="):
        columns({"path": ["a.wav"], "from": [0.0], "label": ["a"]}, ReadOptions(start="from"))


def test_parts() -> None:
    assert [part_of(name) for name in ("dev", "VAL", " Testing ", "holdout", "eval", 3)] == [
        "train",
        "valid",
        "test",
        "test",
        None,
        None,
    ]


def test_mostly_numbers_bears_a_bad_cell_in_ten_or_more() -> None:
    assert mostly_numbers(pd.Series(["1"] * 19 + ["bad"]))
    assert not mostly_numbers(pd.Series(["1", "2", "bad"]))
    assert not mostly_numbers(pd.Series(["", "NA"]))
