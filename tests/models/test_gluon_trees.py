"""Models of AutoGluon as arrays answer as AutoGluon does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aurist.models.autogluon import AutoGluonModel
from aurist.models.base import Examples, Inputs, ModelSpec, Task
from aurist.models.engines import engine
from aurist.models.gluon_trees import NotConvertedError, convert
from aurist.models.tree_model import TreeModel

ROUNDS = {"GBM": "num_boost_round", "XGB": "n_estimators", "CAT": "iterations", "RF": "n_estimators"}
N = 240


def features(*, categories: bool) -> tuple[pd.DataFrame, np.ndarray]:
    """Numbers with a copy, a constant, two values, missing ones and zeros; categories with missing and rare ones."""
    rng = np.random.default_rng(0)
    truth = rng.integers(3, size=N)
    table = pd.DataFrame(rng.normal(size=(N, 4)) + truth[:, None], columns=["a", "b", "c d", "e"])
    table = table.assign(constant=1.0, copy=table["a"], binary=rng.integers(2, size=N) * 2.0 + 3)
    table.loc[::7, "b"] = np.nan
    table.loc[::5, "e"] = 0.0
    table = table.astype(np.float32)
    if categories:
        key = np.where(rng.random(N) < 0.6, truth, rng.integers(3, size=N))
        table["key"] = pd.Categorical.from_codes(key, ["x y", "major", "5"])
        table.loc[::9, "key"] = None
        table["rare"] = pd.Categorical(np.where(rng.random(N) < 0.02, "r", "s"), ["r", "s", "never"])
        table["mode"] = pd.Categorical.from_codes((truth > 1).astype(int), ["no", "yes"])
    return table, truth


def member(kind: str) -> ModelSpec:
    return ModelSpec("m", "autogluon", {"kind": kind, "refit": True, ROUNDS[kind]: 15})


def fit(folder: Path, kind: str, task: Task, table: pd.DataFrame, targets: np.ndarray) -> object:
    folder.mkdir(exist_ok=True)
    rows = Examples(Inputs(table), targets, np.ones(N))
    parts = rows.take(np.arange(160)), rows.take(np.arange(160, N))
    return engine("autogluon").fit(folder, task, member(kind), *parts, 60).model


@pytest.mark.parametrize("several", [False, True], ids=["one label", "several"])
@pytest.mark.parametrize(
    ("kind", "categories"), [("GBM", True), ("XGB", True), ("RF", True), ("CAT", False), ("XGB", False)]
)
def test_arrays_answer_as_autogluon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, categories: bool, several: bool
) -> None:
    table, truth = features(categories=categories)
    targets = np.eye(3, dtype=np.int8)[truth]
    if several:
        targets[:, 1] = 1  # a label that does not vary
        targets[::4, 2] = -1
    task = Task(("k1", "k2", "k3"), several, "log_loss")
    model = fit(tmp_path / "arrays", kind, task, table, targets)
    assert isinstance(model, TreeModel)
    assert [path.name for path in (tmp_path / "arrays").iterdir()] == ["trees.npz"]
    monkeypatch.setattr("aurist.models.autogluon.convert_all", lambda *_: None)
    peer = fit(tmp_path / "peer", kind, task, table, targets)
    assert isinstance(peer, AutoGluonModel)
    new = table.sample(frac=1, random_state=1).reset_index(drop=True)
    new.loc[:9, ["a", "binary"]] = np.nan
    new.loc[10:19, "binary"] = np.float32(0.5)
    expected = peer.predict_proba(Inputs(new))
    read_back = engine("autogluon").load(tmp_path / "arrays", task, member(kind))
    for ours in (model, read_back):
        np.testing.assert_allclose(ours.predict_proba(Inputs(new)), expected, atol=2e-5)


def test_what_cannot_be_converted_stays_as_it_is(tmp_path: Path) -> None:
    table, truth = features(categories=True)
    table = table[["key", "rare", "constant"]]
    task = Task(("k1", "k2", "k3"), False, "log_loss")
    model = fit(tmp_path, "CAT", task, table, np.eye(3, dtype=np.int8)[truth])
    assert isinstance(model, AutoGluonModel)
    with pytest.raises(NotConvertedError, match="splits categories"):
        convert(model.predictors[0], str(model.chosen[0]), table, task.classes, 1)
    again = engine("autogluon").load(tmp_path, task, member("CAT"))
    np.testing.assert_array_equal(again.predict_proba(Inputs(table)), model.predict_proba(Inputs(table)))


def test_a_model_that_would_answer_differently_is_not_converted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, truth = features(categories=False)
    task = Task(("k1", "k2", "k3"), False, "log_loss")
    monkeypatch.setattr("aurist.models.gluon_trees._xgboost_intercept", lambda *_: np.array([1.0, 0.0, 0.0]))
    model = fit(tmp_path, "XGB", task, table, np.eye(3, dtype=np.int8)[truth])
    assert isinstance(model, AutoGluonModel)
    with pytest.raises(NotConvertedError, match="would differ"):
        convert(model.predictors[0], str(model.chosen[0]), table, task.classes, 1)


def test_prediction_needs_no_autogluon(tmp_path: Path) -> None:
    table, truth = features(categories=False)
    fit(tmp_path, "GBM", Task(("k1", "k2", "k3"), False, "log_loss"), table, np.eye(3, dtype=np.int8)[truth])
    code = (
        "import sys; import numpy as np; import pandas as pd; from pathlib import Path\n"
        "from aurist.models.base import Inputs, ModelSpec, Task\n"
        "from aurist.models.engines import engine\n"
        "task = Task(('k1', 'k2', 'k3'), False, 'log_loss')\n"
        f"model = engine('autogluon').load(Path({str(tmp_path)!r}), task, ModelSpec('m', 'autogluon'))\n"
        "print(model.predict_proba(Inputs(pd.DataFrame(np.zeros((1, 7), np.float32)))).shape)\n"
        "print([name for name in ('autogluon', 'lightgbm', 'sklearn', 'torch') if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout == "(1, 3)\n[]\n"
