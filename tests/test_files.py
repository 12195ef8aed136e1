import errno
import os
import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aurist import files
from aurist.audio.writing import write_sound
from aurist.errors import FullDiskError
from aurist.files import append_jsonl, atomic_path, read_jsonl, write_arrays, write_json, write_text


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    write_text(target, "old")
    with pytest.raises(RuntimeError), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_journal_holds_every_name(tmp_path: Path) -> None:
    names = ["a\u2028b", "a\x85b", "a\nb\rc\td", os.fsdecode(b"caf\xe9"), "장르"]
    for name in names:
        append_jsonl(tmp_path / "j.jsonl", {"name": name})
    assert [line["name"] for line in read_jsonl(tmp_path / "j.jsonl")] == names


@pytest.mark.parametrize("whole", [b"", b'{"a": 1}\n'])
@pytest.mark.parametrize("cut", [b"", b'{"a"', b"x" * 200_000])
def test_a_line_that_a_kill_cut_short_is_removed(tmp_path: Path, whole: bytes, cut: bytes) -> None:
    path = tmp_path / "j.jsonl"
    path.write_bytes(whole + cut)
    append_jsonl(path, {"a": 2})
    append_jsonl(path, {"a": 3})
    assert path.read_bytes() == whole + b'{"a": 2}\n{"a": 3}\n'


def test_json_keeps_korean_readable(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"장르": "록"})
    assert "록" in (tmp_path / "a.json").read_text(encoding="utf-8")


@pytest.fixture
def small_disk() -> Iterator[None]:
    """No file may grow above 20 kB."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def _savez(temporary: Path) -> None:
    with temporary.open("wb") as file:
        np.savez(file, a=np.zeros(9999))


_MUCH = pd.DataFrame({"a": np.random.default_rng(0).random(9999)})


@pytest.mark.parametrize(
    "write",
    [lambda temporary: temporary.write_text("a" * 99_999), _MUCH.to_parquet, _MUCH.to_csv, _savez],
    ids=["text", "parquet", "csv", "npz"],
)
@pytest.mark.usefixtures("small_disk")
def test_a_full_disk_is_told_with_the_file(tmp_path: Path, write: Callable[[Path], object]) -> None:
    path = tmp_path / "predictions.out"
    with (
        pytest.raises(FullDiskError, match=r"predictions\.out cannot be written: there is no room"),
        atomic_path(path) as temporary,
    ):
        write(temporary)
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("small_disk")
def test_a_full_disk_is_told_of_models_and_journals(tmp_path: Path) -> None:
    with pytest.raises(FullDiskError, match="forest"):
        write_arrays(tmp_path / "forest.npz", {"threshold": np.random.default_rng(0).random(9999)})
    with pytest.raises(FullDiskError, match="journal"):
        append_jsonl(tmp_path / "journal.jsonl", {"a": "a" * 99_999})


@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
@pytest.mark.usefixtures("small_disk")
def test_a_full_disk_is_told_of_sound(tmp_path: Path, name: str) -> None:
    noise = np.random.default_rng(0).normal(size=20_000).astype(np.float32) / 10
    with pytest.raises(FullDiskError, match=rf"{name} cannot be written: there is no room"):
        write_sound(tmp_path / name, noise, 8000)
    assert not list(tmp_path.iterdir())


def test_a_disk_that_is_full_at_the_last_moment_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(_: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files, "flush_folder", no_room)
    with pytest.raises(FullDiskError, match=r"a\.txt cannot be written"):
        write_text(tmp_path / "a.txt", "x")


def test_the_longest_name_is_written(tmp_path: Path) -> None:
    write_text(tmp_path / ("a" * 255), "whole")
    write_text(tmp_path / ("장" * 85), "whole")
    assert len(list(tmp_path.iterdir())) == 2
