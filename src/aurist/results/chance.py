"""Compute the score of guessing, to compare every other score with.

Two guesses are compared, and the better one counts. The first predicts the class frequencies for every row. The second
gives the right answers in random order. If classes have few positives, it scores more than one may expect: the average
precision of random scores is above the share of the positives.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from aurist.metrics import UNKNOWN, Metric, metric
from aurist.metrics.scorer import Floats, Truth


def chance(truth: Truth, metric: Metric | str, *, multilabel: bool | None = None) -> float:
    """Score a guess that knows only the class frequencies: constant, or in random order.

    Parameters
    ----------
    truth
        (n, n_classes), as in the metrics.
    metric
        A metric or its name.
    multilabel
        Whether rows may have several labels; taken from the truth if not given.

    Returns
    -------
    float
        The higher of the two scores; the second is the expectation over all orders. NaN if there are no rows.

    Examples
    --------
    >>> truth = np.eye(2)[[0, 0, 0, 1]]
    >>> chance(truth, "accuracy"), chance(truth, "roc_auc"), chance(truth, "f1_macro")
    (0.75, 0.5, 0.5)
    """
    truth = np.asarray(truth)
    if not len(truth):
        return float("nan")
    chosen = named_metric(metric)
    positives, rows = (truth == 1).sum(axis=0), (truth != UNKNOWN).sum(axis=0)
    prior = np.broadcast_to(positives / np.maximum(rows, 1), truth.shape)
    constant = chosen(truth, prior, multilabel=multilabel)
    present = positives > 0
    if not present.any():
        return constant
    return max(constant, _in_random_order(chosen.name, positives[present], rows[present]))


def named_metric(given: Metric | str) -> Metric:
    """Return the metric, given as such or by its name."""
    return metric(given) if isinstance(given, str) else given


def _in_random_order(name: str, positives: npt.NDArray[np.int64], rows: npt.NDArray[np.int64]) -> float:
    """Expected score of the right answers in random order, for classes with positives.

    It is -inf for metrics by which the constant guess scores as much or more.
    """
    share = positives / rows
    if name == "average_precision":
        return float(np.mean([_random_precision(p, n) for p, n in zip(positives, rows, strict=True)]))
    if name == "f1_macro":
        # as many positives are predicted as there are: precision and recall both equal the share of each class
        return float(share.mean())
    if name == "f1_weighted":
        return float(np.average(share, weights=positives))
    return float("-inf")


def _random_precision(positives: int, rows: int) -> float:
    """Expected average precision of ``positives`` among ``rows`` in random order.

    Rank k holds a positive with probability P / n. Of the k - 1 ranks before it, a share of (P - 1) / (n - 1) is
    positive. So the expected precision there is (1 + (k - 1) (P - 1) / (n - 1)) / k. The result is the mean over all
    ranks.
    """
    ranks: Floats = np.arange(1, rows + 1, dtype=np.float64)
    before = (positives - 1) / max(rows - 1, 1)
    return float(np.mean((1 + (ranks - 1) * before) / ranks))
