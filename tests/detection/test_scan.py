"""Long recordings by the real command line: what is found, what is written, what a kill leaves."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from aurist.annotations import CutOptions, make_annotations, read_annotations, to_clips
from aurist.automl.fit import fit
from aurist.clips import make_clips
from aurist.clips.read import read_clips
from aurist.config import FitConfig
from aurist.detection.scan import WindowOptions, listen, recordings_of
from aurist.detection.window_model import WindowModel
from aurist.errors import ConfigError, DataError
from aurist.events import Grid
from aurist.features import windows
from aurist.features.windows import WindowSettings, read_block
from aurist.inference.predictor import Predictor
from aurist.models.base import Inputs
from aurist.run import files_of_run, open_run

from ..command import aurist as aurist_command
from ..command import start

pytest.importorskip("timm")

RATE = 8000
HZ = {"low": 400, "high": 2200}
RECIPE = """\
name = "tiny"
[front]
sample_rate = 8000
n_fft = 256
hop_length = 128
n_mels = 32
[window]
seconds = 1.0
[network]
backbone = "test_resnet"
[training]
lr = 5e-3
batch_size = 8
epochs = 10
precision = "32"
"""
PLAN = """\
[[member]]
name = "ExtraTrees"
engine = "forest"
settings = {trees = 60}

[[member]]
name = "tiny"
engine = "network"
recipe = "RECIPE"
"""
Calls = list[tuple[float, float, str]]


def night(seconds: float, seed: int) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], Calls]:
    """A low and a high call in turn, every six seconds, in a little noise."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * RATE)) / RATE
    y = 0.02 * rng.normal(size=len(t))
    calls: Calls = []
    for number in range(int(seconds // 6)):
        kind = ("low", "high")[int(rng.integers(2))]
        start = 6 * number + rng.uniform(0.2, 1.0)
        end = start + rng.uniform(1.2, 2.0)
        i, j = round(start * RATE), round(end * RATE)
        y[i:j] += 0.2 * np.sin(2 * np.pi * HZ[kind] * t[i:j])
        calls.append((start, end, kind))
    return y, calls


def fit_scanner(folder: Path) -> None:
    """Fit a forest and a network on windows of two seconds."""
    rows, durations = [], {}
    for i in range(12):
        y, calls = night(20, i)
        soundfile.write(folder / f"{i}.wav", y, RATE)
        durations[f"{i}.wav"] = 20.0
        rows += [{"path": f"{i}.wav", "start": a, "end": b, "label": kind} for a, b, kind in calls]
    (folder / "tiny.toml").write_text(RECIPE)
    clips = to_clips(make_annotations(rows, "here", root=folder), durations, CutOptions(window=2))
    (folder / "plan.toml").write_text(PLAN.replace("RECIPE", (folder / "tiny.toml").as_posix()))
    config = FitConfig(plan=str(folder / "plan.toml"), metric="lwlrap", folds=2, jobs=1)
    fit(clips, folder / "run", config, cache_dir=folder / "cache")


@pytest.fixture(scope="module")
def run(built_once: Callable[[str, Callable[[Path], object]], Path]) -> Path:
    return built_once("scanner", fit_scanner) / "run"


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Calls]:
    """New recordings: one of some minutes, and all that can be wrong with one."""
    folder = tmp_path_factory.mktemp("field") / "recordings"
    (folder / "site").mkdir(parents=True)
    y, calls = night(400, 99)
    soundfile.write(folder / "site" / "night.flac", y, RATE)
    whole = (folder / "site" / "night.flac").read_bytes()
    (folder / "cut.flac").write_bytes(whole[: len(whole) // 3])
    (folder / "empty.wav").write_bytes(b"")
    (folder / "bad.flac").write_bytes(b"fLaC" + bytes(range(200)))
    soundfile.write(folder / "silent.wav", np.zeros(9 * RATE), RATE)
    soundfile.write(folder / "short.wav", y[: RATE // 2], RATE)
    soundfile.write(folder / "odd.wav", np.stack([0 * y[:88217], y[:88217]], axis=1), 11027)
    return folder, calls


def predict(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return aurist_command("predict", *arguments, cwd=cwd)


@pytest.fixture(scope="module")
def detected(run: Path, field: tuple[Path, Calls]) -> tuple[Path, subprocess.CompletedProcess[str]]:
    cwd = field[0].parent
    forms = ["--format", "csv,raven,audacity", "--format", "jsonl,windows"]
    return cwd / "detections", predict(run, "recordings", "--jobs", "2", *forms, cwd=cwd)


def test_calls_are_found_where_they_are(
    run: Path, detected: tuple[Path, subprocess.CompletedProcess[str]], field: tuple[Path, Calls]
) -> None:
    events = pd.read_csv(detected[0] / "events.csv")
    own = events[events["path"] == "site/night.flac"]
    hits = 0
    for begin, end, kind in field[1]:
        near = own[own["label"] == kind]
        shared = near["end"].clip(upper=end) - near["start"].clip(lower=begin)
        joined = near["end"].clip(lower=end) - near["start"].clip(upper=begin)
        hits += bool((shared / joined >= 0.3).any())
    assert hits >= 0.9 * len(field[1])
    assert len(own) <= 1.05 * len(field[1])
    bars = json.loads((run / "thresholds.json").read_text())["Ensemble"]
    assert (own["score"] >= own["label"].map(bars) - 1e-5).all() and own["score"].max() <= 1
    assert (events["path"] != "silent.wav").all()


def test_what_cannot_be_heard_is_listed_and_passed_over(
    detected: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder, done = detected
    assert done.returncode == 1
    assert "2 recordings cannot be read" in done.stderr
    assert "empty.wav is empty (0 bytes)" in done.stderr and "bad.flac cannot be decoded" in done.stderr
    assert "cut.flac ends after" in done.stderr and "though its header says 400.0 s" in done.stderr
    table = pd.read_csv(folder / "windows.csv")
    counts = table["path"].value_counts()
    assert counts["site/night.flac"] == 399 and counts["silent.wav"] == 8 and counts["short.wav"] == 1
    assert 20 < counts["cut.flac"] < 200
    # samples at an odd rate: 88,217 of them are just over eight seconds, whatever is on the other channel
    assert counts["odd.wav"] == 7
    assert not list((folder.parent / "cache").rglob("*.i16")), "long recordings are not stored"


def test_what_is_written_reads_back(detected: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, _ = detected
    events = read_annotations(folder / "events.csv", audio_root=folder.parent / "recordings").table
    for name in ("events.jsonl", "events.selections.txt"):
        back = read_annotations(folder / name, audio_root=folder.parent / "recordings").table
        assert back[["path", "label"]].equals(events[["path", "label"]])
        assert np.allclose(back[["start", "end", "score"]], events[["start", "end", "score"]], atol=1e-5)
    track = read_annotations(
        folder / "audacity" / "site" / "night.flac.txt", audio_root=folder.parent / "recordings"
    )
    assert len(track) == (events["path"] == "site/night.flac").sum() > 0


def test_other_tables_of_the_same_scores_cost_nothing(
    run: Path, detected: tuple[Path, subprocess.CompletedProcess[str]]
) -> None:
    folder, _ = detected
    journal = (folder / "journal.jsonl").read_bytes()
    (folder.parent / "species.txt").write_text("low\n")
    done = predict(run, "recordings", "--min-score", "0.9", "--labels", "species.txt", cwd=folder.parent)
    assert done.returncode == 1
    again = pd.read_csv(folder / "events.csv")
    assert set(again["label"]) == {"low"} and again["score"].min() >= 0.9
    assert (folder / "journal.jsonl").read_bytes() == journal
    refused = predict(run, "recordings", "--overlap", "0", "--model", "tiny", cwd=folder.parent)
    assert refused.returncode == 1
    assert "3 settings differ" in refused.stderr and "overlap: 1.0 in the folder, 0.0 now" in refused.stderr
    strange = predict(run, "recordings", "-o", run, cwd=folder.parent)
    assert "is no folder of detections" in strange.stderr


def test_a_killed_prediction_ends_as_one_that_was_left_alone(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nine blocks of 50 s: shorter than usual, so that there are several of them in little time."""
    y, _ = night(400, 5)
    soundfile.write(tmp_path / "long.flac", y, RATE)
    soundfile.write(tmp_path / "second.flac", y[: 50 * RATE], RATE)
    monkeypatch.setattr(windows, "_SECONDS", 50.0)
    command = ("predict", run, "long.flac", "second.flac", "--jobs", 1, "--overlap", 0)
    command += ("--format", "csv,windows,raven,jsonl,audacity")
    short_blocks = "from aurist.features import windows; windows._SECONDS = 50.0"
    process = start(*command, "-o", "killed", cwd=tmp_path, before=short_blocks)
    deadline = time.monotonic() + 120
    journal = tmp_path / "killed" / "journal.jsonl"
    while not journal.exists() or journal.read_text().count('"event": "block"') < 2:
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    blocks = {path: path.stat().st_mtime_ns for path in (tmp_path / "killed" / "scores").rglob("0*.npz")}
    assert 2 <= len(blocks) < 9
    with journal.open("a") as torn:
        torn.write('{"event": "blo')
    for name in ("killed", "whole"):
        ended = aurist_command(*command, "-o", name, cwd=tmp_path)
        assert ended.returncode == 0, ended.stderr
    named = [
        line for line in map(json.loads, journal.read_text().splitlines()[:3]) if line["event"] == "block"
    ]
    done_before = [path for path in blocks if int(path.stem) in {line["block"] for line in named}]
    assert all(path.stat().st_mtime_ns == blocks[path] for path in done_before)
    files = [
        path for path in sorted((tmp_path / "whole").rglob("*")) if path.is_file() and path.name != ".lock"
    ]
    assert len(files) > 10
    for path in files:
        if path != tmp_path / "whole" / "journal.jsonl":
            assert (
                path.read_bytes() == (tmp_path / "killed" / path.relative_to(tmp_path / "whole")).read_bytes()
            )


def test_networks_hear_in_memory_what_they_hear_in_the_store(run: Path, tmp_path: Path) -> None:
    """A clip of two seconds is three windows of this network, pooled as the run does."""
    y, _ = night(12, 3)
    soundfile.write(tmp_path / "a.wav", y, RATE)
    opened = open_run(run)
    block = read_block(tmp_path / "a.wav", 0, WindowSettings(Grid(2.0, 1.0), (RATE,)))
    clips = make_clips(
        [()] * 11,
        paths=[str(tmp_path / "a.wav")] * 11,
        starts=block.starts.tolist(),
        ends=block.ends.tolist(),
    )
    model = WindowModel(files_of_run(opened), "tiny", 1)
    assert model.rates == (RATE,)
    stored = Inputs(pd.DataFrame(index=range(11)), clips, tmp_path / "cache")
    assert np.allclose(
        model.score(block)[0], Predictor(files_of_run(opened), "tiny").models.proba(stored), atol=1e-3
    )


def test_features_are_computed_only_for_models_that_look_at_them(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    soundfile.write(tmp_path / "a.wav", night(12, 3)[0], RATE)
    recordings = recordings_of(read_clips(tmp_path / "a.wav", labelled=False))

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("features were computed")

    monkeypatch.setattr("aurist.inference.features.summary_of_waves", refuse)
    opened = open_run(run)
    scanned = listen(
        files_of_run(opened), recordings, tmp_path / "net", WindowOptions(), model="tiny", progress=False
    )
    assert len(scanned.detections.scores(recordings[0]).proba) == 11
    with pytest.raises(AssertionError, match="features were computed"):
        listen(
            files_of_run(opened),
            recordings,
            tmp_path / "forest",
            WindowOptions(),
            model="ExtraTrees",
            progress=False,
        )


def test_a_recording_that_has_changed_is_heard_again(run: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    opened = open_run(run)
    for seconds in (10, 20):
        soundfile.write(path, night(seconds, 3)[0], RATE)
        recordings = recordings_of(read_clips(path, labelled=False))
        scanned = listen(
            files_of_run(opened),
            recordings,
            tmp_path / "out",
            WindowOptions(overlap=0),
            model="tiny",
            progress=False,
        )
        assert scanned.detections.scores(recordings[0]).ends[-1] == seconds


def test_the_window_comes_from_the_run_or_is_asked_for(run: Path) -> None:
    assert open_run(run).window() == 2.0
    assert WindowOptions().grid(2.0) == Grid(2.0, 1.0)
    assert WindowOptions(3.0, 0.5).grid(2.0) == Grid(3.0, 0.5)
    with pytest.raises(ConfigError, match="window="):
        WindowOptions().grid(None)


def test_a_run_of_a_table_cannot_listen(run: Path) -> None:
    files = files_of_run(open_run(run))
    table = replace(files, spec=replace(files.spec, summary=None))
    with pytest.raises(DataError, match="fitted on a table of features and cannot predict recordings"):
        WindowModel(table, "ExtraTrees", 1)


def test_short_clips_are_predicted_whole_where_that_is_asked_for(
    run: Path, field: tuple[Path, Calls]
) -> None:
    cwd = field[0].parent
    done = predict(run, "recordings/silent.wav", "--window", "0", cwd=cwd)
    assert done.returncode == 0 and done.stdout.startswith("path,label,likeness,high,low\n")
    refused = predict(run, "recordings/silent.wav", "--window", "0", "--overlap", "1", cwd=cwd)
    assert (
        refused.returncode == 1
        and "--overlap: only for recordings that are scanned window by window" in refused.stderr
    )
    folder = predict(run, "recordings/silent.wav", "-o", "labels.csv", cwd=cwd)
    assert folder.returncode == 1 and "written to a folder" in folder.stderr
    unknown = predict(run, "recordings/silent.wav", "--labels", "lwo,high,x", "-o", "none", cwd=cwd)
    assert unknown.returncode == 1 and "2 labels that the run does not know" in unknown.stderr
    assert "lwo, perhaps low" in unknown.stderr and not (cwd / "none").exists()
