from pathlib import Path

import pytest

from aurist.files import atomic_path, write_json, write_text


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    write_text(target, "old")
    with pytest.raises(RuntimeError), atomic_path(target) as part:
        part.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_json_keeps_korean_readable(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"장르": "록"})
    assert "록" in (tmp_path / "a.json").read_text(encoding="utf-8")
