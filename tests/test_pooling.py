"""Pooling of windows, and the choice of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurist.errors import ConfigError
from aurist.metrics import metric
from aurist.pooling import POOLINGS, choose_pooling, pool, window_starts


@given(st.integers(0, 5000), st.integers(1, 900), st.integers(1, 900))
def test_windows_lie_in_the_clip_and_reach_its_end(n_samples: int, window: int, hop: int) -> None:
    starts = window_starts(n_samples, window, hop)
    assert starts[0] == 0
    assert (np.diff(starts) > 0).all()
    assert (np.diff(starts) <= hop).all()
    assert starts[-1] == max(0, n_samples - window)


@given(
    st.sampled_from(POOLINGS),
    st.booleans(),
    st.lists(st.integers(1, 6), min_size=1, max_size=8),
    st.integers(0, 99),
)
def test_pooling_does_not_care_for_the_order_of_windows(
    how: str, multilabel: bool, counts: list[int], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    clip = np.repeat(np.arange(len(counts)), counts)
    proba = rng.dirichlet(np.ones(4), len(clip))
    order = rng.permutation(len(clip))
    pooled = pool(proba, clip, len(counts), how, multilabel=multilabel)
    again = pool(proba[order], clip[order], len(counts), how, multilabel=multilabel)
    assert np.allclose(pooled, again)
    assert ((pooled >= 0) & (pooled <= 1 + 1e-12)).all()
    if not multilabel:
        assert np.allclose(pooled.sum(axis=1), 1)


@pytest.mark.parametrize("how", ["mean", "max", "top3"])
def test_a_single_window_is_its_clip(how: str) -> None:
    proba = np.array([[0.2, 0.5, 0.3], [0.1, 0.1, 0.8]])
    assert np.allclose(pool(proba, np.array([1, 0]), 2, how, multilabel=False), proba[::-1])


def test_known_values() -> None:
    proba = np.array([[0.9, 0.6], [0.1, 0.7], [0.2, 0.4], [0.8, 0.0]])
    clip = np.zeros(4, dtype=np.intp)
    expected = {"mean": [0.5, 0.425], "max": [0.9, 0.7], "top3": [1.9 / 3, 1.7 / 3], "vote": [0.5, 0.5]}
    for how, values in expected.items():
        assert np.allclose(pool(proba, clip, 1, how, multilabel=True), [values])


def test_a_clip_without_windows_and_an_unknown_pooling_are_errors() -> None:
    with pytest.raises(ConfigError, match="there are 2"):
        pool(np.ones((1, 2)) / 2, np.array([0]), 2, "mean", multilabel=False)
    with pytest.raises(ConfigError, match="median"):
        pool(np.ones((1, 2)) / 2, np.array([0]), 1, "median", multilabel=False)
    with pytest.raises(ConfigError, match="at least 1"):
        window_starts(10, 0, 1)


def test_each_fold_is_pooled_by_the_choice_of_the_others() -> None:
    truth = np.eye(2, dtype=np.int8)[[0, 1, 0, 1]]
    right, wrong = truth.astype(float), 1.0 - truth
    folds = np.array([0, 0, 1, 1])
    one = np.concatenate([right[:2], wrong[2:]])  # right on fold 0 alone
    other = np.concatenate([wrong[:2], right[2:]])  # right on fold 1 alone
    _, proba = choose_pooling({"one": one, "other": other}, truth, folds, "accuracy", multilabel=False)
    assert metric("accuracy")(truth, proba, multilabel=False) == 0.0
    name, proba = choose_pooling({"one": one, "best": right}, truth, folds, "accuracy", multilabel=False)
    assert name == "best"
    assert np.array_equal(proba[:2], right[:2])


def test_noise_gains_nothing_by_being_chosen() -> None:
    rng = np.random.default_rng(0)
    gained = []
    for _ in range(60):
        truth = np.eye(2, dtype=np.int8)[rng.integers(0, 2, 80)]
        pooled = {str(k): rng.dirichlet(np.ones(2), 80) for k in range(8)}
        _, proba = choose_pooling(pooled, truth, np.arange(80) % 4, "accuracy", multilabel=False)
        gained.append(metric("accuracy")(truth, proba, multilabel=False) - 0.5)
    # the best of eight noises claims some 0.08 more than chance where the choice is not nested
    assert abs(np.mean(gained)) < 3 * 0.5 / np.sqrt(80 * 60)
