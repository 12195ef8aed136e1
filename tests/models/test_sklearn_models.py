"""The classics where classes have hardly any clips."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aurist.models.base import Examples, FitFailedError, Inputs, ModelSpec, Task
from aurist.models.engines import engine

TASK = Task(("a", "b", "c"), False, "accuracy")


def member_of(kind: str) -> ModelSpec:
    return ModelSpec("m", "kernel") if kind == "kernel" else ModelSpec("m", "classic", {"kind": kind})


def examples(labels: list[int], seed: int) -> Examples:
    """Classes that stand three deviations apart."""
    rng = np.random.default_rng(seed)
    features = pd.DataFrame(
        3 * np.eye(3)[labels] + rng.normal(size=(len(labels), 3)), columns=["x", "y", "z"]
    )
    return Examples(Inputs(features), np.eye(3, dtype=np.int8)[labels], np.ones(len(labels)))


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("kind", ["lda", "logistic", "svm", "kernel"])
def test_clips_of_hardly_any_weight_teach_hardly_anything(kind: str, several: bool, tmp_path: Path) -> None:
    right, wrong = examples([0, 1, 2] * 20, 0), examples([0, 1, 2] * 60, 1)
    lies = Examples(wrong.inputs, np.roll(wrong.targets, 1, axis=1), np.full(180, 1e-4))
    task, member = replace(TASK, multilabel=several), member_of(kind)
    validation, new = examples([0, 1, 2] * 10, 2), examples([0, 1, 2] * 40, 3)
    for weight, holds in ((1e-4, True), (1.0, False)):
        folder = tmp_path / str(weight)
        folder.mkdir()
        train = right.concat(replace(lies, weight=np.full(180, weight)))
        proba = (
            engine(member.engine)
            .fit(folder, task, member, train, validation, 60)
            .model.predict_proba(new.inputs)
        )
        accuracy = (proba.argmax(axis=1) == new.targets.argmax(axis=1)).mean()
        assert accuracy > 0.8 if holds else accuracy < 0.5


@pytest.mark.parametrize("kind", ["lda", "logistic", "svm", "kernel"])
def test_a_class_of_one_clip_is_learnt_without_a_warning(kind: str, tmp_path: Path) -> None:
    train, validation = examples([0] * 20 + [1] * 20 + [2], 0), examples([0] * 8 + [1] * 8, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        member = member_of(kind)
        fitted = engine(member.engine).fit(tmp_path, TASK, member, train, validation, 60)
        proba = fitted.model.predict_proba(validation.inputs)
    assert proba.shape == (16, 3)
    assert (proba.argmax(axis=1) == validation.targets.argmax(axis=1)).mean() > 0.8


def test_fewer_rows_than_discriminants_need_are_said(tmp_path: Path) -> None:
    features = pd.DataFrame({"a": [0.0, 1.0, 2.0], "b": [1.0, 0.5, 0.0]})
    three = Examples(Inputs(features), np.eye(3, dtype=np.int8), np.ones(3))
    member = ModelSpec("LDA", "classic", {"kind": "lda"})
    with pytest.raises(FitFailedError, match="3 rows are too few to learn 3 classes"):
        engine("classic").fit(tmp_path, Task(("a", "b", "c"), False, "accuracy"), member, three, three, 60.0)
