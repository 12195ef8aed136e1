"""Fewer models in the ensemble: the curve, and what is then used."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aurist.clips.read import read_clips
from aurist.errors import ConfigError
from aurist.inference.predict import predict_clips
from aurist.results.pruning import prune, prune_curve
from aurist.run import RunFolder, files_of_run, open_run, read_ensemble


def test_the_curve_ends_with_one_model(run: RunFolder) -> None:
    curve = prune_curve(run)
    assert curve["models"].tolist() == sorted(curve["models"], reverse=True)
    assert curve["models"].iloc[-1] == 1
    assert curve["loss"].iloc[0] == 0
    assert (curve["pred_time"].diff().dropna() <= 0).all()
    scores = run.leaderboard().set_index("model")["score"]
    assert np.isclose(curve["score"].iloc[0], scores["Ensemble"], atol=0.03)  # which is tilted, too


def test_what_is_left_out_is_not_asked(run: RunFolder, tmp_path: Path, table: pd.DataFrame) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run.folder, folder)
    smaller = open_run(folder)
    prune(smaller, 1)
    weights = read_ensemble(smaller).weights["Ensemble"]
    assert all(len(fold) == 1 for fold in weights)
    assert smaller.config().ensemble_size == 1
    assert set(smaller.leaderboard()["model"]) == set(run.leaderboard()["model"])
    (kept,) = weights[0]
    for other in (folder / "models").iterdir():
        if other.name != kept:
            shutil.rmtree(other)
    assert np.isfinite(predict_clips(files_of_run(smaller), read_clips(table, labelled=False)).proba).all()


def test_an_ensemble_of_nothing_is_refused(run: RunFolder) -> None:
    with pytest.raises(ConfigError, match="at least 1"):
        prune(run, 0)
