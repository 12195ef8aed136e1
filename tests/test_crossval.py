"""Folds in this process and in worker processes."""

from __future__ import annotations

import math
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from aurist import crossval
from aurist.crossval import TrainingData, fit_member
from aurist.fold_files import partial_folder
from aurist.models.base import Examples, Inputs, ModelSpec, Task
from aurist.splits import assign_folds, cross_splits

LOGISTIC = ModelSpec("Logistic", "classic", {"kind": "logistic"})
TREES = ModelSpec("Trees", "forest", {"trees": 30})


def training_data(n: int = 90, n_features: int = 5) -> TrainingData:
    rng = np.random.default_rng(0)
    label, groups = rng.integers(0, 3, n), np.arange(n)
    features = pd.DataFrame(rng.normal(size=(n, n_features)), columns=[f"f{i}" for i in range(n_features)])
    features["f0"] += label
    targets = np.eye(3, dtype=np.int8)[label]
    folds = assign_folds(targets, groups, 3, seed=0)
    return TrainingData(
        Task(("a", "b", "c"), False, "accuracy", seed=1, jobs=2),
        Examples(Inputs(features), targets, np.ones(n)),
        np.array([f"clip{i}" for i in range(n)], dtype=object),
        groups,
        folds,
        cross_splits(folds, targets, groups, seed=0),
    )


@pytest.mark.parametrize("member", [LOGISTIC, TREES])
def test_a_model_is_the_same_in_this_process_and_in_workers(
    member: ModelSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = training_data()
    here = fit_member(tmp_path / "here", data, member, 60.0)
    monkeypatch.setattr(crossval, "SMALL_CELLS", 0)
    there = fit_member(tmp_path / "there", data, member, 60.0)
    np.testing.assert_array_equal(here.oof.proba, there.oof.proba)
    assert here.oof.clip_id.tolist() == there.oof.clip_id.tolist()


@pytest.mark.parametrize(
    ("member", "changes", "seconds", "small"),
    [
        (LOGISTIC, {}, 60.0, True),
        (LOGISTIC, {}, math.inf, True),
        (LOGISTIC, {}, 5.0, False),  # a worker can be stopped in time
        (LOGISTIC, {"n_features": 2001}, 60.0, False),
        (LOGISTIC, {"n": 30_000, "n_features": 11}, 60.0, False),
        (ModelSpec("LightGBM", "autogluon", {"kind": "GBM"}), {}, 60.0, False),
        (ModelSpec("net", "network"), {}, 60.0, False),
    ],
)
def test_only_what_surely_ends_within_seconds_is_fitted_in_this_process(
    member: ModelSpec, changes: dict[str, int], seconds: float, small: bool
) -> None:
    assert crossval._is_small(training_data(**changes), member, seconds) is small


def test_many_labels_per_clip_count_as_many_models() -> None:
    data = training_data(n=300, n_features=500)
    assert crossval._is_small(data, LOGISTIC, 60.0)
    several = replace(data, task=replace(data.task, multilabel=True))
    assert not crossval._is_small(several, LOGISTIC, 60.0)


def test_small_models_start_no_process_and_leave_no_partial_folds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_process(*_: Any) -> None:
        raise AssertionError("a worker process was used")

    monkeypatch.setattr(crossval, "run_in_processes", no_process)
    fit_fold, ids = crossval._fit_fold, []

    def second_fails(folder: Path, data: TrainingData, member: ModelSpec, split: Any, *rest: Any) -> None:
        ids.append(os.getpid())
        if len(ids) == 2:
            partial_folder(folder, split.fold).mkdir(parents=True)
            raise KeyboardInterrupt
        fit_fold(folder, data, member, split, *rest)

    data = training_data()
    with monkeypatch.context() as patch:
        patch.setattr(crossval, "_fit_fold", second_fails)
        with pytest.raises(KeyboardInterrupt):
            fit_member(tmp_path / "m", data, LOGISTIC, 60.0)
    assert [path.name for path in (tmp_path / "m").iterdir()] == ["fold0"]
    fit_member(tmp_path / "m", data, LOGISTIC, 60.0)
    assert sorted(path.name for path in (tmp_path / "m").iterdir()) == ["fold0", "fold1", "fold2"]
    assert set(ids) == {os.getpid()}
