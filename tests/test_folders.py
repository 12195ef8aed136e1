"""Names that may lead into folders, outputs that are tried, folders that are held."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from aurist.errors import ConfigError, RunError
from aurist.files import folder_lock
from aurist.folders import check_name, check_output, claim, remove_folder

#: Names that lead out of a folder, hide in it, or that a file system does not take.
NO_NAMES = [
    "../../victim", "..", ".", ".ssh", "/etc", "a/b", "a\\b", "C:", "", " ", "a b", "a\0b", "a\nb", "\x1b[2J",
    "a\u202eb", "\ud800", "x" * 101, "장" * 34, None, 7, ["a"],
]  # fmt: skip


@pytest.mark.parametrize("name", NO_NAMES)
def test_what_leads_elsewhere_is_no_name(name: object) -> None:
    with pytest.raises(
        ConfigError, match=r"The model's name is .*, but must be a word that can name a folder"
    ):
        check_name(name, "The model's name")


@pytest.mark.parametrize("name", ["LightGBM_L2", "ExtraTrees+1", "mel-cnn.v2", "장르", "x" * 100])
def test_names_of_models_stay(name: str, tmp_path: Path) -> None:
    (tmp_path / check_name(name, "The model's name")).mkdir()
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_of_a_link_what_it_leads_to_stays(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "thesis.txt").write_text("years")
    (tmp_path / "fold0").symlink_to("theirs")
    remove_folder(tmp_path / "fold0")
    assert [p.name for p in tmp_path.rglob("*")] == ["theirs", "thesis.txt"]
    remove_folder(tmp_path / "theirs")
    remove_folder(tmp_path / "theirs")
    assert not list(tmp_path.iterdir())


def test_outputs_that_cannot_be_are_refused_and_nothing_stays_of_the_attempt(tmp_path: Path) -> None:
    (tmp_path / "file.csv").write_text("old")
    (tmp_path / "folder").mkdir()
    for path, folder, why in [
        (tmp_path / "folder", False, "is a folder, but the output is a file"),
        (tmp_path / "file.csv", True, "is a file, but the output is a folder"),
        (tmp_path / "file.csv" / "out.csv", False, "cannot be written"),
        (tmp_path / "file.csv" / "deep" / "out", True, "cannot be written"),
        (tmp_path / ("a" * 256), False, "cannot be written"),
        (tmp_path / ("a" * 256) / "out.csv", False, "cannot be written"),
        (Path("/proc/out.csv"), False, "cannot be written"),
        (Path("/proc/deep/out"), True, "cannot be written"),
    ]:
        with pytest.raises(ConfigError, match=why):
            check_output(path, folder=folder)
    for path, folder in [
        ("new.csv", False),
        ("a/b/c.csv", False),
        ("a/b", True),
        ("folder", True),
        ("file.csv", False),
    ]:
        check_output(tmp_path / path, folder=folder)
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["file.csv", "folder"]
    assert (tmp_path / "file.csv").read_text() == "old"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_closed_to_us_is_refused(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o555)
    with pytest.raises(ConfigError, match="Permission denied"):
        check_output(tmp_path / "closed" / "out.csv")


def test_a_claimed_folder_is_held_and_goes_again_where_it_stays_empty(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "first"
    with pytest.raises(ValueError, match="refused"), claim(folder):
        with pytest.raises(RunError, match="is in use"), claim(folder):
            pass
        assert folder.is_dir()
        raise ValueError("refused")
    assert not list(tmp_path.iterdir())
    with claim(folder):
        (folder / "data.json").write_text("{}")
    assert (folder / "data.json").exists()
    (tmp_path / "theirs").mkdir()
    with claim(tmp_path / "theirs"):
        pass
    assert (tmp_path / "theirs").is_dir()


def test_a_hold_of_what_was_taken_away_is_none(tmp_path: Path) -> None:
    """Between opening the file and holding it, whoever held it before may have removed it."""
    folder, times = tmp_path / "run", []
    folder.mkdir()
    before = Path.open

    def removed_once(self: Path, *how: str) -> object:
        file = before(self, *how)
        times.append(self)
        if len(times) == 1:
            remove_folder(folder)
        return file

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "open", removed_once)
        with folder_lock(folder), pytest.raises(RunError, match="is in use"), folder_lock(folder):
            pass
    assert len(times) == 3
