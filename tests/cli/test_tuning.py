"""`aurist tune` through the real command line: honest, killed, shared, refused."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from ..command import aurist, start

pytest.importorskip("optuna")

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
hop = 0.5

[network]
backbone = "test_resnet"

[training]
lr = 1e-6
batch_size = 8
epochs = 6
keep = "last"
precision = "32"

[search]
"training.lr" = { low = 1e-6, high = 2e-2, log = true }
"""


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 120
    while not path.exists():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty sounds of three plain classes with a recipe that cannot learn as it is; and a table of features."""
    folder = tmp_path_factory.mktemp("tune")
    rng = np.random.default_rng(3)
    t = np.arange(RATE // 2) / RATE
    for i in range(60):
        label = ("low", "high", "noise")[i % 3]
        (folder / "data" / label).mkdir(parents=True, exist_ok=True)
        y = 0.1 * rng.normal(size=len(t))
        if label != "noise":
            y += 0.3 * np.sin(2 * np.pi * (400 if label == "low" else 2000) * rng.uniform(0.8, 1.2) * t)
        sf.write(folder / "data" / label / f"{i}.wav", y, RATE)
    (folder / "tiny.toml").write_text(RECIPE, encoding="utf-8")
    kind = rng.integers(0, 2, 200)
    table = pd.DataFrame(rng.normal(size=(200, 3)), columns=["a", "b", "c"])
    table["a"] += 1.5 * kind
    table["label"] = np.array(["x", "y"])[kind]
    table.to_csv(folder / "table.csv", index=False)
    return folder


def tables(output: str, trials: int, *more: object) -> tuple[object, ...]:
    command = ("tune", "table.csv", "--label", "label", "--recipe", "LightGBM", "-o", output)
    return (*command, "--folds", 2, "--jobs", 1, "--cache-dir", "cache", "--trials", trials, *more)


def test_better_settings_are_found_and_proved_and_fit_takes_them(folder: Path) -> None:
    command = ("tune", "data", "--recipe", "tiny.toml", "-o", "study", "--folds", 2, "--jobs", 1)
    result = aurist(*command, "--cache-dir", "cache", "--trials", 3, "--json", cwd=folder)
    assert result.returncode == 0, result.stderr
    summary: dict[str, Any] = json.loads(result.stdout)
    assert summary["trials"][0]["training.lr"] == 1e-6 and summary["best"]["settings"]["training.lr"] > 1e-3
    held = summary["comparison"]
    assert held["clips"] == 12 and held["tuned"]["score"] > held["as it was"]["score"]
    assert held["difference"]["low"] > 0
    trials = pd.read_csv(folder / "study" / "trials.csv")
    assert list(trials.columns) == ["number", "state", "score", "folds", "seconds", "training.lr", "why"]
    # what is held out stands nowhere in what the trials said
    predictions = pd.concat(
        map(pd.read_parquet, (folder / "study").glob("trials/*/fold*/predictions.parquet"))
    )
    assert predictions["clip_id"].nunique() == 48

    shown = aurist(*command, "--cache-dir", "cache", "--trials", 3, cwd=folder)
    assert shown.returncode == 0 and "trial 3" not in shown.stderr, "what is done is not done again"
    words = " ".join(shown.stdout.split())
    assert "not to be quoted" in words and "resamples: really better." in words
    fitted = aurist(
        *("fit", "data", "--engine", "networks", "--recipe", "study/best.toml", "-o", "run"),
        *("--folds", 2, "--jobs", 1, "--cache-dir", "cache", "--time-limit", "3m"),
        cwd=folder,
    )
    assert fitted.returncode == 0, fitted.stderr
    assert "tiny-tuned" in fitted.stdout
    # four fifths of the clips are those that no other setting scored so well on
    sentence = "the settings of tiny-tuned were the best of 3 trials"
    assert sentence in " ".join(fitted.stdout.split()) and "about 80% of the clips" in fitted.stdout
    (tuned,) = json.loads((folder / "run" / "scores.json").read_text())["tuned"]
    assert (tuned["model"], tuned["trials"], tuned["share"]) == ("tiny-tuned", 3, 0.8)

    other = aurist(*command, "--set", "training.epochs=9", cwd=folder)
    assert other.returncode == 1 and "has a study of something else: tuned differs" in other.stderr


def test_a_search_that_was_killed_goes_on_where_it_was(folder: Path) -> None:
    trials_folder = folder / "killed" / "trials"
    process = start(*tables("killed", 3), cwd=folder)
    wait_for(trials_folder / "trial0" / "fold0" / "unit.json", process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    finished = next(trials_folder.glob("*/fold0/unit.json")).stat().st_mtime_ns
    result = aurist(*tables("killed", 3), cwd=folder)
    assert result.returncode == 0, result.stderr
    trials = pd.read_csv(folder / "killed" / "trials.csv")
    assert trials["state"].tolist().count("interrupted") == 1 and trials["state"].iloc[0] == "interrupted"
    assert trials["state"].isin(["complete", "pruned"]).sum() == 3
    assert finished in [path.stat().st_mtime_ns for path in trials_folder.glob("*/fold0/unit.json")]
    assert "no trial used" in " ".join(result.stdout.split())
    assert (folder / "killed" / "comparison.json").exists()


def test_two_commands_at_once_share_the_trials(folder: Path) -> None:
    both = [start(*tables("shared", 4), cwd=folder) for _ in range(2)]
    errors = [process.communicate(timeout=280)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], errors
    trials = pd.read_csv(folder / "shared" / "trials.csv")
    assert trials["number"].tolist() == list(range(4))
    assert trials["state"].isin(["complete", "pruned"]).all()
    for number in range(4):
        # each was tried by one of the two
        assert sum(f"trial {number}: " in text or f"trial {number} (" in text for text in errors) == 1
    settings = trials.drop(columns=["number", "state", "score", "folds", "seconds", "why"]).iloc[1:]
    assert not settings.duplicated().any()


def test_a_search_keeps_to_its_time_and_goes_on_in_another_database(folder: Path) -> None:
    url = f"sqlite:///{folder / 'other.db'}"
    result = aurist(*tables("timed", 500, "--storage", url, "--time-limit", "15s"), cwd=folder)
    assert result.returncode == 0, result.stderr
    assert "the time is over" in result.stderr and "there is time for about" in result.stderr
    assert (folder / "other.db").exists() and not (folder / "timed" / "study.db").exists()
    begun = len(pd.read_csv(folder / "timed" / "trials.csv"))
    again = aurist(*tables("timed", begun + 1, "--storage", url), cwd=folder)
    assert again.returncode == 0, again.stderr
    forgotten = aurist(*tables("timed", begun + 1), cwd=folder)
    assert forgotten.returncode == 1 and "storage differs" in forgotten.stderr


def test_of_labels_without_sense_the_comparison_says_chance_whatever_the_winner_scored(folder: Path) -> None:
    table = pd.read_csv(folder / "table.csv")
    table["label"] = table["label"].sample(frac=1, random_state=1).to_numpy()
    table.to_csv(folder / "shuffled.csv", index=False)
    command = ("tune", "shuffled.csv", "--label", "label", "--recipe", "LightGBM", "-o", "shuffled", "--json")
    more = ("--folds", 2, "--jobs", 1, "--cache-dir", "cache", "--trials", 6, "--pruner", "none")
    result = aurist(*command, *more, "--holdout", 0.4, cwd=folder)
    assert result.returncode == 0, result.stderr
    summary = json.loads(result.stdout)
    assert summary["best"]["score"] == max(trial["score"] for trial in summary["trials"])
    held = summary["comparison"].get("tuned", summary["comparison"]["as it was"])
    assert held["low"] < 0.5 < held["high"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ('"training.lrr" = [1.0, 2.0]', "Did you mean 'training.lr'?"),
        ('"training.lr" = { low = -1.0, high = 1.0 }', "must be above 0"),
        ("", "no table [search]"),
    ],
)
def test_what_cannot_be_searched_is_refused_before_anything_is_made(
    folder: Path, change: str, expected: str
) -> None:
    before, _, _ = RECIPE.partition("[search]")
    (folder / "bad.toml").write_text(f"{before}\n[search]\n{change}\n", encoding="utf-8")
    result = aurist("tune", "data", "--recipe", "bad.toml", "-o", "refused", cwd=folder)
    assert result.returncode == 1 and expected in result.stderr and "Traceback" not in result.stderr
    assert not (folder / "refused").exists()
