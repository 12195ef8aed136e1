import os
from pathlib import Path

import pytest

from aurist.errors import ConfigError
from aurist.files import (
    add_line,
    atomic_path,
    check_name,
    remove_folder,
    whole_lines,
    write_json,
    write_text,
)

#: Names that lead out of a folder, hide in it, or that a file system does not take.
NO_NAMES = [
    "../../victim", "..", ".", ".ssh", "/etc", "a/b", "a\\b", "C:", "", " ", "a b", "a\0b", "a\nb", "\x1b[2J",
    "a\u202eb", "\ud800", "x" * 101, "장" * 34, None, 7, ["a"],
]  # fmt: skip


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    write_text(target, "old")
    with pytest.raises(RuntimeError), atomic_path(target) as part:
        part.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_journal_holds_every_name(tmp_path: Path) -> None:
    names = ["a\u2028b", "a\x85b", "a\nb\rc\td", os.fsdecode(b"caf\xe9"), "장르"]
    for name in names:
        add_line(tmp_path / "j.jsonl", {"name": name})
    assert [line["name"] for line in whole_lines(tmp_path / "j.jsonl")] == names


def test_json_keeps_korean_readable(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"장르": "록"})
    assert "록" in (tmp_path / "a.json").read_text(encoding="utf-8")


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
