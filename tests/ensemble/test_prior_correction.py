import numpy as np

from aurist.ensemble.prior_correction import choose_power, correct_prior, correct_prior_rows, nested_powers
from aurist.metrics import metric


def rare_class(n: int = 4000, seed: int = 0):
    """Calibrated probabilities of which the most probable class is seldom the rare one."""
    rng = np.random.default_rng(seed)
    prior = np.array([0.85, 0.1, 0.05])
    proba = rng.dirichlet(prior * 4, n)
    label = np.array([rng.choice(3, p=row) for row in proba])
    return np.eye(3, dtype=np.int8)[label], proba, prior


def test_a_tilt_raises_macro_f1_on_rows_that_did_not_choose_it() -> None:
    truth, proba, prior = rare_class()
    part = np.arange(len(truth)) % 5
    powers = nested_powers(proba, truth, part, prior, "f1_macro")
    f1 = metric("f1_macro")
    assert f1(truth, correct_prior_rows(proba, prior, powers)) > f1(truth, proba) + 0.01


def test_metrics_that_gain_nothing_are_left_alone() -> None:
    truth, proba, prior = rare_class(200)
    for name in ("accuracy", "log_loss", "roc_auc"):
        assert choose_power(proba, truth, prior, name) == 0
    assert correct_prior(proba, prior, 0.0) is proba


def test_the_rows_of_a_part_have_no_say_in_their_own_power() -> None:
    truth, proba, prior = rare_class(1000)
    part = np.arange(1000) % 4
    other = truth.copy()
    other[part == 2] = np.roll(truth[part == 2], 1, axis=1)
    a, b = (nested_powers(proba, t, part, prior, "f1_macro") for t in (truth, other))
    assert (a[part == 2] == b[part == 2]).all()


def test_rows_stay_distributions() -> None:
    _, proba, prior = rare_class(100)
    tilted = correct_prior(proba, prior, 0.7)
    assert np.allclose(tilted.sum(axis=1), 1)
    assert (tilted[:, 2] >= proba[:, 2]).all()
