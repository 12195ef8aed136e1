"""The preset for few clips, through the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from aurist.run import open_run
from aurist.stored import read_frame

from ..command import aurist, done


def few_clips(seed: int = 0, per_class: int = 6) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    label = np.repeat(["frog", "rain", "wren"], per_class)
    table = pd.DataFrame(rng.normal(size=(len(label), 12)), columns=[f"f{i}" for i in range(12)])
    table.iloc[:, :3] += 4 * (label[:, None] == np.unique(label))
    return table.assign(label=label)


def test_a_model_from_six_clips_a_class(tmp_path: Path) -> None:
    few_clips().to_csv(tmp_path / "few.csv", index=False)
    few_clips(1, 20).drop(columns="label").to_csv(tmp_path / "new.csv", index=False)
    done("fit", "few.csv", "--preset", "instant", "-o", "run", cwd=tmp_path)
    run = open_run(tmp_path / "run")
    assert set(run.leaderboard()["model"]) == {"Ensemble", "KernelRidge", "Logistic", "Ridge"}
    score = run.scores().score
    # few right clips do not show that every clip is right
    assert score.score > 0.75 and score.low < 0.7
    folds = read_frame(run.folder / "folds.parquet", {}, "")
    assert sorted(folds["fold"].value_counts()) == [3] * 6  # one clip of each class
    answers = done("predict", "run", "new.csv", cwd=tmp_path).stdout
    lines = [line.split(",")[1] for line in answers.strip().splitlines()[1:]]
    assert np.mean(np.array(lines) == np.repeat(["frog", "rain", "wren"], 20)) > 0.8


def test_instant_trains_no_network(tmp_path: Path) -> None:
    few_clips().to_csv(tmp_path / "few.csv", index=False)
    failed = aurist("fit", "few.csv", "--preset", "instant", "--recipe", "mel-cnn", "-o", "run", cwd=tmp_path)
    assert failed.returncode == 1
    assert "leave --engine and --recipe out" in failed.stderr
    assert "Traceback" not in failed.stderr
