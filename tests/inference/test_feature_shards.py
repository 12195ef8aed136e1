"""Features computed in shards, merged, are those of one machine."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from aurist.inference import feature_tables
from aurist.inference.feature_shards import merge_feature_shards

from ..archives.made import dataset
from ..command import aurist, start

KILL = "import os, aurist.inference.feature_shards as m\nm.write_record = lambda *_: os.kill(os.getpid(), 9)"
SHARDS = 16


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty recordings, two of them no sound; their features as a whole and in 16 shards, of which one was killed."""
    folder = tmp_path_factory.mktemp("made")
    table = dataset(folder / "set", 20)
    for row in (3, 19):
        (folder / "set" / table["path"][row]).write_bytes(b"no sound")
    assert aurist("features", "set", "-o", "whole.csv", cwd=folder).returncode == 0
    shutil.rmtree(folder / "cache")
    with start(
        "features", "set", "--shard", f"7/{SHARDS}", "-o", "part-7", cwd=folder, before=KILL
    ) as process:
        process.communicate()
        assert process.returncode == -9
    for number in range(1, SHARDS + 1):
        if number != 7:
            shard(folder, number)
    return folder


def shard(folder: Path, number: int, *options: str) -> str:
    result = aurist(
        "features", "set", "--shard", f"{number}/{SHARDS}", *options, "-o", f"part-{number}", cwd=folder
    )
    return result.stdout + result.stderr


def test_a_killed_shard_is_refused_repeated_and_then_all_are_the_whole(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = [f"part-{number}" for number in range(SHARDS, 0, -1)]
    refused = aurist("merge", *parts, "-o", "merged.csv", cwd=made)
    assert refused.returncode == 1 and "part-7 is not finished: give its command again" in refused.stderr
    assert "written: part-7 (shard 7 of 16)" in shard(made, 7)
    result = aurist("merge", *parts, "-o", "merged.csv", cwd=made)
    assert result.returncode == 0, result.stderr
    assert "2 clips cannot be read" in result.stderr
    assert (made / "merged.csv").read_bytes() == (made / "whole.csv").read_bytes()
    monkeypatch.setattr(feature_tables, "PART", 3)
    merge_feature_shards([made / part for part in parts], made / "in parts.csv")
    assert (made / "in parts.csv").read_bytes() == (made / "whole.csv").read_bytes()
    table = pd.read_csv(made / "merged.csv")
    assert table[table.columns[-1]].isna().sum() == 2


def test_a_finished_shard_is_not_computed_again(made: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (made / "part-2").iterdir() if path.is_file()}
    assert "shard 2 of 16" in shard(made, 2)
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_gaps_repetitions_and_other_settings_are_listed(made: Path) -> None:
    shutil.copytree(made / "part-1", made / "again")
    other = aurist("features", "set", "--shard", "2/16", "--level", "keep", "-o", "other", cwd=made)
    assert other.returncode == 0, other.stderr
    result = aurist("merge", "part-1", "again", "other", "-o", "gaps.csv", cwd=made)
    assert result.returncode == 1
    for text in ("again: shard 1/16, as part-1", "other: of other clips or settings", "missing: 3/16"):
        assert text in result.stderr, result.stderr
    assert not (made / "gaps.csv").exists()


def test_a_folder_holds_one_shard(made: Path) -> None:
    result = aurist("features", "set", "--shard", "3/16", "-o", "part-2", cwd=made)
    assert result.returncode == 1
    assert "part-2 holds shard 2/16, and 3/16 is given now. Give each shard a folder" in result.stderr
    result = aurist("features", "set", "--shard", "21/21", "-o", "none", cwd=made)
    assert "shard is 21/21, but there are only 20 clips" in result.stderr
