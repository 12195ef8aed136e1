"""Temperatures: sure as often as right, chosen on rows that they are not scored on."""

import numpy as np
import pytest

from aurist.calibration import apply_temperature, apply_temperatures, choose_temperature, nested_temperatures
from aurist.metrics import metric
from aurist.results.tables import ece


def calibrated(n: int = 4000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    proba = rng.dirichlet([0.7, 0.5, 0.3], n)
    label = np.array([rng.choice(3, p=row) for row in proba])
    return np.eye(3, dtype=np.int8)[label], proba


@pytest.mark.parametrize("spoilt", [0.5, 1.0, 2.5])
def test_the_temperature_that_spoilt_probabilities_is_found(spoilt: float) -> None:
    truth, proba = calibrated()
    worse = apply_temperature(proba, spoilt, multilabel=False)
    temperature = choose_temperature(worse, truth, multilabel=False)
    assert temperature == pytest.approx(1 / spoilt, rel=0.1)
    better = apply_temperature(worse, temperature, multilabel=False)
    assert ece(truth, better) < 0.03 and (better.argmax(axis=1) == proba.argmax(axis=1)).all()


def test_of_several_labels_each_is_tempered_by_itself() -> None:
    rng = np.random.default_rng(0)
    proba = rng.uniform(0.02, 0.98, (3000, 4))
    truth = (rng.uniform(size=proba.shape) < proba).astype(np.int8)
    worse = apply_temperature(proba, 3.0, multilabel=True)
    assert np.allclose(apply_temperature(worse, 1 / 3, multilabel=True), proba)
    assert choose_temperature(worse, truth, multilabel=True) == pytest.approx(1 / 3, rel=0.1)


def test_few_rows_that_are_all_right_do_not_make_it_certain() -> None:
    truth = np.eye(3, dtype=np.int8)[[0, 1, 2]]
    proba = 0.6 * truth + 0.4 / 3
    tempered = apply_temperature(proba, choose_temperature(proba, truth, multilabel=False), multilabel=False)
    assert 0.7 < tempered.max() < 0.999


def test_what_is_impossible_stays_so_and_rows_stay_distributions() -> None:
    proba = np.array([[0.0, 0.3, 0.7], [1.0, 0.0, 0.0]])
    tempered = apply_temperature(proba, 3.0, multilabel=False)
    assert tempered[0, 0] == 0 and tempered[1].tolist() == [1, 0, 0]
    assert np.allclose(tempered.sum(axis=1), 1)
    assert apply_temperature(proba, 1.0, multilabel=False) is proba


def test_the_rows_of_a_part_have_no_say_in_their_own_temperature() -> None:
    truth, proba = calibrated(600)
    part = np.arange(600) % 3
    other = truth.copy()
    other[part == 1] = np.roll(truth[part == 1], 1, axis=1)
    a, b = (nested_temperatures(proba, t, part, multilabel=False) for t in (truth, other))
    assert a[1] == b[1] and a[0] != b[0]


def test_nested_temperatures_better_the_log_loss() -> None:
    truth, proba = calibrated()
    cold = apply_temperature(proba, 0.4, multilabel=False)
    part = np.arange(len(truth)) % 5
    tempered = apply_temperatures(
        cold, part, nested_temperatures(cold, truth, part, multilabel=False), multilabel=False
    )
    log_loss = metric("log_loss")
    assert log_loss(truth, tempered) > log_loss(truth, cold) + 0.1
    assert log_loss(truth, tempered) == pytest.approx(log_loss(truth, proba), abs=0.005)
