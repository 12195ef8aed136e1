"""The forest's answers are those of scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

from aurist.models.forest import trees_of_forest


@pytest.mark.parametrize("kind", [ExtraTreesClassifier, RandomForestClassifier])
@pytest.mark.parametrize("n_rows", [0, 1, 3000])
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_the_mean_over_trees_is_that_of_scikit_learn(kind: type, n_rows: int, n_outputs: int) -> None:
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(200 + n_rows, 8)).astype(np.float32)
    numbers[rng.random(numbers.shape) < 0.1] = np.nan
    truth = rng.integers(2, size=(200, n_outputs)) if n_outputs > 1 else rng.integers(4, size=200)
    weight = rng.uniform(0.1, 2, 200)
    forest = kind(20, random_state=0, n_jobs=2, min_samples_leaf=3)
    forest.fit(numbers[:200], truth, sample_weight=weight)
    n_columns = 3 if n_outputs > 1 else 4
    shares = trees_of_forest(forest, n_columns).sums(numbers[200:], jobs=2)
    assert shares.shape == (n_rows, n_columns)
    if n_rows:
        peer = forest.predict_proba(numbers[200:])
        expected = np.stack([label[:, 1] for label in peer], axis=1) if n_outputs > 1 else peer
        np.testing.assert_allclose(shares, expected, atol=1e-7)


@pytest.mark.parametrize("n_columns", [1, 2])
def test_one_label_and_two_classes_are_told_apart(n_columns: int) -> None:
    rng = np.random.default_rng(0)
    numbers, truth = rng.normal(size=(50, 4)).astype(np.float32), np.tile([0, 1], 25)
    forest = ExtraTreesClassifier(5, random_state=0).fit(numbers, truth)
    shares = trees_of_forest(forest, n_columns).sums(numbers)
    np.testing.assert_allclose(shares, forest.predict_proba(numbers)[:, -n_columns:], atol=1e-7)
