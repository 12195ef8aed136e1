"""Shards hold the clips they were written from, and are finished after a kill."""

from __future__ import annotations

import json
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from aurist import shards
from aurist.archives import read_member
from aurist.audio import read
from aurist.clips.read import read_clips
from aurist.errors import ConfigError, DataError, RunError
from aurist.shards import write_shards

from .archives.made import dataset
from .command import aurist_process


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made") / "files"
    dataset(path)
    return path


def test_the_command_writes_what_reads_back_equal(folder: Path, tmp_path: Path) -> None:
    result = aurist_process("shards", folder, "--clips", "5", "-o", tmp_path / "shards", "--json")
    assert result.returncode == 0, result.stderr
    assert len(json.loads(result.stdout)["shards"]) == 3
    plain, clips = read_clips(folder), read_clips(tmp_path / "shards")
    assert clips.table["labels"].tolist() == plain.table["labels"].tolist()
    assert clips.table["group"].tolist() == plain.table["group"].tolist()
    assert clips.table["fold"].astype(str).tolist() == plain.table["fold"].astype(str).tolist()
    for file, original in zip(clips.files(), plain.files(), strict=True):
        assert read_member(file) == original.read_bytes()
        assert file.name == original.name


def test_parts_of_files_and_other_rates_are_decoded(folder: Path, tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            "path": ["audio/clip_00.wav", "audio/clip_00.wav"],
            "start": [0.0, 0.25],
            "end": [0.25, 0.5],
            "label": ["a", "b"],
        }
    )
    table.to_csv(folder / "parts.csv", index=False)
    clips = read_clips(folder / "parts.csv")
    write_shards(clips, tmp_path / "same")
    back = read_clips(tmp_path / "same")
    for file, (start, end) in zip(back.files(), ((0.0, 0.25), (0.25, 0.5)), strict=True):
        y, rate = read(folder / "audio" / "clip_00.wav", start=start, end=end)
        assert rate == 8000 and np.array_equal(read(file)[0], y)
    write_shards(clips, tmp_path / "slow", sample_rate=4000)
    assert read(read_clips(tmp_path / "slow").files()[1])[1] == 4000


def test_an_interrupted_command_continues(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips, original, written = read_clips(folder), shards._write_shard, []

    def killed(*arguments: object) -> None:
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(original(*arguments))  # type: ignore[arg-type]

    monkeypatch.setattr(shards, "_write_shard", killed)
    with pytest.raises(KeyboardInterrupt):
        write_shards(clips, tmp_path / "a", clips_per_shard=4)
    monkeypatch.undo()
    assert sorted(path.name for path in (tmp_path / "a").glob("*.tar")) == [
        "shard-00000.tar",
        "shard-00001.tar",
    ]
    before = (tmp_path / "a" / "shard-00000.tar").stat().st_mtime_ns
    write_shards(clips, tmp_path / "a", clips_per_shard=4)
    write_shards(clips, tmp_path / "whole", clips_per_shard=4)
    assert (tmp_path / "a" / "shard-00000.tar").stat().st_mtime_ns == before
    for path in sorted((tmp_path / "whole").glob("*.tar")):
        assert path.read_bytes() == (tmp_path / "a" / path.name).read_bytes()
    assert (tmp_path / "a" / "manifest.jsonl").read_text() == (
        tmp_path / "whole" / "manifest.jsonl"
    ).read_text()


def test_other_settings_missing_files_and_features_are_refused(folder: Path, tmp_path: Path) -> None:
    clips = read_clips(folder)
    write_shards(clips, tmp_path / "a")
    with pytest.raises(ConfigError, match="clips_per_shard: 1000 in the folder, 7 now"):
        write_shards(clips, tmp_path / "a", clips_per_shard=7)
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (copy / "audio" / "clip_01.flac").unlink()
    with pytest.raises(DataError, match=r"1 recording cannot be found.*\n.*clip_01\.flac"):
        write_shards(read_clips(copy / "labels.csv"), tmp_path / "b")
    with pytest.raises(DataError, match="a table of features"):
        write_shards(read_clips(pd.DataFrame({"x": [1.0, 2.0], "label": ["a", "b"]})), tmp_path / "c")


def test_a_damaged_line_of_the_manifest_is_named(folder: Path, tmp_path: Path) -> None:
    clips = read_clips(folder)
    write_shards(clips, tmp_path / "a")
    (tmp_path / "a" / "manifest.jsonl").write_text('{"clips": 3}\n')
    with pytest.raises(RunError, match=r"manifest\.jsonl is damaged, or was changed: there is no .*shard"):
        write_shards(clips, tmp_path / "a")


def test_several_labels_and_names_that_repeat(tmp_path: Path) -> None:
    for place in ("one", "two"):
        (tmp_path / place).mkdir()
        soundfile.write(tmp_path / place / "a.b.wav", np.zeros(800), 8000)
    table = pd.DataFrame({"path": ["one/a.b.wav", "two/a.b.wav"], "label": ["dog;cat", "cat"]})
    table.to_csv(tmp_path / "labels.csv", index=False)
    write_shards(read_clips(tmp_path / "labels.csv"), tmp_path / "out")
    clips = read_clips(tmp_path / "out")
    assert clips.multilabel and [set(labels) for labels in clips.table["labels"]] == [{"cat", "dog"}, {"cat"}]
    with tarfile.open(tmp_path / "out" / "shard-00000.tar") as tar:
        assert tar.getnames()[0] == "00000000_a_b.wav"
