"""Calibrate probabilities with a temperature: of predictions with a probability of 0.8, 80% shall be right.

Source: C. Guo et al., "On calibration of modern neural networks", ICML 2017. One temperature for all classes does not
change the ranking within a row.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from aurist.arrays import Proba
from aurist.metrics import UNKNOWN, metric

_COLDEST, _HOTTEST = 0.1, 10.0
#: The weight, in rows, of a temperature of 1. Few rows are often all predicted right, and would give almost 0.
_PRIOR_ROWS = 5.0
LEAST = 1e-9


def apply_temperature(proba: Proba, temperature: float, *, multilabel: bool) -> Proba:
    """Divide the logits by a temperature; above 1 the probabilities become less extreme.

    Examples
    --------
    >>> apply_temperature(np.array([[0.8, 0.2]]), 2.0, multilabel=False).round(3).tolist()
    [[0.667, 0.333]]
    """
    if temperature == 1:
        return proba
    logs = np.log(np.maximum(proba, LEAST))
    if multilabel:
        logit = logs - np.log(np.maximum(1 - proba, LEAST))
        return np.asarray(1 / (1 + np.exp(-logit / temperature)))
    # a probability of 0 stays 0: a network never saw that class
    out = np.where(proba > 0, np.exp((logs - logs.max(axis=1, keepdims=True)) / temperature), 0.0)
    return np.asarray(out / out.sum(axis=1, keepdims=True))


def choose_temperature(
    proba: Proba,
    truth: npt.NDArray[np.int8],
    row_weight: npt.NDArray[np.float64] | None = None,
    *,
    multilabel: bool,
) -> float:
    """Find the temperature with the best log loss, closer to 1 with few rows. Return 1 if no label is known."""
    from scipy.optimize import minimize_scalar

    if not (truth != UNKNOWN).any():
        return 1.0
    log_loss = metric("log_loss")
    prior_strength = _PRIOR_ROWS / max(1, len(truth))

    def cost(log_temperature: float) -> float:
        calibrated = apply_temperature(proba, float(np.exp(log_temperature)), multilabel=multilabel)
        return (
            -log_loss(truth, calibrated, row_weight, multilabel=multilabel)
            + prior_strength * log_temperature**2
        )

    result = minimize_scalar(cost, bounds=(np.log(_COLDEST), np.log(_HOTTEST)), method="bounded")
    return float(np.exp(result.x))


def nested_temperatures(
    proba: Proba,
    truth: npt.NDArray[np.int8],
    part: npt.NDArray[np.int64],
    row_weight: npt.NDArray[np.float64] | None = None,
    *,
    multilabel: bool,
) -> dict[int, float]:
    """Choose a temperature for each part on the other parts."""
    temperatures = {}
    for name in np.unique(part):
        others = part != name
        weight = None if row_weight is None else row_weight[others]
        temperatures[int(name)] = choose_temperature(
            proba[others], truth[others], weight, multilabel=multilabel
        )
    return temperatures


def apply_temperatures(
    proba: Proba, part: npt.NDArray[np.int64], temperatures: dict[int, float], *, multilabel: bool
) -> Proba:
    """Apply to each part its own temperature."""
    out = np.empty_like(proba)
    for name, temperature in temperatures.items():
        rows = part == name
        out[rows] = apply_temperature(proba[rows], temperature, multilabel=multilabel)
    return out
