"""The score of one who knows nothing of the rows: what every other score is to be held against.

Two such answers are compared, and the better one counts. The one says of every row how frequent the classes are. The
other gives good answers in random order; where classes have few positives it scores more than it seems it should:
average precision of random scores is above the share of the positives.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from aurist.metrics import UNKNOWN, Metric, metric
from aurist.metrics.scorer import Floats, Truth


def chance(truth: Truth, metric: Metric | str, *, multilabel: bool | None = None) -> float:
    """Score one who knows only how frequent the classes are: says so of every row, or guesses by it.

    Parameters
    ----------
    truth
        (n, n_classes), as the metrics take it.
    metric
        A metric or its name.
    multilabel
        Whether rows may have several labels; seen from the truth where not given.

    Returns
    -------
    float
        The higher of the two scores, the second as expected over all orders; NaN without rows.

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
    some = positives > 0
    if not some.any():
        return constant
    return max(constant, _in_random_order(chosen.name, positives[some], rows[some]))


def named_metric(given: Metric | str) -> Metric:
    """The metric, given or by its name."""
    return metric(given) if isinstance(given, str) else given


def _in_random_order(name: str, positives: npt.NDArray[np.int64], rows: npt.NDArray[np.int64]) -> float:
    """The expected score of the right answers in random order, of classes that have positives; -inf of metrics that
    give the constant as much or more."""
    share = positives / rows
    if name == "average_precision":
        return float(np.mean([_random_precision(p, n) for p, n in zip(positives, rows, strict=True)]))
    if name == "f1_macro":
        # as many are named as there are: precision and recall are both the share, whatever the class
        return float(share.mean())
    if name == "f1_weighted":
        return float(np.average(share, weights=positives))
    return float("-inf")


def _random_precision(positives: int, rows: int) -> float:
    """The expected average precision of ``positives`` among ``rows`` in random order.

    At rank k a positive stands with the probability P / n; of the k - 1 before it (P - 1) / (n - 1) are positive. So
    the precision there is expected to be (1 + (k - 1) (P - 1) / (n - 1)) / k, and the mean over all ranks is the value.
    """
    ranks: Floats = np.arange(1, rows + 1, dtype=np.float64)
    before = (positives - 1) / max(rows - 1, 1)
    return float(np.mean((1 + (ranks - 1) * before) / ranks))
