"""Kernel ridge regression against scikit-learn's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.kernel_ridge import KernelRidge

from aurist.metrics import UNKNOWN
from aurist.models import kernel
from aurist.models.base import Examples, FitFailedError, Inputs, ModelSpec, Task
from aurist.models.engines import engine
from aurist.models.kernel import _fit
from aurist.models.kernel_model import distances

TASK = Task(("a", "b", "c"), True, "average_precision")


def examples(n: int, seed: int, *, unknown: float = 0.0) -> Examples:
    rng = np.random.default_rng(seed)
    features = pd.DataFrame(rng.normal(size=(n, 4)), columns=list("wxyz"))
    features["mode"] = pd.Categorical(rng.choice(["major", "minor"], n))
    targets = (features[["x", "y", "z"]].to_numpy() > 0.5).astype(np.int8)
    targets[rng.random((n, 3)) < unknown] = UNKNOWN
    return Examples(Inputs(features), targets, rng.uniform(0.5, 2.0, n))


@pytest.mark.parametrize("unknown", [0.0, 0.4])
def test_weights_of_rows_are_those_of_scikit_learn_for_each_label(unknown: float) -> None:
    train, new = examples(60, 0, unknown=unknown), examples(20, 1)
    model = _fit(train, TASK, 1.0, 0.1)
    scaled = model.ready.transform(
        new.features.assign(mode=new.features["mode"].cat.codes).to_numpy(np.float32)
    )
    by_hand = np.exp(-model.fall * distances(scaled, model.rows)) @ model.dual
    for column in range(3):
        is_known = train.targets[:, column] != UNKNOWN
        weight = train.weight[is_known]
        prior = np.average(train.targets[is_known, column], weights=weight)
        # scikit-learn counts in weights, and this in shares of the mean weight
        peer = KernelRidge(kernel="laplacian", gamma=model.fall, alpha=0.1 * train.weight.mean())
        peer.fit(model.rows[is_known], train.targets[is_known, column] - prior, sample_weight=weight)
        assert by_hand[:, column] == pytest.approx(peer.predict(scaled), abs=1e-6)
        assert model.prior[column] == pytest.approx(prior)


def test_far_from_all_rows_the_prior_is_answered() -> None:
    train = examples(60, 0)
    model = _fit(train, TASK, 1.0, 0.1)
    answers = model.at(np.full((1, 60), 1e6))
    assert answers[0] == pytest.approx(1 / (1 + np.exp(-12 * (model.prior - 0.5))))


@pytest.mark.parametrize("unknown", [0.0, 0.4])
def test_landmarks_that_are_all_different_rows_answer_as_all_rows_do(
    monkeypatch: pytest.MonkeyPatch, unknown: float
) -> None:
    once, new = examples(60, 0, unknown=unknown), examples(20, 1)
    train = once.concat(once)
    exact = _fit(train, TASK, 1.0, 0.1)
    monkeypatch.setattr(kernel, "LANDMARKS", 80)
    monkeypatch.setattr(kernel, "_CHUNK_ROWS", 32)
    seen = _fit(train, TASK, 1.0, 0.1)
    assert len(exact.rows) == 120
    assert len(seen.rows) == 60
    # the median of distances counts a row's distance to itself, and its twin's
    changed = replace(seen, fall=exact.fall)
    assert changed.fall == pytest.approx(seen.fall, rel=0.05)
    seen = _fit(train, TASK, exact.fall / seen.fall, 0.1)
    assert seen.predict_proba(new.inputs) == pytest.approx(exact.predict_proba(new.inputs), abs=1e-5)


def test_a_part_of_the_rows_as_landmarks_is_nearly_as_good(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    train, validation, new = examples(900, 0), examples(200, 1), examples(500, 2)
    probas = []
    for name, landmarks in (("all", 3000), ("some", 250)):
        monkeypatch.setattr(kernel, "LANDMARKS", landmarks)
        (tmp_path / name).mkdir()
        fitted = engine("kernel").fit(tmp_path / name, TASK, ModelSpec("k", "kernel"), train, validation, 60)
        assert len(fitted.model.rows) == min(landmarks, 1100)
        right = (fitted.model.predict_proba(new.inputs) > 0.5) == (new.targets == 1)
        probas.append(right.mean())
    assert probas[0] > 0.9
    assert probas[1] > probas[0] - 0.02


def test_the_order_of_answers_does_not_depend_on_the_unit_of_a_feature(tmp_path) -> None:
    train, validation, new = examples(120, 0), examples(40, 1), examples(30, 2)

    def scaled(one: Examples) -> Examples:
        return replace(one, inputs=Inputs(one.features.assign(x=1000 * one.features["x"])))

    probas = []
    for name, change in (("plain", lambda one: one), ("scaled", scaled)):
        folder = tmp_path / name
        folder.mkdir()
        given = [change(one) for one in (train, validation, new)]
        fitted = engine("kernel").fit(folder, TASK, ModelSpec("k", "kernel"), given[0], given[1], 60)
        probas.append(fitted.model.predict_proba(given[2].inputs))
    assert probas[0] == pytest.approx(probas[1], abs=1e-4)


def test_many_categories(tmp_path) -> None:
    n = 90
    rng = np.random.default_rng(0)
    features = pd.DataFrame(
        {"site": pd.Categorical([f"s{i % 30}" for i in range(n)]), "x": rng.normal(size=n)}
    )
    targets = np.eye(3, dtype=np.int8)[np.arange(n) % 30 % 3]
    made = Examples(Inputs(features), targets, np.ones(n))
    fitted = engine("kernel").fit(
        tmp_path,
        replace(TASK, multilabel=False),
        ModelSpec("k", "kernel"),
        made.take(np.arange(60)),
        made,
        60,
    )
    assert (fitted.model.predict_proba(made.inputs).argmax(axis=1) == targets.argmax(axis=1)).mean() > 0.9


def test_a_single_class_cannot_be_learnt(tmp_path) -> None:
    made = examples(20, 0)
    alone = replace(made, targets=np.tile(np.array([1, 0, 0], dtype=np.int8), (20, 1)))
    with pytest.raises(FitFailedError, match="single class"):
        engine("kernel").fit(
            tmp_path, replace(TASK, multilabel=False), ModelSpec("k", "kernel"), alone, alone, 60
        )
