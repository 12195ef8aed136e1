"""Raise the probabilities of rare classes, for metrics that count every class alike.

The most probable class maximises the accuracy. Macro F1 and balanced accuracy gain if rare classes are predicted
more often: dividing by a power of the class's share does that with a single number. It is chosen on other rows than the
scored ones.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from aurist.arrays import Proba
from aurist.metrics import metric

#: Metrics that count every class alike, even if it is rare.
LEVEL_METRICS = ("f1_macro", "balanced_accuracy")
POWERS = tuple(round(0.05 * step, 2) for step in range(21))


def correct_prior(proba: Proba, prior: npt.NDArray[np.float64], power: float) -> Proba:
    """Divide by ``prior ** power`` and normalise again.

    Examples
    --------
    >>> correct_prior(np.array([[0.6, 0.4]]), np.array([0.9, 0.1]), power=0.5).round(2).tolist()
    [[0.33, 0.67]]
    """
    if power == 0:
        return proba
    out: Proba = proba / np.maximum(prior, 1e-9) ** power
    out /= out.sum(axis=1, keepdims=True)
    return out


def choose_power(
    proba: Proba,
    truth: npt.NDArray[np.int8],
    prior: npt.NDArray[np.float64],
    metric_name: str,
    row_weight: npt.NDArray[np.float64] | None = None,
) -> float:
    """Choose the power with the best score; 0 for a metric that does not gain.

    The scores of neighbouring powers are averaged to ignore random peaks.
    """
    if metric_name not in LEVEL_METRICS:
        return 0.0
    chosen = metric(metric_name)
    scores = [
        chosen(truth, correct_prior(proba, prior, power), row_weight, multilabel=False) for power in POWERS
    ]
    padded = np.pad(scores, 2, mode="edge")
    smooth = np.convolve(padded, np.ones(5) / 5, mode="valid")
    return POWERS[int(np.argmax(smooth))]


def nested_powers(
    proba: Proba,
    truth: npt.NDArray[np.int8],
    part: npt.NDArray[np.int64],
    prior: npt.NDArray[np.float64],
    metric_name: str,
    row_weight: npt.NDArray[np.float64] | None = None,
) -> npt.NDArray[np.float64]:
    """Give for each row the power that is chosen on the other parts, (n,)."""
    powers = np.zeros(len(truth))
    for name in np.unique(part):
        others = part != name
        weight = None if row_weight is None else row_weight[others]
        powers[~others] = choose_power(proba[others], truth[others], prior, metric_name, weight)
    return powers


def correct_prior_rows(
    proba: Proba, prior: npt.NDArray[np.float64], powers: npt.NDArray[np.float64]
) -> Proba:
    """Correct each row by its own power."""
    out = np.empty_like(proba)
    for power in np.unique(powers):
        rows = powers == power
        out[rows] = correct_prior(proba[rows], prior, float(power))
    return out
