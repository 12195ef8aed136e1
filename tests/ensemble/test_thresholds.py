"""Thresholds by class: known answers, properties, and no gain from labels that mean nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import f1_score

from aurist.ensemble.thresholds import GRID, LEVEL, f1_thresholds, nested_decisions, precision_thresholds
from aurist.metrics import UNKNOWN, metric
from aurist.metrics.proportion import wilson

SEEDS = st.integers(0, 10_000)


def labelled(
    seed: int, n: int = 300, shares: tuple[float, ...] = (0.5, 0.2, 0.05)
) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities that are low for rare classes, as those of models are, and the truth, some of it unknown."""
    rng = np.random.default_rng(seed)
    truth = (rng.random((n, len(shares))) < shares).astype(np.int8)
    logit = np.log(np.array(shares) / (1 - np.array(shares))) + 1.5 * truth + rng.normal(0, 1, truth.shape)
    truth[rng.random(truth.shape) < 0.1] = UNKNOWN
    return 1 / (1 + np.exp(-logit)), truth


@given(seed=SEEDS)
def test_what_is_unknown_does_not_count(seed: int) -> None:
    proba, truth = labelled(seed)
    other = np.where(truth == UNKNOWN, 1 - proba, proba)
    assert np.array_equal(f1_thresholds(proba, truth), f1_thresholds(other, truth))
    assert np.array_equal(precision_thresholds(proba, truth, 0.5), precision_thresholds(other, truth, 0.5))


@given(seed=SEEDS)
def test_order_and_weights_are_rows(seed: int) -> None:
    proba, truth = labelled(seed)
    rng = np.random.default_rng(seed)
    order, times = rng.permutation(len(proba)), rng.integers(0, 3, len(proba))
    rows = np.repeat(np.arange(len(proba)), times)
    weighted = f1_thresholds(proba, truth, times.astype(float))
    assert np.allclose(f1_thresholds(proba[rows], truth[rows]), weighted)
    assert np.array_equal(f1_thresholds(proba[order], truth[order]), f1_thresholds(proba, truth))


@given(seed=SEEDS, wanted=st.floats(0.05, 0.95))
def test_the_precision_is_surely_reached_and_by_no_lower_threshold(seed: int, wanted: float) -> None:
    proba, truth = labelled(seed)
    for column, chosen in enumerate(precision_thresholds(proba, truth, wanted)):

        def bound(threshold: float, column: int = column) -> float:
            named = (proba[:, column] >= threshold) & (truth[:, column] != UNKNOWN)
            hits = (truth[named, column] == 1).sum()
            return float(wilson(hits, named.sum(), LEVEL)[0]) if hits else 0.0

        assert all(bound(t) < wanted for t in GRID[chosen > GRID])
        assert np.isinf(chosen) or bound(chosen) >= wanted


@given(seed=SEEDS, low=st.floats(0.05, 0.9), more=st.floats(0, 0.5))
def test_more_precision_is_never_had_for_a_lower_threshold(seed: int, low: float, more: float) -> None:
    proba, truth = labelled(seed)
    assert (precision_thresholds(proba, truth, low) <= precision_thresholds(proba, truth, low + more)).all()


def test_a_class_of_many_positives_gets_its_own_best() -> None:
    proba, truth = labelled(0, n=20_000)
    chosen = f1_thresholds(proba, truth)
    assert chosen[0] > chosen[1] > chosen[2], "rarer classes are named from less on"
    for column, threshold in enumerate(chosen):
        is_known = truth[:, column] != UNKNOWN
        scores = [f1_score(truth[is_known, column], proba[is_known, column] >= t) for t in GRID[::3]]
        assert f1_score(truth[is_known, column], proba[is_known, column] >= threshold) > max(scores) - 0.01


def test_a_class_of_few_positives_gets_nearly_that_of_all() -> None:
    rng = np.random.default_rng(0)
    proba, truth = labelled(0, n=5000, shares=(0.3, 0.3, 0.3, 0.3))
    # of the last class two positives are known, one of them with next to no probability
    rows = rng.permutation(5000)
    truth[rows[:2], 3], truth[rows[2:], 3] = 1, 0
    proba[:, 3], proba[rows[0], 3], proba[rows[1], 3] = rng.uniform(0, 0.004, 5000), 0.003, 0.99
    chosen = f1_thresholds(proba, truth)
    assert abs(np.log(chosen[3] / (1 - chosen[3])) - np.log(chosen[0] / (1 - chosen[0]))) < 2.0
    alone = f1_thresholds(np.full((50, 1), 0.3), np.zeros((50, 1), np.int8))
    assert 0 < alone[0] < 1


def test_nested_rows_are_named_as_the_other_parts_would() -> None:
    proba, truth = labelled(1)
    part = np.arange(300) % 3
    decisions = nested_decisions(proba, truth, part)
    for name in range(3):
        here = part == name
        assert np.array_equal(decisions[here], proba[here] >= f1_thresholds(proba[~here], truth[~here]))
    assert np.array_equal(nested_decisions(proba, truth, np.zeros(300, np.int64)), proba >= 0.5)


def test_labels_shuffled_at_random_score_chance() -> None:
    """Chance is naming every class everywhere: F1 2p / (1 + p). Chosen on the very rows, it would be beaten."""
    nested, chosen_there, chance = [], [], []
    for seed in range(30):
        proba, truth = labelled(seed, n=150, shares=(0.2, 0.1, 0.05))
        truth = np.random.default_rng(seed).permutation(np.abs(truth))
        part = np.arange(150) % 5
        nested.append(metric("f1_macro")(truth, nested_decisions(proba, truth, part), multilabel=True))
        there = (proba >= f1_thresholds(proba, truth)).astype(float)
        chosen_there.append(metric("f1_macro")(truth, there, multilabel=True))
        p = truth.mean(axis=0)
        chance.append(np.mean(2 * p / (1 + p)))
    assert np.mean(nested) < np.mean(chance) + 0.01
    assert np.mean(nested) > 0.5 * np.mean(chance)
    assert np.mean(chosen_there) > np.mean(nested)


def test_thresholds_are_worth_it_where_classes_are_rare() -> None:
    proba, truth = labelled(2, n=2000)
    part = np.arange(2000) % 5
    half = metric("f1_macro")(truth, proba, multilabel=True)
    assert metric("f1_macro")(truth, nested_decisions(proba, truth, part), multilabel=True) > half + 0.05


def test_wilson_is_the_published_interval() -> None:
    for hits, n in ((0, 5), (3, 7), (95, 100), (4, 4)):
        low, high = wilson(hits, n)
        interval = binomtest(hits, n).proportion_ci(method="wilson")
        assert (float(low), float(high)) == pytest.approx((interval.low, interval.high))
