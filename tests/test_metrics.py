"""Every metric against scikit-learn, ties and weights included, and against its published definition."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import given
from hypothesis import strategies as st

from aurist.errors import ConfigError, DataError
from aurist.metrics import ALIASES, METRICS, metric, top_k

SINGLE = [name for name, measure in METRICS.items() if measure.singlelabel]
MULTI = [name for name, measure in METRICS.items() if measure.multilabel]


def single(seed: int, n: int = 60, n_classes: int = 6, levels: int | None = None):
    """Labels, indicator matrix, probabilities (of few levels, so that many are equal), multiplicities."""
    rng = np.random.default_rng(seed)
    y = rng.integers(n_classes, size=n)
    truth = np.eye(n_classes, dtype=np.int8)[y]
    proba = rng.dirichlet(np.ones(n_classes), size=n) + 0.3 * truth
    proba /= proba.sum(axis=1, keepdims=True)
    if levels is not None:
        proba = np.round(proba * levels) / levels
    return y, truth, proba, rng.integers(0, 3, size=n)


def several(seed: int, n: int = 60, n_classes: int = 6, levels: int | None = None):
    rng = np.random.default_rng(seed)
    truth = (rng.random((n, n_classes)) < 0.3).astype(np.int8)
    proba = np.clip(rng.random((n, n_classes)) * 0.7 + 0.3 * truth, 0, 1)
    if levels is not None:
        proba = np.round(proba * levels) / levels
    return truth, proba, rng.integers(0, 3, size=n)


def sk_macro_over_classes(function, truth, proba, weight):
    """scikit-learn's score of each class, mean over those that have it."""
    scores = []
    for column in range(truth.shape[1]):
        y, kept = truth[:, column], weight > 0
        if len(np.unique(y[kept])) == 2 or (function is sk.average_precision_score and y[kept].any()):
            scores.append(function(y[kept], proba[kept, column], sample_weight=weight[kept]))
    return np.mean(scores)


def sk_single(name, y, truth, proba, weight):
    rows = np.repeat(np.arange(len(y)), weight)  # what a weight means: the row counts that often
    y, truth, proba = y[rows], truth[rows], proba[rows]
    predicted = proba.argmax(axis=1)
    labels = np.arange(truth.shape[1])
    if name.startswith("f1_"):
        return sk.f1_score(y, predicted, average=name[3:])
    if name.startswith("top_"):
        # scikit-learn takes the last of equal scores, we the first: turn the columns round
        turned = truth.shape[1] - 1 - y
        return sk.top_k_accuracy_score(turned, proba[:, ::-1], k=int(name[4:]), labels=labels)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # rounded probabilities do not sum to 1
        return {
            "accuracy": lambda: sk.accuracy_score(y, predicted),
            "balanced_accuracy": lambda: sk.balanced_accuracy_score(y, predicted),
            "log_loss": lambda: -sk.log_loss(y, proba, labels=labels),
            "roc_auc": lambda: sk_macro_over_classes(sk.roc_auc_score, truth, proba, np.ones(len(y))),
            "average_precision": lambda: sk_macro_over_classes(
                sk.average_precision_score, truth, proba, np.ones(len(y))
            ),
            "lwlrap": lambda: sk.label_ranking_average_precision_score(truth, proba),
        }[name]()


def sk_several(name, truth, proba, weight):
    rows = np.repeat(np.arange(len(truth)), weight)
    truth, proba = truth[rows], proba[rows]
    decided = (proba > 0.5).astype(int)
    ones = np.ones(len(truth))
    if name.startswith("f1_"):
        return sk.f1_score(truth, decided, average=name[3:], zero_division=0)
    return {
        "accuracy": lambda: sk.accuracy_score(truth, decided),
        "log_loss": lambda: (
            -np.mean([sk.log_loss(t, p, labels=[0, 1]) for t, p in zip(truth.T, proba.T, strict=True)])
        ),
        "roc_auc": lambda: sk_macro_over_classes(sk.roc_auc_score, truth, proba, ones),
        "average_precision": lambda: sk_macro_over_classes(sk.average_precision_score, truth, proba, ones),
        "lwlrap": lambda: sk.label_ranking_average_precision_score(
            truth, proba, sample_weight=truth.sum(axis=1)
        ),
    }[name]()


@pytest.mark.parametrize("levels", [None, 10, 3])
@pytest.mark.parametrize("name", SINGLE)
def test_single_label_agrees_with_scikit_learn(name, levels):
    for seed in range(5):
        y, truth, proba, weight = single(seed, levels=levels)
        for weights in (np.ones(len(y), dtype=int), weight):
            expected = sk_single(name, y, truth, proba, weights)
            assert metric(name)(truth, proba, weights) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("levels", [None, 10, 3])
@pytest.mark.parametrize("name", MULTI)
def test_several_labels_agree_with_scikit_learn(name, levels):
    for seed in range(5):
        truth, proba, weight = several(seed, levels=levels)
        for weights in (np.ones(len(truth), dtype=int), weight):
            expected = sk_several(name, truth, proba, weights)
            assert metric(name)(truth, proba, weights) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    "name", ["accuracy", "f1_macro", "f1_micro", "f1_weighted", "roc_auc", "average_precision"]
)
def test_fractional_weights_agree_with_scikit_learn(name):
    y, truth, proba, _ = single(3, levels=10)
    weight = np.random.default_rng(1).random(len(y)) + 0.01
    predicted = proba.argmax(axis=1)
    expected = {
        "accuracy": lambda: sk.accuracy_score(y, predicted, sample_weight=weight),
        "roc_auc": lambda: sk_macro_over_classes(sk.roc_auc_score, truth, proba, weight),
        "average_precision": lambda: sk_macro_over_classes(sk.average_precision_score, truth, proba, weight),
    }.get(name, lambda: sk.f1_score(y, predicted, average=name[3:], sample_weight=weight))()
    assert metric(name)(truth, proba, weight) == pytest.approx(expected, abs=1e-12)


def test_f1_macro_with_absent_classes_agrees_with_scikit_learn():
    # class 2 is decided for and never true, class 3 neither, class 4 true and never decided for
    y, predicted = np.array([0, 0, 1, 4]), np.array([0, 2, 1, 0])
    ours = metric("f1_macro")(np.eye(5)[y], np.eye(5)[predicted])
    assert ours == pytest.approx(sk.f1_score(y, predicted, average="macro", zero_division=0))
    assert ours == pytest.approx((0.5 + 1 + 0 + 0) / 4)


def contest_lwlrap(truth, scores):
    """LWLRAP as the contests publish it: per-class lwlrap, weighted by the share of the labels."""
    n_rows, n_classes = truth.shape
    precisions = np.zeros((n_rows, n_classes))
    for row in range(n_rows):
        positive = np.flatnonzero(truth[row] > 0)
        retrieved = np.argsort(scores[row])[::-1]
        rankings = np.zeros(n_classes, dtype=int)
        rankings[retrieved] = range(n_classes)
        retrieved_true = np.zeros(n_classes, dtype=bool)
        retrieved_true[rankings[positive]] = True
        cumulative_hits = np.cumsum(retrieved_true)
        precisions[row, positive] = cumulative_hits[rankings[positive]] / (
            1 + rankings[positive].astype(float)
        )
    labels_per_class = np.sum(truth > 0, axis=0)
    weight_per_class = labels_per_class / labels_per_class.sum()
    per_class = precisions.sum(axis=0) / np.maximum(1, labels_per_class)
    return np.sum(per_class * weight_per_class)


@pytest.mark.parametrize("seed", range(5))
def test_lwlrap_is_the_contests(seed):
    truth, proba, _ = several(seed, n=40, n_classes=24)
    assert metric("lwlrap")(truth, proba) == pytest.approx(contest_lwlrap(truth, proba), abs=1e-12)


@given(
    st.sampled_from(sorted(METRICS)),
    st.integers(0, 10_000),
    st.integers(1, 30),
    st.integers(2, 7),
    st.sampled_from([None, 2, 5]),
)
def test_a_weight_is_a_multiplicity(name, seed, n, n_classes, levels):
    _, truth, proba, weight = single(seed, n, n_classes, levels)
    rows = np.repeat(np.arange(n), weight)
    weighted = metric(name)(truth, proba, weight, multilabel=False)
    repeated = metric(name)(truth[rows], proba[rows], multilabel=False)
    np.testing.assert_allclose(weighted, repeated, atol=1e-12)


@given(st.sampled_from(MULTI), st.integers(0, 10_000), st.integers(1, 30), st.integers(1, 7))
def test_many_weightings_at_once_are_each_alone(name, seed, n, n_classes):
    truth, proba, _ = several(seed, n, n_classes, levels=5)
    weights = np.random.default_rng(seed).random((n, 4)) * (
        np.random.default_rng(seed + 1).random((n, 4)) < 0.7
    )
    together = metric(name).scorer(truth, proba, multilabel=True)(weights)
    alone = [metric(name)(truth, proba, column, multilabel=True) for column in weights.T]
    np.testing.assert_allclose(together, alone, atol=1e-9)


@given(st.sampled_from(SINGLE), st.integers(0, 10_000), st.integers(2, 40), st.integers(2, 6))
def test_perfect_is_best_and_order_does_not_matter(name, seed, n, n_classes):
    _, truth, proba, _ = single(seed, n, n_classes)
    score = metric(name)
    order = np.random.default_rng(seed).permutation(n)
    np.testing.assert_allclose(score(truth[order], proba[order]), score(truth, proba), atol=1e-12)
    best = score(truth, truth.astype(float))
    if not np.isnan(best):  # no class has both positives and negatives
        assert best >= score(truth, proba) - 1e-12
        assert best == pytest.approx(0 if name == "log_loss" else 1, abs=1e-12)


def test_known_values():
    truth = np.eye(3)[[0, 1, 2]]
    even = np.full((3, 3), 1 / 3)
    assert metric("log_loss")(truth, even) == pytest.approx(-np.log(3))
    assert metric("roc_auc")(truth, even) == pytest.approx(0.5)
    assert metric("average_precision")(truth, even) == pytest.approx(1 / 3)
    assert metric("lwlrap")(truth, even) == pytest.approx(1 / 3)  # equals share the lower rank
    assert metric("accuracy")(truth, even) == pytest.approx(1 / 3)  # the first of equals
    assert top_k(truth, even, k=2) == pytest.approx(2 / 3)
    assert top_k(truth, even, k=1) == metric("accuracy")(truth, even)


def test_one_label_a_row_by_chance_is_still_multilabel_where_it_is_said_to_be():
    truth, proba = np.eye(2), np.array([[0.9, 0.8], [0.1, 0.4]])
    assert metric("accuracy")(truth, proba) == 1.0
    assert metric("accuracy")(truth, proba, multilabel=True) == 0.0


@pytest.mark.parametrize("name", sorted(METRICS))
def test_nothing_to_score_is_nan(name):
    nothing = np.zeros((0, 3))
    assert np.isnan(metric(name)(nothing, nothing))
    assert np.isnan(metric(name)(np.eye(3), np.eye(3), np.zeros(3)))


def test_classes_without_positives_or_negatives_are_left_out_of_auc():
    truth = np.array([[1, 0, 1], [1, 0, 0]])
    proba = np.array([[0.2, 0.3, 0.9], [0.1, 0.6, 0.4]])
    assert metric("roc_auc")(truth, proba) == 1.0
    assert metric("roc_auc")(truth, proba, np.array([0.3, 0.1])) == 1.0
    assert np.isnan(metric("roc_auc")(truth[:, :2], proba[:, :2]))
    assert metric("average_precision")(truth, proba) == 1.0


@pytest.mark.parametrize("name", ["balanced_accuracy", "top_3", "top_5"])
def test_metrics_of_one_label_refuse_several(name):
    with pytest.raises(DataError, match="one label per row"):
        metric(name)(np.array([[1, 1], [0, 1]]), np.full((2, 2), 0.5))


def test_bad_arrays_are_named():
    with pytest.raises(DataError, match=r"\(2, 2\).*\(2, 3\)"):
        metric("accuracy")(np.eye(2), np.ones((2, 3)))
    with pytest.raises(DataError, match=r"1 of 2 rows.*\n  row 1: \[nan"):
        metric("accuracy")(np.eye(2), np.array([[0.5, 0.5], [np.nan, 0.5]]))
    with pytest.raises(DataError, match="0 and 1"):
        metric("accuracy")(np.eye(2) * 2, np.ones((2, 2)))
    with pytest.raises(DataError, match="row 1: 2 labels"):
        metric("accuracy")(np.array([[1, 0], [1, 1]]), np.ones((2, 2)), multilabel=False)
    for weight in ([1.0], [1.0, -1.0], [1.0, np.nan]):
        with pytest.raises(DataError, match="2 numbers, none negative"):
            metric("accuracy")(np.eye(2), np.eye(2), weight)


def test_names():
    assert all(metric(alias).name == name for alias, name in ALIASES.items())
    assert all(name == chosen.name for name, chosen in METRICS.items())
    with pytest.raises(ConfigError, match=r"'lrap'\. Did you mean 'lwlrap'\? There are: accuracy, .*top_5"):
        metric("lrap")
    with pytest.raises(ConfigError, match=r"'qqqq'\. There are"):
        metric("qqqq")
