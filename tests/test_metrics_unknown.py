"""Cells of the truth of which nobody knows are left out of every metric, table and choice."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurist.calibration import choose_temperature
from aurist.ensemble.duplicates import learn_duplicates
from aurist.errors import DataError
from aurist.metrics import METRICS, UNKNOWN, metric
from aurist.results.bootstrap import all_scores
from aurist.results.chance import chance
from aurist.results.tables import per_class, reliability
from aurist.splits import assign_folds

MULTI = [name for name, measure in METRICS.items() if measure.multilabel]
SEEDS = st.integers(0, 10_000)


def partly(seed: int, n: int = 40, n_classes: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth with unknown cells, probabilities, and other ones that differ in those cells alone."""
    rng = np.random.default_rng(seed)
    truth = (rng.random((n, n_classes)) < 0.4).astype(np.int8)
    truth[rng.random(truth.shape) < 0.4] = UNKNOWN
    proba = np.round(rng.random(truth.shape), 1)
    return truth, proba, np.where(truth == UNKNOWN, rng.random(truth.shape), proba)


@pytest.mark.parametrize("name", MULTI)
@given(seed=SEEDS)
def test_what_is_said_of_unknown_cells_does_not_count(name: str, seed: int) -> None:
    truth, proba, other = partly(seed)
    weight = np.random.default_rng(seed).integers(0, 3, len(truth))
    assert metric(name)(truth, proba, weight) == pytest.approx(
        metric(name)(truth, other, weight), nan_ok=True
    )


@pytest.mark.parametrize("name", ["roc_auc", "average_precision", "f1_macro"])
@given(seed=SEEDS)
def test_by_class_it_is_the_score_of_the_rows_that_are_known(name: str, seed: int) -> None:
    truth, proba, _ = partly(seed)
    own = []
    for column in range(truth.shape[1]):
        rows = truth[:, column] != UNKNOWN
        own.append(metric(name)(truth[rows][:, [column]], proba[rows][:, [column]], multilabel=True))
    assert metric(name)(truth, proba) == pytest.approx(np.nanmean(own))


@given(seed=SEEDS)
def test_over_all_cells_it_is_the_score_of_those_that_are_known(seed: int) -> None:
    truth, proba, _ = partly(seed)
    is_known = truth != UNKNOWN
    flat, flat_proba = truth[is_known][:, None], proba[is_known][:, None]
    for name in ("f1_micro", "log_loss"):
        assert metric(name)(truth, proba) == pytest.approx(metric(name)(flat, flat_proba, multilabel=True))


def test_known_values() -> None:
    truth = np.array([[1, UNKNOWN, 0], [UNKNOWN, UNKNOWN, UNKNOWN], [0, 1, 1]])
    proba = np.array([[0.6, 0.9, 0.1], [0.9, 0.9, 0.9], [0.2, 0.4, 0.8]])
    assert metric("accuracy")(truth, proba) == 0.5  # of two rows of which something is known
    assert metric("lwlrap")(truth, proba) == 1.0  # what ranks above the first label is unknown
    assert chance(truth, "f1_micro", multilabel=True) == 0.5  # says b alone: a hit, of 3 labels
    table = per_class(truth, proba, ["a", "b", "c"])
    assert table["n"].tolist() == [1, 1, 1] and table["precision"].tolist()[::2] == [1.0, 1.0]
    assert reliability(truth, proba)["n"].sum() == 5


def test_one_label_a_row_has_no_unknown_cells() -> None:
    truth = np.array([[1, 0], [UNKNOWN, 1]])
    with pytest.raises(DataError, match="exactly one label"):
        metric("accuracy")(truth, np.full((2, 2), 0.5), multilabel=False)
    with pytest.raises(DataError, match="-1 if it is unknown"):
        metric("accuracy")(np.array([[2, 0]]), np.full((1, 2), 0.5))


def test_intervals_and_choices_leave_them_out() -> None:
    truth, proba, other = partly(3, n=80)
    groups = np.arange(80) // 4
    assert all_scores(truth, proba, groups, rounds=50).equals(all_scores(truth, other, groups, rounds=50))
    temperature = choose_temperature(proba, truth, multilabel=True)
    assert choose_temperature(other, truth, multilabel=True) == pytest.approx(temperature)
    assert choose_temperature(proba, np.full_like(truth, UNKNOWN), multilabel=True) == 1.0
    folds = assign_folds(truth, groups, 4, seed=0)
    assert (folds == assign_folds(np.maximum(truth, 0), groups, 4, seed=0)).all()


def test_twins_say_what_is_known_of_them() -> None:
    keys = np.array([1, 1, 1, 2], dtype=np.uint64)
    truth = np.array([[1, UNKNOWN], [1, UNKNOWN], [UNKNOWN, 0], [0, 1]], dtype=np.int8)
    proba = np.full((4, 2), 0.5)
    seen, _ = learn_duplicates(keys, proba, truth, np.array([0, 1, 2, 0]), multilabel=True)
    answer = seen.answer(np.array([1], dtype=np.uint64), np.full((1, 2), 0.5))[0]
    s = seen.twins.strength
    # two say yes and none no of the first label; one says no of the second
    assert answer == pytest.approx([(0.5 * s + 2) / (s + 2), 0.5 * s / (s + 1)])
