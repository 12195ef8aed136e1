"""From which probability each class is named, where clips may have several labels: chosen out of fold.

A threshold for each class that maximises its F1 is SCut; on classes of few positives it follows chance, as its author
found (Y. Yang, "A study of thresholding strategies for text categorization", SIGIR 2001). Here the counts of each class
are smoothed: to its hits, false alarms and misses at every threshold are added those of all classes together, scaled
to `PRIOR` positives, as an m-estimate adds the prior's cases (B. Cestnik, "Estimating probabilities", ECAI 1990). A
class of few positives gets nearly the threshold that suits all, one of many its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aurist.arrays import Proba
from aurist.metrics.proportion import wilson

Truth = npt.NDArray[np.int8]
Thresholds = npt.NDArray[np.float64]

#: What is tried: closer to each other where probabilities are small, as those of rare classes are.
GRID: npt.NDArray[np.float64] = 1 / (1 + np.exp(-np.linspace(-6, 6, 121)))
#: Positives that the classes together speak for in each class.
PRIOR = 10.0
#: The precision that is wanted is that of the lower bound of this interval: a single threshold would fall short in one
#: case of ten, and about so often, on drawn data, the lowest of many did.
LEVEL = 0.8
#: So many neighbours' scores are averaged, so that a lucky peak is not taken for the best place.
_SMOOTHED = 5


@dataclass(frozen=True)
class _Counts:
    """(n_thresholds, n_classes) each, at the thresholds of `GRID`, and positives, (n_classes,)."""

    hits: npt.NDArray[np.float64]
    alarms: npt.NDArray[np.float64]
    positives: npt.NDArray[np.float64]


def f1_thresholds(
    proba: Proba, truth: Truth, row_weight: npt.NDArray[np.float64] | None = None
) -> Thresholds:
    """The threshold of each class for the best F1, drawn towards one for all where positives are few.

    Parameters
    ----------
    proba, truth : (n, n_classes)
        Said out of fold; cells that are not known are left out.
    row_weight : (n,)
        How much each row counts.

    Returns
    -------
    (n_classes,)
        A class is named from its threshold on.

    Examples
    --------
    >>> truth = np.repeat([[1, 1], [0, 0]], 500, axis=0)
    >>> proba = np.where(truth == 1, [0.3, 0.9], [0.1, 0.7])
    >>> f1_thresholds(proba, truth).round(2).tolist()
    [0.18, 0.82]
    """
    counts = _counted(proba, truth, row_weight)
    each = PRIOR / max(counts.positives.sum(), 1.0)
    hits = counts.hits + each * counts.hits.sum(axis=1, keepdims=True)
    alarms = counts.alarms + each * counts.alarms.sum(axis=1, keepdims=True)
    positives = counts.positives + each * counts.positives.sum()
    f1 = 2 * hits / np.maximum(hits + alarms + positives, 1e-12)
    return GRID[[_middle_of_best(column) for column in f1.T]]


def precision_thresholds(
    proba: Proba, truth: Truth, wanted: float, row_weight: npt.NDArray[np.float64] | None = None
) -> Thresholds:
    """The lowest threshold of each class from which surely enough of what is named is right.

    Sure is the lower bound of Wilson's interval of `LEVEL`: few cases, or none, do not reach much.

    Parameters
    ----------
    proba, truth, row_weight
        As for `f1_thresholds`.
    wanted
        The precision, from 0 to 1.

    Returns
    -------
    (n_classes,)
        Infinite where no threshold reaches it.

    Examples
    --------
    >>> truth = np.repeat([[1], [0]], 100, axis=0)
    >>> precision_thresholds(np.where(truth == 1, 0.9, 0.4), truth, 0.9).round(2).tolist()
    [0.4]
    >>> precision_thresholds(np.full((200, 1), 0.7), truth, 0.9).tolist()
    [inf]
    """
    counts = _counted(proba, truth, row_weight)
    sure, _ = wilson(counts.hits, counts.hits + counts.alarms, LEVEL)
    reached = (sure >= wanted) & (counts.hits > 0)
    return np.where(reached.any(axis=0), GRID[reached.argmax(axis=0)], np.inf)


def nested_decisions(
    proba: Proba,
    truth: Truth,
    part: npt.NDArray[np.int64],
    choose: Callable[[Proba, Truth, npt.NDArray[np.float64] | None], Thresholds] = f1_thresholds,
    row_weight: npt.NDArray[np.float64] | None = None,
) -> Proba:
    """What is named, (n, n_classes) of 0 and 1: the rows of each part by thresholds chosen on the other parts.

    Metrics of decisions take it for probabilities. With a single part there is nothing to choose on: from one half on.
    """
    out = np.zeros(proba.shape)
    for name in np.unique(part):
        here = part == name
        weight = None if row_weight is None else row_weight[~here]
        chosen = np.full(proba.shape[1], 0.5) if here.all() else choose(proba[~here], truth[~here], weight)
        out[here] = proba[here] >= chosen
    return out


def _counted(proba: Proba, truth: Truth, row_weight: npt.NDArray[np.float64] | None) -> _Counts:
    weight = np.ones(len(proba)) if row_weight is None else row_weight
    hits, alarms = np.zeros((2, len(GRID), proba.shape[1]))
    for column in range(proba.shape[1]):
        # how many of the thresholds a score reaches
        place = np.searchsorted(GRID, proba[:, column], side="right")
        for found, label in ((hits, 1), (alarms, 0)):
            rows = truth[:, column] == label
            held = np.bincount(place[rows], weight[rows], minlength=len(GRID) + 1)
            found[:, column] = np.cumsum(held[::-1])[::-1][1:]
    return _Counts(hits, alarms, ((truth == 1) * weight[:, None]).sum(axis=0))


def _middle_of_best(scores: npt.NDArray[np.float64]) -> int:
    """Of scores along the thresholds, smoothed, the middle of where they are highest."""
    padded = np.pad(scores, _SMOOTHED // 2, mode="edge")
    smooth = np.convolve(padded, np.ones(_SMOOTHED) / _SMOOTHED, mode="valid")
    best = np.flatnonzero(smooth >= smooth.max() - 1e-9)
    return int(best[len(best) // 2])
