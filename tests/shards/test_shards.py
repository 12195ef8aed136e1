"""Shards hold the clips they were written from, and are finished after a kill."""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from aurist.archives import read_member
from aurist.audio import read
from aurist.clips.read import read_clips
from aurist.errors import ConfigError, DataError, RunError
from aurist.shards import FORMATS, write, write_shards
from aurist.shards.example import Example
from aurist.shards.tfrecord import record

from ..archives.made import dataset
from ..archives.made import record as record_by_definition
from ..command import aurist_process


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made") / "files"
    dataset(path)
    return path


@pytest.mark.parametrize("form", FORMATS)
def test_the_command_writes_what_reads_back_equal(folder: Path, tmp_path: Path, form: str) -> None:
    command = ["shards", folder, "--format", form, "--clips", "5", "-o", tmp_path / "shards", "--json"]
    result = aurist_process(*command)
    assert result.returncode == 0, result.stderr
    assert len(json.loads(result.stdout)["shards"]) == 3
    plain, clips = read_clips(folder), read_clips(tmp_path / "shards")
    assert clips.classes == plain.classes and clips.multilabel == plain.multilabel
    assert clips.table["clip_id"].tolist() == plain.table["clip_id"].tolist()
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
    clips, original, written = read_clips(folder), write.examples, []

    def killed(*arguments: object) -> Iterator[Example]:
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(arguments)
        return original(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(write, "examples", killed)
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


@pytest.mark.parametrize("form", FORMATS)
def test_several_labels_and_names_that_repeat(tmp_path: Path, form: str) -> None:
    for place in ("one", "two"):
        (tmp_path / place).mkdir()
        soundfile.write(tmp_path / place / "a.b.wav", np.zeros(800), 8000)
    table = pd.DataFrame({"path": ["one/a.b.wav", "two/a.b.wav"], "label": ["dog;cat", "cat"]})
    table.to_csv(tmp_path / "labels.csv", index=False)
    write_shards(read_clips(tmp_path / "labels.csv"), tmp_path / "out", form=form)
    clips = read_clips(tmp_path / "out")
    assert clips.multilabel and [set(labels) for labels in clips.table["labels"]] == [{"cat", "dog"}, {"cat"}]
    assert [file.name for file in clips.files()] == ["00000000_a_b.wav", "00000001_a_b.wav"]


def test_a_tar_begins_each_example_with_its_recording(folder: Path, tmp_path: Path) -> None:
    write_shards(read_clips(folder), tmp_path / "out")
    with tarfile.open(tmp_path / "out" / "shard-00000.tar") as tar:
        assert tar.getnames()[:3] == ["clip_00.wav", "clip_00.json", "clip_01.flac"]


def test_a_record_is_that_of_the_definition_with_checksums() -> None:
    fields = {"audio": b"RIFF" * 100, "label": "한글".encode()}
    written, expected = record(fields), record_by_definition({**fields})
    assert written[:8] == expected[:8] and written[12:-4] == expected[12:-4]
    assert written[8:12] != expected[8:12] and written[-4:] != expected[-4:]


def test_parquet_holds_what_the_library_datasets_expects(folder: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    write_shards(read_clips(folder), tmp_path / "out", form="parquet")
    table = parquet.read_table(tmp_path / "out" / "shard-00000.parquet")
    features = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]
    assert features["audio"] == {"_type": "Audio"}
    assert features["label"] == {"names": ["noise", "tone"], "_type": "ClassLabel"}
    first = table.slice(0, 1).to_pylist()[0]
    assert first["audio"] == {
        "bytes": (folder / "audio" / "clip_00.wav").read_bytes(),
        "path": "clip_00.wav",
    }
    assert (first["label"], first["group"], first["fold"]) == (1, "g0", "0")


@pytest.mark.parametrize("form", FORMATS)
def test_clips_without_labels(folder: Path, tmp_path: Path, form: str) -> None:
    clips = read_clips(folder / "audio", labelled=False)
    write_shards(clips, tmp_path / "out", form=form)
    back = read_clips(tmp_path / "out", labelled=False)
    assert not back.labelled and back.table["clip_id"].tolist() == clips.table["clip_id"].tolist()


def results_of(data: Path, folder: Path) -> list[pd.DataFrame]:
    """Return features, folds, scores and predictions of a fit, by the commands."""
    folder.mkdir()
    (folder / "plan.toml").write_text('[[member]]\nname = "KernelRidge"\nengine = "kernel"\n')
    for command in (
        ["features", data, "-o", folder / "features.csv"],
        ["fit", data, "--plan", folder / "plan.toml", "--folds", "2", "-o", folder / "run"],
        ["predict", folder / "run", data, "-o", folder / "predictions.csv"],
    ):
        result = aurist_process(*command)
        assert result.returncode == 0, result.stderr
    return [
        pd.read_csv(folder / "features.csv").drop(columns="path"),
        pd.read_parquet(folder / "run" / "folds.parquet"),
        pd.read_csv(folder / "run" / "leaderboard.csv")[["model", "score", "low", "high"]],
        pd.read_csv(folder / "predictions.csv").drop(columns="path"),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("prescribed", [True, False], ids=["folds of the data", "own folds"])
def test_features_folds_and_predictions_are_those_of_the_files(
    folder: Path, tmp_path: Path, prescribed: bool
) -> None:
    table = pd.read_csv(folder / "labels.csv")
    labels = folder / f"labels_{prescribed}.csv"
    (table if prescribed else table.drop(columns="fold")).to_csv(labels, index=False)
    expected = results_of(labels, tmp_path / "of_files")
    assert expected[1]["fold"].nunique() == 2
    for form in FORMATS:
        write_shards(read_clips(labels), tmp_path / form, clips_per_shard=5, form=form)
        for one, other in zip(expected, results_of(tmp_path / form, tmp_path / f"of_{form}"), strict=True):
            pd.testing.assert_frame_equal(one, other)


def test_an_unknown_format_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match="format is 'zip', but must be one of: webdataset, tfrecord, parquet"
    ):
        write_shards(read_clips(folder), tmp_path / "out", form="zip")
