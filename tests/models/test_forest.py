"""The forest's answers are those of scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier

from aurist.models.forest import _check_trees, _mean_over_trees


@pytest.mark.parametrize("n_rows", [0, 1, 3000])
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_the_mean_over_trees_is_that_of_scikit_learn(n_rows: int, n_outputs: int) -> None:
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(200 + n_rows, 8)).astype(np.float32)
    numbers[rng.random(numbers.shape) < 0.1] = np.nan
    truth = rng.integers(2, size=(200, n_outputs)) if n_outputs > 1 else rng.integers(4, size=200)
    forest = ExtraTreesClassifier(20, random_state=0, n_jobs=2).fit(numbers[:200], truth)
    shares = _mean_over_trees(forest, numbers[200:])
    assert shares.shape == (n_rows, n_outputs, 2 if n_outputs > 1 else 4)
    if n_rows:
        peer = forest.set_params(n_jobs=1).predict_proba(numbers[200:])
        np.testing.assert_array_equal(shares, np.stack(peer if n_outputs > 1 else [peer], axis=1))


def test_another_number_of_features_is_refused() -> None:
    rng = np.random.default_rng(0)
    forest = ExtraTreesClassifier(5, random_state=0).fit(rng.normal(size=(50, 4)), np.tile([0, 1], 25))
    with pytest.raises(ValueError, match="needs 4 features, and there are 3"):
        _mean_over_trees(forest, np.zeros((2, 3), dtype=np.float32))


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ("left_child", 10**6, "no later node"),
        ("right_child", 0, "no later node"),
        ("feature", 99, "no feature"),
        ("node_count", 10**6, "room for"),
    ],
)
def test_damaged_trees_are_refused(part: str, value: int, message: str) -> None:
    rng = np.random.default_rng(0)
    forest = ExtraTreesClassifier(3, random_state=0).fit(rng.normal(size=(50, 4)), np.tile([0, 1], 25))
    _check_trees(forest)
    tree = forest.estimators_[1].tree_
    state = tree.__getstate__()
    if part == "node_count":
        state[part] = value
    else:
        state["nodes"][part][0] = value
    tree.__setstate__(state)
    with pytest.raises(ValueError, match=message):
        _check_trees(forest)
