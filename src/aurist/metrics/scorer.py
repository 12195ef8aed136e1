"""Shared by the metrics: checks, decisions, and scores of many weightings at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from aurist.arrays import Proba
from aurist.errors import DataError, listing

Floats = npt.NDArray[np.float64]
#: A cell of the truth whose label is unknown.
UNKNOWN = -1
#: (n, n_classes): 1 if the row has the class, 0 if not, `UNKNOWN` if nobody knows.
Truth = npt.NDArray[Any]

#: Row weights (n, rounds) -> scores (rounds,): one score for each column of weights. All work that does
#: not depend on the weights (sorting, comparing) is done once before: this makes a bootstrap cheap.
Scorer = Callable[[Floats], Floats]


class Prepare(Protocol):
    """Make the scorer of checked arrays."""

    def __call__(self, truth: Truth, proba: Proba, multilabel: bool) -> Scorer: ...


def is_multilabel(truth: Truth) -> bool:
    """Return True if some row has no class, several, or unknown labels.

    Examples
    --------
    >>> is_multilabel(np.array([[1, 0], [0, 1]])), is_multilabel(np.array([[1, 1], [0, 0]]))
    (False, True)
    """
    truth = np.asarray(truth)
    return bool((truth == UNKNOWN).any() or (truth.sum(axis=1) != 1).any())


def decide(proba: Proba, multilabel: bool) -> npt.NDArray[np.int8]:
    """Turn probabilities into decisions.

    Returns
    -------
    (n, n_classes), int8
        With one label per row, 1 at the highest probability (the first of equal ones); else 1 for every
        probability above 0.5.

    Examples
    --------
    >>> decide(np.array([[0.4, 0.35, 0.25], [0.2, 0.4, 0.4]]), multilabel=False)
    array([[1, 0, 0],
           [0, 1, 0]], dtype=int8)
    >>> decide(np.array([[0.9, 0.8, 0.1], [0.2, 0.4, 0.5]]), multilabel=True)
    array([[1, 1, 0],
           [0, 0, 0]], dtype=int8)
    """
    proba = np.asarray(proba)
    if multilabel:
        return (proba > 0.5).astype(np.int8)
    out = np.zeros(proba.shape, dtype=np.int8)
    if len(out):
        out[np.arange(len(out)), proba.argmax(axis=1)] = 1
    return out


def check(truth: Truth, proba: Proba, multilabel: bool | None) -> tuple[Truth, Floats, bool]:
    """Check arrays, and return them with True if they are multi-label.

    Raises
    ------
    DataError
        If the shapes differ, a probability is not a number, the truth is not 0 or 1, or a row has no
        label or several and ``multilabel`` is False.
    """
    truth, proba = np.asarray(truth), np.asarray(proba, dtype=np.float64)
    if truth.ndim != 2 or truth.shape != proba.shape:
        raise DataError(
            f"The truth is {truth.shape} and the probabilities are {proba.shape}: both must be (n, n_classes)"
        )
    bad = np.flatnonzero(~np.isfinite(proba).all(axis=1))
    if len(bad):
        raise DataError(
            f"{len(bad)} of {len(proba)} rows of probabilities contain NaN or infinity:\n"
            + listing([f"row {row}: {proba[row]}" for row in bad])
        )
    if not np.isin(truth, (0, 1, UNKNOWN)).all():
        raise DataError(
            f"The truth must be an indicator matrix of 0 and 1, or {UNKNOWN} if it is unknown, one column per class"
        )
    several = is_multilabel(truth)
    if multilabel is False and several:
        count = (truth == 1).sum(axis=1)
        raise DataError(
            "Each row must have exactly one label here:\n"
            + listing([f"row {row}: {count[row]} labels" for row in np.flatnonzero(count != 1)])
        )
    return truth, proba, several if multilabel is None else multilabel


def score(
    prepare: Prepare,
    truth: Truth,
    proba: Proba,
    weight: npt.ArrayLike | None = None,
    multilabel: bool | None = None,
) -> float:
    """Compute the score of one weighting; NaN if there is nothing to score.

    Raises
    ------
    DataError
        As `check`, and if the weights are negative or not one per row.
    """
    truth, proba, multilabel = check(truth, proba, multilabel)
    weights = np.ones(len(truth)) if weight is None else np.asarray(weight, dtype=np.float64)
    if weights.shape != (len(truth),) or not (weights >= 0).all():
        raise DataError(f"The weights must be {len(truth)} numbers, none negative; they are {weights.shape}")
    return float(prepare(truth, proba, multilabel)(weights[:, None])[0])


def summed(statistics: npt.NDArray[Any], combine: Callable[[Floats], Floats]) -> Scorer:
    """Make the scorer of a metric that is a function of sums over rows.

    Parameters
    ----------
    statistics
        (n, d): the terms of each row in the sums.
    combine
        (rounds, d) sums -> (rounds,) scores.
    """
    rows = np.ascontiguousarray(statistics, dtype=np.float64)
    return lambda weights: combine(weights.T @ rows)


def mean(values: npt.NDArray[Any]) -> Scorer:
    """Make the scorer of the weighted mean of one value per row, (n,)."""
    return summed(np.column_stack([values, np.ones(len(values))]), lambda sums: ratio(sums[:, 0], sums[:, 1]))


def ratio(above: Floats, below: Floats) -> Floats:
    """Return ``above / below``; NaN if ``below`` is 0."""
    out = np.full(below.shape, np.nan)
    np.divide(above, below, out=out, where=below > 0)
    return out
