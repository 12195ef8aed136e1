"""The learning curve over the number of clips: it rises where there is something to learn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from aurist.crossval import TrainingData
from aurist.models.base import Examples, Inputs, Task
from aurist.results.data_curve import CURVE, _part, data_curve, measured_curve, twice
from aurist.run import RunFolder
from aurist.splits import assign_folds, cross_splits


def training(features: np.ndarray, label: np.ndarray, groups: np.ndarray) -> TrainingData:
    """Data of as many classes as labels, with three folds."""
    classes = tuple("abcd"[: label.max() + 1])
    targets = np.eye(len(classes), dtype=np.int8)[label]
    table = pd.DataFrame(features, columns=[f"f{i}" for i in range(features.shape[1])])
    folds = assign_folds(targets, groups, 3, 0)
    return TrainingData(
        Task(classes, False, "accuracy"),
        Examples(Inputs(table), targets, np.ones(len(label))),
        np.arange(len(label)).astype(str).astype(object),
        groups,
        folds,
        cross_splits(folds, targets, groups, 0),
    )


@pytest.fixture
def learn() -> TrainingData:
    """Three classes; a class is told by which of many features is high, so that more rows help."""
    rng = np.random.default_rng(0)
    label = np.arange(240) % 3
    features = rng.normal(size=(240, 12))
    features[np.arange(240), label] += 1.5
    return training(features, label, np.arange(240) // 2)


def test_more_clips_help(learn: TrainingData) -> None:
    curve = measured_curve(learn)
    assert curve is not None and curve.metric == "accuracy"
    assert list(curve.clips) == sorted(curve.clips) and curve.clips[-1] == 160 and len(curve.clips) == 4
    scores = [one.score for one in curve.scores]
    assert scores[-1] > scores[0] + 0.05
    assert all(one.low <= one.score <= one.high for one in curve.scores)
    assert curve.doubled is not None and scores[-1] <= curve.doubled.score < 1
    assert curve.expected is not None and abs(curve.expected - scores[-1]) < 0.1


def test_noise_is_not_expected_to_improve(learn: TrainingData) -> None:
    noise = pd.DataFrame(np.random.default_rng(1).normal(size=(240, 12)))
    curve = measured_curve(replace(learn, examples=replace(learn.examples, inputs=Inputs(noise))))
    assert curve is not None and curve.doubled is not None
    assert curve.scores[-1].score == pytest.approx(1 / 3, abs=0.1)
    assert curve.doubled.score < curve.scores[-1].score + 0.1


def test_parts_are_nested_and_hold_every_class_and_whole_groups(learn: TrainingData) -> None:
    split = learn.splits[0]
    parts = [set(_part(learn, split, share, 0).tolist()) for share in (0.125, 0.25, 0.5, 1.0)]
    assert parts[0] < parts[1] < parts[2] < parts[3] == {*split.train.tolist(), *split.validation.tolist()}
    for part in parts:
        rows = np.array(sorted(part))
        assert (learn.examples.targets[rows].sum(axis=0) > 0).all()
        assert not set(learn.groups[rows]) & set(learn.groups[split.scored])
        outside = np.setdiff1d(np.concatenate([split.train, split.validation]), rows)
        assert not set(learn.groups[rows]) & set(learn.groups[outside])


def test_twice_the_clips_never_lower_the_score() -> None:
    np.testing.assert_allclose(twice(np.array([0.6, 0.9, 1.0]), np.array([0.8, 0.7, 1.0])), [0.9, 0.7, 1.0])


def test_too_few_groups_have_no_curve_of_parts() -> None:
    label = np.array([0, 1] * 6)
    features = np.random.default_rng(0).normal(size=(12, 3)) + label[:, None]
    curve = measured_curve(training(features, label, np.arange(12)))
    assert curve is not None and curve.doubled is None and len(curve.clips) < 3


def test_it_is_stored_with_the_run(run: RunFolder) -> None:
    path = run.folder / CURVE
    path.unlink(missing_ok=True)
    curve = data_curve(run)
    assert path.exists() and data_curve(run) == curve
