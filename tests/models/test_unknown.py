"""Cells of which nobody knows: every model with a part for each label leaves them out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aurist.metrics import UNKNOWN, metric
from aurist.models.base import Examples, Inputs, ModelSpec, Task
from aurist.models.engines import engine

TASK = Task(("a", "b", "c"), True, "average_precision")


def examples(n: int, seed: int, unknown: bool) -> Examples:
    """Each label goes by a feature of its own; those unknown are mostly those that are there."""
    rng = np.random.default_rng(seed)
    features = pd.DataFrame(rng.normal(size=(n, 3)), columns=["x", "y", "z"])
    targets = (features.to_numpy() > 0).astype(np.int8)
    if unknown:
        targets[(rng.random((n, 3)) < 0.7) & (targets == 1)] = UNKNOWN
        targets[(rng.random((n, 3)) < 0.1) & (targets == 0)] = UNKNOWN
    return Examples(Inputs(features), targets, np.ones(n))


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("classic", {"kind": "logistic"}),
        ("classic", {"kind": "svm"}),
        ("kernel", {}),
        ("autogluon", {"kind": "GBM", "num_boost_round": 20}),
    ],
)
def test_what_is_unknown_is_left_out(name: str, settings: dict[str, object], tmp_path: Path) -> None:
    train, validation, new = examples(300, 0, True), examples(60, 1, True), examples(400, 2, False)
    member = ModelSpec("m", name, settings)
    fitted = engine(name).fit(tmp_path, TASK, member, train, validation, 60)
    proba = fitted.model.predict_proba(new.inputs)
    # taken for absent, four in five of the labels would be wrong, and what is there would score about 0.3
    assert proba[new.targets == 1].mean() > 0.5
    assert metric("roc_auc")(new.targets, proba) > 0.9
    assert fitted.validation_proba is not None and fitted.validation_proba.shape == (60, 3)
    loaded = engine(name).load(tmp_path, TASK, member).predict_proba(new.inputs)
    assert np.allclose(loaded, proba, atol=1e-6)


@pytest.mark.parametrize("name", ["logistic", "svm", "kernel"])
def test_one_label_alone_is_one_column(name: str, tmp_path: Path) -> None:
    member = ModelSpec("m", "kernel") if name == "kernel" else ModelSpec("m", "classic", {"kind": name})
    for unknown in (False, True):
        task = Task(("a",), True, "average_precision")
        made = examples(120, 0, unknown)
        one = Examples(made.inputs, made.targets[:, :1], made.weight)
        fitted = engine(member.engine).fit(tmp_path, task, member, one, one, 60)
        assert fitted.model.predict_proba(one.inputs).shape == (120, 1)


@pytest.mark.parametrize(
    ("name", "kind"), [("classic", "logistic"), ("classic", "svm"), ("kernel", None), ("forest", None)]
)
def test_a_label_that_every_known_row_has_is_answered_by_one(
    name: str, kind: str | None, tmp_path: Path
) -> None:
    made = examples(120, 0, False)
    made.targets[:, 1] = 1
    if name != "forest":  # the forest takes what is unknown for absent
        made.targets[:60, 1] = UNKNOWN
    member = ModelSpec("m", name, {} if kind is None else {"kind": kind})
    model = engine(name).fit(tmp_path, TASK, member, made, made, 60).model
    loaded = engine(name).load(tmp_path, TASK, member)
    for one in (model, loaded):
        assert (one.predict_proba(made.inputs)[:, 1] == 1).all()
