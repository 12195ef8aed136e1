"""A data set is the same in every form: clips, folds, features and predictions as from files."""

from __future__ import annotations

import shutil
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aurist.archives import ArchiveError, exists, is_archive, open_archive, read_member, table_of, zips
from aurist.audio import UnreadableAudioError, probe, read
from aurist.clips.read import ReadOptions, read_clips
from aurist.errors import AuristError, DataError

from ..command import aurist_process
from .made import FORMS, dataset, record, to_parquet


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made") / "files"
    dataset(path)
    return path


@pytest.fixture(scope="module")
def archives(folder: Path) -> dict[str, Path]:
    pytest.importorskip("pyarrow")
    table = pd.read_csv(folder / "labels.csv")
    made = {}
    for form, write in FORMS.items():
        out = folder.parent / form
        out.mkdir()
        made[form] = write(folder, table, out)
    return made


@pytest.mark.parametrize("form", FORMS)
def test_clips_are_those_of_the_files(folder: Path, archives: dict[str, Path], form: str) -> None:
    plain = read_clips(folder)
    clips = read_clips(archives[form])
    assert clips.classes == plain.classes == ("noise", "tone")
    for column in ("labels", "group", "fold"):
        assert clips.table[column].astype(str).tolist() == plain.table[column].astype(str).tolist()
    for file, original in zip(clips.files(), plain.files(), strict=True):
        assert not file.is_file() and exists(file)
        assert read_member(file) == original.read_bytes()
        assert probe(file) == probe(original)
        assert np.array_equal(read(file, 4000, start=0.1)[0], read(original, 4000, start=0.1)[0])


@pytest.mark.parametrize("form", FORMS)
def test_a_fit_is_that_of_the_files(
    folder: Path, archives: dict[str, Path], form: str, tmp_path: Path
) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text('[[member]]\nname = "KernelRidge"\nengine = "kernel"\n')
    boards = {}
    for name, data in (("files", folder), (form, archives[form])):
        result = aurist_process("fit", data, "--plan", plan, "--folds", "2", "-o", tmp_path / name)
        assert result.returncode == 0, result.stderr
        boards[name] = pd.read_csv(tmp_path / name / "leaderboard.csv")[["model", "score", "low", "high"]]
        answers = tmp_path / f"{name}.csv"
        result = aurist_process("predict", tmp_path / name, data, "-o", answers)
        assert result.returncode == 0, result.stderr
        boards[f"{name} answers"] = pd.read_csv(answers)[["label", "noise", "tone"]]
    pd.testing.assert_frame_equal(boards[form], boards["files"])
    pd.testing.assert_frame_equal(boards[f"{form} answers"], boards["files answers"])


def test_folders_of_a_zip_are_classes(folder: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        for row in pd.read_csv(folder / "labels.csv").itertuples():
            file.write(folder / row.path, f"{row.label}/{Path(row.path).name}")
    clips = read_clips(tmp_path / "a.zip")
    assert clips.classes == ("noise", "tone") and len(clips) == 12
    with tarfile.open(tmp_path / "b.tar", "w") as tar:
        tar.add(folder / "audio", "one/two")
    assert read_clips(tmp_path / "b.tar", ReadOptions(label_from="{label}_{n}")).classes == ("clip",)


def test_names_of_shards_tell_the_parts(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    table = pd.read_csv(folder / "labels.csv")
    for part, rows in (("train", table[:8]), ("test", table[8:])):
        written = to_parquet(folder, rows.drop(columns="fold").assign(fold=""), tmp_path)
        written.rename(tmp_path / f"{part}-00000-of-00001.parquet.new")
    for path in tmp_path.glob("*.new"):
        path.rename(path.with_suffix(""))
    clips = read_clips(tmp_path, ReadOptions(fold="none"))
    assert sorted(clips.table["part"]) == ["test"] * 4 + ["train"] * 8


def test_a_broken_recording_inside_is_named_by_its_path(folder: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.write(folder / "audio" / "clip_00.wav", "dog/a.wav")
        file.writestr("dog/b.wav", b"no sound")
        file.writestr("cat/c.wav", b"")
    for name, problem in (
        ("b", "is not a sound file"),
        ("c", r"is empty \(0 bytes\)"),
        ("d", "does not exist"),
    ):
        inside = "cat" if name == "c" else "dog"
        with pytest.raises(UnreadableAudioError, match=rf"a\.zip/{inside}/{name}\.wav {problem}"):
            probe(tmp_path / "a.zip" / inside / f"{name}.wav")
    result = aurist_process("check", tmp_path / "a.zip")
    assert "dog/b.wav" in result.stdout + result.stderr and "Traceback" not in result.stderr


def test_what_cannot_be_read_in_place_is_explained(folder: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w:gz") as tar:
        tar.add(folder / "audio", "dog")
    with pytest.raises(ArchiveError, match=r"a\.tar is compressed.*gunzip"):
        read_clips(tmp_path / "a.tar")
    (tmp_path / "b.zip").write_bytes(b"PK\3\4 and no more")
    with pytest.raises(ArchiveError, match=r"b\.zip is damaged"):
        read_clips(tmp_path / "b.zip")
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as file:
        file.writestr("readme.md", "hello")
    with pytest.raises(DataError, match=r"c\.zip holds no recordings"):
        read_clips(tmp_path / "c.zip")
    (tmp_path / "d.tfrec").write_bytes(record({"image": b"\x89PNG", "label": 3}))
    with pytest.raises(ArchiveError, match="none of image, label begins like WAV"):
        read_clips(tmp_path / "d.tfrec")


def test_a_member_too_large_for_memory_is_refused(
    folder: Path, archives: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zips, "LARGEST", 1000)
    with pytest.raises(ArchiveError, match=r"clip_00\.wav has 0\.0 GB unpacked, too much for memory"):
        read_member(archives["zip"] / "set" / "audio" / "clip_00.wav")


def test_archives_are_known_by_their_content(folder: Path, archives: dict[str, Path], tmp_path: Path) -> None:
    assert all(is_archive(path) for form, path in archives.items() if form != "webdataset")
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "t.parquet")
    assert not is_archive(tmp_path / "t.parquet") and not is_archive(tmp_path)
    (tmp_path / "u.parquet").write_bytes(b"PAR1")
    assert not is_archive(tmp_path / "u.parquet")


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damaged_archives_are_refused_or_read(
    folder: Path, archives: dict[str, Path], tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    form = data.draw(st.sampled_from(["zip", "tfrecord", "parquet", "webdataset"]))
    source = archives[form] if archives[form].is_file() else archives[form] / "shard-000.tar"
    path = tmp_path_factory.mktemp("cut") / source.name
    shutil.copy(source, path)
    content = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        content = content[:at]
    else:
        content[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    try:
        table_of(path)
        for name in open_archive(path).names:
            read_member(path / name)
    except AuristError:
        pass


@pytest.mark.parametrize("form", ["zip", "webdataset"])
def test_recordings_in_archives_are_scanned_window_by_window(
    folder: Path, archives: dict[str, Path], form: str, tmp_path: Path
) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text('[[member]]\nname = "KernelRidge"\nengine = "kernel"\n')
    assert (
        aurist_process("fit", folder, "--plan", plan, "--folds", "2", "-o", tmp_path / "run").returncode == 0
    )
    tables = []
    for name, data in (("files", folder), (form, archives[form])):
        for _ in range(2):  # the second call finds its scores
            result = aurist_process(
                *(
                    "predict",
                    tmp_path / "run",
                    data,
                    "--window",
                    "0.25",
                    "--format",
                    "windows",
                    "-o",
                    tmp_path / name,
                )
            )
            assert result.returncode == 0, result.stderr
        tables.append(pd.read_csv(tmp_path / name / "windows.csv").drop(columns="path"))
    pd.testing.assert_frame_equal(*tables)
    assert len((tmp_path / form / "journal.jsonl").read_text().splitlines()) == 24  # begun and ended once
