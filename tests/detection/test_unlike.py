"""Windows of long recordings that are unlike all that was learnt."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

import aurist
from aurist.detection.window_scores import Scores

from ..command import aurist as command
from ..command import done

RATE = 8000


def tone(hz: float, seconds: float, rng: np.random.Generator) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    t = np.arange(round(seconds * RATE)) / RATE
    depth = 1 + 0.3 * np.sin(2 * np.pi * rng.uniform(2, 4) * t)
    return 0.3 * depth * np.sin(2 * np.pi * hz * rng.uniform(0.97, 1.03) * t) + 0.01 * rng.normal(size=len(t))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two kinds of tone to learn, and a recording of ten seconds of one of them and ten of clicks."""
    folder, rng = tmp_path_factory.mktemp("unlike"), np.random.default_rng(0)
    for kind, hz in (("low", 400), ("high", 1500)):
        (folder / "train" / kind).mkdir(parents=True)
        for number in range(12):
            soundfile.write(folder / "train" / kind / f"{number}.wav", tone(hz, 2.0, rng), RATE)
    clicks = np.zeros(10 * RATE)
    clicks[rng.integers(0, len(clicks), 400)] = rng.uniform(-0.9, 0.9, 400)
    soundfile.write(folder / "night.wav", np.concatenate([tone(400, 10.0, rng), clicks]), RATE)
    done("fit", "train", "--preset", "instant", "-o", "run", cwd=folder)
    return folder


def test_windows_have_a_likeness_and_those_unlike_count_for_no_event(folder: Path) -> None:
    arguments = ("predict", "run", "night.wav", "--window", "2", "--overlap", "0", "--format", "csv,windows")
    printed = done(*arguments, "-o", "all", cwd=folder)
    assert "windows are unlike what was learnt" in printed.stderr
    windows = pd.read_csv(folder / "all" / "windows.csv")
    likeness = windows["likeness"].to_numpy()
    assert (likeness[5:] <= 0.1).all() and (likeness[:5] > 0.1).mean() > 0.5
    # the same folder: scores are not computed again
    chosen = done(*arguments, "-o", "all", "--unknown", "0.1", cwd=folder)
    assert "They count for no event" in chosen.stderr
    events = pd.read_csv(folder / "all" / "events.csv")
    assert len(events) and events["end"].max() <= 10.0
    python = aurist.load(folder / "run").detect(folder / "night.wav", window=2.0, overlap=0.0, unknown=0.1)
    assert python["end"].max() == events["end"].max()


def test_a_share_is_checked_before_anything_is_scored(folder: Path) -> None:
    arguments = ("predict", "run", "night.wav", "--window", "2", "--unknown", "1.0", "-o", "none")
    refused = command(*arguments, cwd=folder)
    assert refused.returncode and "between 0 and 1" in refused.stderr
    assert not (folder / "none" / "scores").exists()


def test_scores_of_unlike_windows_are_zero() -> None:
    likeness = np.array([0.05, 0.06, np.nan], dtype=np.float32)
    proba, when = np.full((3, 2), 0.9, np.float32), np.full((3, 1, 2), 255, np.uint8)
    scores = Scores(np.arange(3.0), np.arange(1.0, 4.0), proba, when, likeness)
    assert scores.without_unlike(0.05).proba[:, 0].tolist() == [0, np.float32(0.9), np.float32(0.9)]
    assert scores.without_unlike(None).proba.tolist() == proba.tolist()
