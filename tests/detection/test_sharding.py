"""Shards of a scan, merged, are the scan."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from aurist.detection.sharding import NAME, merge_shards
from aurist.errors import DataError

from ..archives.made import dataset
from ..command import aurist_process

TABLES = ("windows.csv", "events.csv", "events.selections.txt")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run, and five recordings, one of them no sound."""
    folder = tmp_path_factory.mktemp("made")
    dataset(folder / "files")
    plan = folder / "plan.toml"
    plan.write_text('[[member]]\nname = "KernelRidge"\nengine = "kernel"\n')
    result = aurist_process("fit", folder / "files", "--plan", plan, "--folds", "2", "-o", folder / "run")
    assert result.returncode == 0, result.stderr
    (folder / "new").mkdir()
    rng = np.random.default_rng(0)
    for i in range(4):
        soundfile.write(folder / "new" / f"{i}.wav", rng.normal(0, 0.2, 8000 * (2 + i)), 8000)
    (folder / "new" / "broken.wav").write_bytes(b"no sound")
    scan(folder, "whole")
    for number in (1, 2, 3):
        scan(folder, f"part-{number}", "--shard", f"{number}/3")
    return folder


def scan(folder: Path, name: str, *options: str) -> str:
    result = aurist_process(
        *("predict", folder / "run", folder / "new", "--window", "0.5", "--min-score", "0.3"),
        *("--format", "windows,csv,raven", *options, "-o", folder / name),
    )
    assert "Traceback" not in result.stderr
    return result.stdout + result.stderr


def parts(folder: Path) -> list[Path]:
    return [folder / f"part-{number}" for number in (1, 2, 3)]


def test_merged_shards_are_the_scan_of_all(made: Path) -> None:
    result = aurist_process("merge", *parts(made)[::-1], "-o", made / "merged")
    assert result.returncode == 0, result.stderr
    assert "1 recording cannot be read" in result.stdout + result.stderr
    before = {path: path.stat().st_mtime_ns for path in (made / "merged" / "scores").rglob("*.npz")}
    scan(made, "merged")  # writes the tables
    for table in TABLES:
        assert (made / "merged" / table).read_bytes() == (made / "whole" / table).read_bytes()
    after = {path: path.stat().st_mtime_ns for path in (made / "merged" / "scores").rglob("*.npz")}
    assert before == after and len(after) >= 4  # nothing was scanned again


def test_gaps_and_overlaps_are_refused(made: Path, tmp_path: Path) -> None:
    first, second, third = parts(made)
    with pytest.raises(DataError, match=r"missing: 2/3, 3/3"):
        merge_shards([first], tmp_path / "a")
    twice = tmp_path / "twice"
    shutil.copytree(second, twice)
    with pytest.raises(DataError, match=r"twice: shard 2/3, as .*part-2"):
        merge_shards([first, second, twice, third], tmp_path / "a")
    with pytest.raises(DataError, match="is no shard"):
        merge_shards([first, made / "whole"], tmp_path / "a")
    half = tmp_path / "half"
    shutil.copytree(third, half)
    lines = (half / "journal.jsonl").read_text().splitlines()
    (half / "journal.jsonl").write_text("\n".join(lines[:-1]) + "\n")
    with pytest.raises(DataError, match=r"half: 1 recording not scanned to the end"):
        merge_shards([first, second, half], tmp_path / "a")
    other = tmp_path / "other"
    shutil.copytree(third, other)
    record = other / NAME
    record.write_text(record.read_text().replace('"of": 3', '"of": 4'))
    with pytest.raises(DataError, match="another number of shards"):
        merge_shards([first, second, other], tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_an_interrupted_merge_is_given_again(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("aurist.detection.sharding.write_json", killed)
    with pytest.raises(KeyboardInterrupt):
        merge_shards(parts(made), tmp_path / "again")
    monkeypatch.undo()
    (tmp_path / "again" / "scores" / "half").mkdir()
    merge_shards(parts(made), tmp_path / "again")
    merge_shards(parts(made), tmp_path / "whole")
    files = [
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for folder in (tmp_path / "again", tmp_path / "whole")
    ]
    assert files[0] == files[1] and not (tmp_path / "again" / "scores" / "half").exists()


def test_a_merge_that_was_killed_when_it_was_whole_is_given_again(made: Path, tmp_path: Path) -> None:
    unreadable = merge_shards(parts(made), tmp_path / "merged")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "merged").rglob("*")}
    assert merge_shards(parts(made), tmp_path / "merged") == unreadable
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "merged").rglob("*")} == before
    (tmp_path / "merged" / "journal.jsonl").write_text("{}\n")
    with pytest.raises(DataError, match="is not empty"):
        merge_shards(parts(made), tmp_path / "merged")


def test_wrong_shards_are_refused(made: Path) -> None:
    for shard, message in (("4/3", "shard is '4/3'"), ("x", "shard is 'x'"), ("9/9", "only 5 recordings")):
        assert message in scan(made, "new-part", "--shard", shard)
    assert "holds shard 1/3, and 2/3 is given now" in scan(made, "part-1", "--shard", "2/3")
    assert "holds detections that are no shard" in scan(made, "whole", "--shard", "1/3")
    result = aurist_process("predict", made / "run", made / "new", "--shard", "1/2")
    assert result.returncode == 1 and "--shard" in result.stderr


def test_a_killed_shard_is_repeated(made: Path, tmp_path: Path) -> None:
    """A shard whose last recording was cut off ends it, and then merges."""
    copy = made / "again-3"
    shutil.copytree(made / "part-3", copy)
    lines = (copy / "journal.jsonl").read_text().splitlines()
    (copy / "journal.jsonl").write_text("\n".join(lines[:-1]) + "\n")
    scan(made, "again-3", "--shard", "3/3")
    assert not [
        path for path in merge_shards([*parts(made)[:2], copy], tmp_path / "a") if "broken" not in path
    ]
    for path in (copy / "scores").rglob("*.npz"):
        with np.load(path) as again, np.load(made / "part-3" / path.relative_to(copy)) as first:
            assert np.array_equal(again["proba"], first["proba"])
