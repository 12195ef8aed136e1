"""Networks through the real command line: recipes, augmentation, fits that are killed and go on."""

from __future__ import annotations

import json
import random
import signal
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
from safetensors.numpy import load_file

from ..command import aurist, done, start

RATE = 8000
RECIPE = """\
name = "tiny"

[front]
sample_rate = 8000
n_fft = 256
hop_length = 128
n_mels = 32

[window]
seconds = 0.5
hop = 0.25
pooling = ["mean", "max"]

[augment]
wave = [{ kind = "polarity" }]
spectrum = [{ kind = "time_shift", seconds = [-0.2, 0.2] }]
mixing = "mixup"

[network]
backbone = "test_resnet"
dropout = 0.1

[training]
lr = 5e-3
batch_size = 8
epochs = 24
top_k = 2
ema = 0.9
precision = "32"
"""

BOTH = """\
[[member]]
name = "Forest"
engine = "forest"
settings = {trees = 20}

[[member]]
name = "tiny"
engine = "network"
recipe = "short.toml"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty sounds of a second, of three plain classes, and a recipe."""
    folder = tmp_path_factory.mktemp("sounds")
    rng = np.random.default_rng(3)
    t = np.arange(RATE) / RATE
    for i in range(60):
        label = ("low", "high", "noise")[i % 3]
        (folder / "data" / label).mkdir(parents=True, exist_ok=True)
        y = 0.1 * rng.normal(size=RATE)
        if label != "noise":
            y += 0.3 * np.sin(2 * np.pi * (400 if label == "low" else 2000) * rng.uniform(0.8, 1.2) * t)
        sf.write(folder / "data" / label / f"{i}.wav", y, RATE)
    (folder / "tiny.toml").write_text(RECIPE, encoding="utf-8")
    return folder


def fit_command(output: str) -> list[str]:
    options = (
        "--engine",
        "networks",
        "--recipe",
        "tiny.toml",
        "--folds",
        "2",
        "--time-limit",
        "5m",
        "--jobs",
        "1",
    )
    return ["fit", "data", "-o", output, *options, "--cache-dir", "cache"]


@pytest.fixture(scope="module")
def whole(folder: Path) -> Path:
    """A fit that was left alone."""
    result = aurist(*fit_command("whole"), cwd=folder)
    assert result.returncode == 0, result.stderr
    return folder / "whole"


def weights(run: Path) -> dict[str, np.ndarray]:
    return {
        f"{path.relative_to(run)}:{name}": value
        for path in sorted(run.glob("models/tiny/fold*/**/*.safetensors"))
        for name, value in load_file(path).items()
    }


def test_a_fit_killed_twice_ends_as_one_that_was_left_alone(folder: Path, whole: Path) -> None:
    rng = random.Random()
    arguments: list[str] = fit_command("killed")
    for _ in range(2):
        process = start(*arguments, cwd=folder)
        deadline = time.monotonic() + 60
        while not list((folder / "killed").glob("models/**/progress.json")):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(rng.uniform(0.1, 2))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        arguments = ["resume", "killed"]
    resumed = aurist(*arguments, cwd=folder)
    assert resumed.returncode == 0, resumed.stderr
    first, second = weights(whole), weights(folder / "killed")
    assert first.keys() == second.keys() and len(first) > 10
    assert all(np.array_equal(first[name], second[name]) for name in first)
    boards = [aurist("leaderboard", run, "--json", cwd=folder).stdout for run in ("whole", "killed")]
    scores = [
        [(row["model"], row["score"], row["low"], row["high"]) for row in json.loads(board)["leaderboard"]]
        for board in boards
    ]
    assert scores[0] == scores[1] and scores[0][0][1] > 0.9


def test_networks_stand_on_the_leaderboard_with_their_size_and_speed(folder: Path, whole: Path) -> None:
    result = aurist("leaderboard", whole, cwd=folder)
    for column in ("params (M)", "train clips/s", "predict clips/s", "pooled by max", "one checkpoint"):
        assert column in result.stdout
    predicted = aurist("predict", whole, "data", "-o", "predicted.csv", cwd=folder)
    assert predicted.returncode == 0, predicted.stderr
    table = pd.read_csv(folder / "predicted.csv")
    truth = table.iloc[:, 0].astype(str).str.split("/").str[0]
    assert (table["label"] == truth).mean() > 0.9


def test_importance_shuffles_what_tables_see_while_networks_say_what_they_said(
    folder: Path, whole: Path
) -> None:
    """Of recordings with features of their own: one that helps a little, and one that is noise."""
    rng = np.random.default_rng(4)
    paths = sorted(path.relative_to(folder).as_posix() for path in (folder / "data").rglob("*.wav"))
    table = pd.DataFrame({"path": paths, "label": [Path(path).parent.name for path in paths]})
    table["pitch"] = (table["label"] == "high") + rng.normal(0, 0.3, len(table))
    table["odd"] = rng.normal(size=len(table))
    table.to_csv(folder / "sounds.csv", index=False)
    (folder / "short.toml").write_text(RECIPE.replace("epochs = 24", "epochs = 6"), encoding="utf-8")
    (folder / "both.toml").write_text(BOTH, encoding="utf-8")
    command = ("fit", "sounds.csv", "--features", "pitch,odd", "--plan", "both.toml", "-o", "both")
    done(*command, "--folds", "2", "--jobs", "1", "--cache-dir", "cache", cwd=folder)
    board = json.loads(aurist("leaderboard", "both", "--json", cwd=folder).stdout)["leaderboard"]
    assert {"Ensemble", "Forest", "tiny"} == {row["model"] for row in board}
    ensemble = json.loads((folder / "both" / "ensemble.json").read_text(encoding="utf-8"))
    assert ensemble["weights"]["Ensemble"][0].keys() == {"Forest", "tiny"}
    result = done("importance", "both", "--repeats", "2", "--json", cwd=folder)
    importances = {row["feature"]: row["importance"] for row in json.loads(result.stdout)}
    assert importances.keys() == {"pitch", "odd"} and importances["pitch"] > max(importances["odd"], 0)
    assert (folder / "both" / "importance.csv").exists()
    only = aurist("importance", whole, cwd=folder)
    assert only.returncode == 1 and "uses the sound and no features" in only.stderr


def test_a_recipe_that_cannot_be_is_refused_before_anything_is_made(folder: Path) -> None:
    for change, expected in [
        ("training.epoch=3", "Did you mean 'epochs'?"),
        ("network.backbone=resnet_18", "resnet18"),
        ("front.n_mels=8", "cannot use images"),
    ]:
        backbone = () if "backbone" in change else ("--set", "network.backbone=test_convnext")
        result = aurist(*fit_command("refused"), *backbone, "--set", change, cwd=folder)
        assert result.returncode == 1 and "Traceback" not in result.stderr
        assert expected in result.stderr
        assert not (folder / "refused").exists()


def test_recipes_are_listed_and_shown(folder: Path) -> None:
    listed = aurist("recipes", cwd=folder).stdout
    assert "mel-cnn" in listed and "rfcx-resnet50" in listed and "Rainforest" in listed
    shown = aurist("recipes", "mel-cnn", cwd=folder).stdout
    (folder / "mine.toml").write_text(shown, encoding="utf-8")
    both = [
        json.loads(aurist("recipes", name, "--json", cwd=folder).stdout) for name in ("mel-cnn", "mine.toml")
    ]
    assert both[0] == both[1]
    missing = aurist("recipes", "mel-cn", cwd=folder)
    assert missing.returncode == 1 and "Did you mean 'mel-cnn'?" in missing.stderr


def test_what_a_network_hears_is_written(folder: Path) -> None:
    result = aurist(
        *("augment", "data/low/0.wav", "--recipe", "tiny.toml", "-o", "heard", "--count", "2"),
        *("--cache-dir", "cache"),
        cwd=folder,
    )
    assert result.returncode == 0, result.stderr
    assert sorted(path.name for path in (folder / "heard").iterdir()) == [
        "heard-0.wav",
        "heard-1.wav",
        "heard-2.wav",
        "heard.png",
    ]
    y, rate = sf.read(folder / "heard" / "heard-0.wav")
    assert (rate, len(y)) == (RATE, RATE // 2)
    missing = aurist("augment", "none.wav", "--recipe", "tiny.toml", cwd=folder)
    assert missing.returncode == 1 and "none.wav" in missing.stderr and "Traceback" not in missing.stderr


def test_networks_learn_from_recordings_without_labels_too(folder: Path, tmp_path: Path) -> None:
    """Of another folder; the second round stands on the leaderboard and can predict."""
    more = tmp_path / "more"
    more.mkdir()
    for path in sorted((folder / "data").glob("*/*.wav"))[::4]:
        (more / f"{path.parent.name}_{path.name}").write_bytes(path.read_bytes())
    run = tmp_path / "run"
    fitted = aurist(
        *("fit", "data", "--engine", "networks", "--recipe", "tiny.toml", "--set", "training.epochs=12"),
        *("--folds", "2", "--time-limit", "4m", "--jobs", "1", "--unlabelled", more, "-o", run),
        *("--pseudo-threshold", "0.6"),
        cwd=folder,
    )
    assert fitted.returncode == 0, fitted.stderr
    assert "tiny+1" in fitted.stdout
    result = aurist("predict", run, more, "--model", "tiny+1", "-o", tmp_path / "said.csv", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    predictions = pd.read_csv(tmp_path / "said.csv")
    assert (
        predictions["label"] == [Path(path).name.split("_")[0] for path in predictions["path"]]
    ).mean() > 0.8
