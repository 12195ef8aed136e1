"""What every model must do, whatever it is made of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aurist.crossval import TrainingData, fit_member
from aurist.errors import RunError
from aurist.fold_files import is_done, load_folds
from aurist.metrics import metric
from aurist.models.base import Examples, FitFailedError, Inputs, ModelSpec, Task
from aurist.models.engines import engine
from aurist.results.bootstrap import bootstrap
from aurist.splits import assign_folds, cross_splits

MEMBERS = [
    ModelSpec("forest", "forest", {"trees": 60}),
    ModelSpec("svm", "classic", {"kind": "svm"}),
    ModelSpec("lda", "classic", {"kind": "lda"}),
    ModelSpec("logistic", "classic", {"kind": "logistic"}),
    ModelSpec("ridge", "classic", {"kind": "ridge"}),
    ModelSpec("kernel", "kernel"),
    ModelSpec("GBM", "autogluon", {"kind": "GBM", "refit": True, "learning_rate": 0.2}),
    ModelSpec("LR", "autogluon", {"kind": "LR", "refit": False}),
    pytest.param(ModelSpec("CAT", "autogluon", {"kind": "CAT", "refit": True}), marks=pytest.mark.slow),
    pytest.param(ModelSpec("XGB", "autogluon", {"kind": "XGB", "refit": True}), marks=pytest.mark.slow),
    ModelSpec("RF", "autogluon", {"kind": "RF", "refit": True}),
    pytest.param(ModelSpec("mljar", "mljar", {"preset": "quick"}), marks=pytest.mark.slow),
]
CLASSES = ("a", "b", "c", "d")


def training_data(
    *, shuffled: bool = False, multilabel: bool = False, n: int = 240, n_splits: int = 3
) -> TrainingData:
    """Clips in groups of three; the classes are plain to see in the features unless shuffled."""
    rng = np.random.default_rng(3)
    groups = np.repeat(np.arange(n // 3), 3)
    label = np.repeat(rng.integers(0, 4, n // 3), 3)
    features = pd.DataFrame(rng.normal(size=(n, 6)), columns=[f"f{i}" for i in range(6)])
    features["f0"] += 3 * (label % 2)
    features["f1"] += 3 * (label // 2)
    features["mode"] = pd.Categorical(rng.choice(["major", "minor"], n), categories=["major", "minor"])
    features.loc[::17, "f2"] = np.nan
    if shuffled:
        # whole groups change labels: within a group the clips are alike, and must stay so
        label = np.repeat(rng.permutation(label[::3]), 3)
    targets = np.eye(4, dtype=np.int8)[label]
    if multilabel:
        targets[:, 3] = features["f0"] > 1.5
    task = Task(CLASSES, multilabel, "average_precision" if multilabel else "accuracy", seed=1, jobs=2)
    folds = assign_folds(targets, groups, n_splits, seed=0)
    return TrainingData(
        task,
        Examples(Inputs(features), targets, np.ones(n)),
        np.array([f"clip{i}" for i in range(n)], dtype=object),
        groups,
        folds,
        cross_splits(folds, targets, groups, seed=0),
    )


@pytest.mark.parametrize("member", MEMBERS, ids=str)
def test_learns_what_is_plain_and_is_the_same_when_read_back(member: ModelSpec, tmp_path: Path) -> None:
    data = training_data()
    result = fit_member(tmp_path, data, member, seconds=40)
    proba = result.oof.aligned(data.clip_ids.tolist())
    assert proba.shape == (240, 4)
    assert np.allclose(proba.sum(axis=1), 1, atol=1e-4)
    assert metric("accuracy")(data.examples.targets, proba) > 0.75
    models = load_folds(tmp_path, data.task, member)
    split = data.splits[0]
    again = models[0].predict_proba(data.examples.inputs.take(split.scored))
    assert np.allclose(again, proba[split.scored], atol=1e-6)


@pytest.mark.parametrize("member", MEMBERS, ids=str)
def test_shuffled_labels_score_chance(member: ModelSpec, tmp_path: Path) -> None:
    data = training_data(shuffled=True)
    result = fit_member(tmp_path, data, member, seconds=40)
    proba = result.oof.aligned(data.clip_ids.tolist())
    interval = bootstrap(data.examples.targets, proba, data.groups, "accuracy", level=0.998)
    assert interval.low < 0.25 < interval.high + 0.1, interval
    assert interval.score < 0.25 + 0.12


@pytest.mark.parametrize("member", MEMBERS, ids=str)
def test_several_labels_a_clip(member: ModelSpec, tmp_path: Path) -> None:
    data = training_data(multilabel=True, n_splits=2)
    result = fit_member(tmp_path, data, member, seconds=40)
    proba = result.oof.aligned(data.clip_ids.tolist())
    assert ((proba >= 0) & (proba <= 1)).all()
    assert metric("average_precision")(data.examples.targets, proba, multilabel=True) > 0.7


@pytest.mark.parametrize("member", MEMBERS, ids=str)
def test_rows_that_all_have_the_same_labels(member: ModelSpec, tmp_path: Path) -> None:
    data = training_data(multilabel=True, n=24)
    rows = data.examples.take(np.arange(4))
    same = replace(rows, targets=np.tile(np.array([1, 0, 0, 1], dtype=np.int8), (4, 1)))
    fold_engine = engine(member.engine)
    try:
        fitted = fold_engine.fit(tmp_path, data.task, member, same, same, 40)
    except FitFailedError:
        return  # there is nothing to learn
    for model in (fitted.model, fold_engine.load(tmp_path, data.task, member)):
        proba = model.predict_proba(data.examples.inputs)
        assert np.allclose(proba, [1, 0, 0, 1], atol=0.02)


def test_mljar_learns_too_and_is_the_same_when_read_back(tmp_path: Path) -> None:
    data = training_data(n=120, n_splits=2)
    member = ModelSpec("mljar", "mljar", {"preset": "quick"})
    result = fit_member(tmp_path, data, member, seconds=60)
    proba = result.oof.aligned(data.clip_ids.tolist())
    assert metric("accuracy")(data.examples.targets, proba) > 0.7
    split = data.splits[0]
    again = load_folds(tmp_path, data.task, member)[0].predict_proba(data.examples.inputs.take(split.scored))
    assert np.allclose(again, proba[split.scored], atol=1e-6)


def test_the_same_seed_gives_the_same_predictions(tmp_path: Path) -> None:
    data = training_data()
    a, b = (fit_member(tmp_path / name, data, MEMBERS[0], 60).oof.proba for name in "ab")
    assert (a == b).all()


def test_a_class_that_is_not_in_the_training_folds_gets_no_probability(tmp_path: Path) -> None:
    data = training_data()
    lonely = data.examples.targets[:, 2].astype(bool)
    keep = np.flatnonzero(~lonely)
    train, validation = data.examples.take(keep[:100]), data.examples.take(keep[100:])
    for member in MEMBERS[:3]:
        folder = tmp_path / member.name
        folder.mkdir()
        model = engine(member.engine).fit(folder, data.task, member, train, validation, 60).model
        proba = model.predict_proba(validation.inputs)
        assert (proba[:, 2] == 0).all()


def test_a_member_that_is_late_is_stopped_only_where_the_whole_time_is_up(tmp_path: Path) -> None:
    data = training_data()
    large = ModelSpec("forest", "forest", {"trees": 1000})
    with pytest.raises(FitFailedError, match="folds done"):
        fit_member(tmp_path / "stopped", data, large, seconds=0.1)
    assert not list((tmp_path / "stopped").glob(".fold*"))
    result = fit_member(tmp_path / "late", data, large, seconds=0.1, at_most=200)
    assert len(result.oof.clip_id) == 240


def test_a_finished_fold_is_not_fitted_again(tmp_path: Path) -> None:
    data = training_data()
    fit_member(tmp_path, data, MEMBERS[0], 60)
    stamp = (tmp_path / "fold0" / "forest.npz").stat().st_mtime_ns
    (tmp_path / "fold1" / "unit.json").unlink()
    (tmp_path / "fold1" / "forest.npz").write_bytes(b"half")
    assert not is_done(tmp_path, 1)
    fit_member(tmp_path, data, MEMBERS[0], 60)
    assert is_done(tmp_path, 1)
    assert (tmp_path / "fold0" / "forest.npz").stat().st_mtime_ns == stamp


@pytest.mark.parametrize("name", ["forest", "autogluon", "mljar"])
def test_an_empty_folder_says_what_is_missing(name: str, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="aurist resume"):
        engine(name).load(tmp_path, training_data().task, ModelSpec(name, name))
