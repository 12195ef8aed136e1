import os
from pathlib import Path

import pytest

from aurist.files import add_line, atomic_path, whole_lines, write_json, write_text


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
