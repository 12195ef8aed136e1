"""Two windows tried before a fit: the better one by events is taken, and only if that is sure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from aurist.annotations import CutOptions
from aurist.automl import window_trial
from aurist.automl.annotated import read_annotated
from aurist.automl.window_trial import cut_by_better_window
from aurist.clips import Clips
from aurist.config import FitConfig

RATE = 8000
Cut = Callable[[CutOptions], Clips]
CONFIG = FitConfig(jobs=1, time_limit=1e9)


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Cut:
    """Recordings of 12 s with short calls of two classes that follow each other within two seconds."""
    folder = tmp_path_factory.mktemp("field")
    rng, rows = np.random.default_rng(0), ["path,start,end,label"]
    (folder / "sounds").mkdir()
    for number in range(12):
        y = 0.01 * rng.normal(size=12 * RATE)
        for start in np.arange(1, 11, 2.0):
            label, hz = (("low", 500), ("high", 2000))[int(rng.integers(2))]
            t = np.arange(round(0.9 * RATE))
            y[round(start * RATE) :][: len(t)] += 0.2 * np.sin(2 * np.pi * hz / RATE * t)
            rows.append(f"{number}.wav,{start},{start + 0.9 + 0.01 * number},{label}")
        sf.write(folder / "sounds" / f"{number}.wav", y, RATE)
    (folder / "calls.csv").write_text("\n".join(rows) + "\n")
    return lambda options: read_annotated(folder / "sounds", folder / "calls.csv", options)


@pytest.fixture(scope="module")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def cut_between(
    cut: Cut, first: float, second: float, monkeypatch: pytest.MonkeyPatch, cache_dir: Path, **more: object
) -> Clips:
    """Cut as if the windows of these lengths were the proposed one and the next one."""
    monkeypatch.setattr(window_trial, "next_window", lambda boxes, window: second)
    proposed = [replace(CutOptions(), window=first, hop=first / 2)]
    config = replace(CONFIG, **more)
    return cut_by_better_window(
        lambda o: cut(proposed.pop() if proposed else o), CutOptions(), config, cache_dir
    )


@pytest.mark.parametrize(("first", "second"), [(5.0, 1.0), (1.0, 5.0)])
def test_windows_that_time_short_calls_better_are_taken(
    cut: Cut, first: float, second: float, monkeypatch: pytest.MonkeyPatch, cache_dir: Path
) -> None:
    clips = cut_between(cut, first, second, monkeypatch, cache_dir)
    assert clips.window == 1.0
    assert f"tried windows of {first:g} s and of {second:g} s" in clips.notes[-1]
    assert "Windows of 1 s are taken" in clips.notes[-1]
    assert ("not surely better" in clips.notes[-1]) == (first == 1.0)


def test_equal_windows_keep_the_proposal_and_cost_no_difference(
    cut: Cut, monkeypatch: pytest.MonkeyPatch, cache_dir: Path
) -> None:
    clips = cut_between(cut, 1.0, 1.0, monkeypatch, cache_dir)
    assert "a difference of +0.000 [+0.000, +0.000]" in clips.notes[-1]


def test_too_little_time_is_one_line(cut: Cut, monkeypatch: pytest.MonkeyPatch, cache_dir: Path) -> None:
    monkeypatch.setattr(window_trial, "SHARE", 1e-15)
    clips = cut_between(cut, 5.0, 1.0, monkeypatch, cache_dir)
    assert clips.window == 5.0
    assert clips.notes[-1].startswith("no second window was tried: it needs about")


@pytest.mark.parametrize(("share", "n_groups"), [(0.9, 10), (0.8, 0)])
def test_short_time_compares_fewer_groups(
    cut: Cut, share: float, n_groups: int, monkeypatch: pytest.MonkeyPatch, cache_dir: Path
) -> None:
    monkeypatch.setattr(window_trial, "_seconds", lambda *_: window_trial.SHARE * 1e9 / share)
    clips = cut_between(cut, 5.0, 1.0, monkeypatch, cache_dir)
    assert (f"in {n_groups} groups, as time is short," in clips.notes[-1]) == (n_groups > 0)
    assert clips.window == (1.0 if n_groups else 5.0)
    assert clips.table["group"].nunique() == 12


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (lambda clips: replace(clips, unannotated="unknown"), "some labels are unknown"),
        (lambda clips: replace(clips, by_time=True), "folds divide recordings by time"),
        (lambda clips: replace(clips, table=clips.table.assign(group="site")), "fewer than 10 groups"),
    ],
)
def test_what_cannot_be_compared_is_not_tried(
    cut: Cut, changed: Callable[[Clips], Clips], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(window_trial, "next_window", lambda boxes, window: 2.0)
    clips = cut_by_better_window(lambda options: changed(cut(options)), CutOptions(), CONFIG)
    assert reason in clips.notes[-1] and clips.notes[-1].startswith("no second window was tried")


@pytest.mark.parametrize(
    ("options", "config"),
    [
        (CutOptions(window=2), CONFIG),
        (CutOptions(hop=1), CONFIG),
        (CutOptions(clip_mode="boxes"), CONFIG),
        (CutOptions(), replace(CONFIG, preset="instant", time_limit=None)),
    ],
)
def test_what_the_user_decides_is_not_tried(
    cut: Cut, options: CutOptions, config: FitConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(window_trial, "next_window", lambda boxes, window: 2.0)
    clips = cut_by_better_window(cut, options, config)
    assert not any("tried" in note for note in clips.notes)
