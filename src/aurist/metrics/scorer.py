"""What the metrics share: the checks, the decision, and scores of many weightings at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from aurist.arrays import Proba
from aurist.errors import DataError, listing

Floats = npt.NDArray[np.float64]
#: A cell of the truth of which nobody knows whether the row has the class.
UNKNOWN = -1
#: (n, n_classes), 1 where the row has the class, 0 where it has not, `UNKNOWN` elsewhere.
Truth = npt.NDArray[Any]

#: Row weights (n, rounds) -> scores (rounds,): one score for each column of weights. All that does not depend
#: on the weights (sorting, comparing) is done beforehand and once, which is what makes a bootstrap cheap.
Scorer = Callable[[Floats], Floats]


class Prepare(Protocol):
    """Make the scorer of checked arrays."""

    def __call__(self, truth: Truth, proba: Proba, multilabel: bool) -> Scorer: ...


def is_multilabel(truth: Truth) -> bool:
    """Whether some row has no class or several, or is known in part.

    Examples
    --------
    >>> is_multilabel(np.array([[1, 0], [0, 1]])), is_multilabel(np.array([[1, 1], [0, 0]]))
    (False, True)
    """
    truth = np.asarray(truth)
    return bool((truth == UNKNOWN).any() or (truth.sum(axis=1) != 1).any())


def decide(proba: Proba, multilabel: bool) -> npt.NDArray[np.int8]:
    """The classes that the probabilities come down to.

    Returns
    -------
    (n, n_classes), int8
        With one label a row, 1 at the highest probability (the first of equals); else 1 wherever the
        probability is above one half.

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
    """Arrays that can be scored, and whether they are multi-label.

    Raises
    ------
    DataError
        Where the shapes differ, a probability is not a number, the truth is not 0 or 1, or a row has no
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
            f"{len(bad)} of {len(proba)} rows of probabilities hold NaN or infinity:\n"
            + listing([f"row {row}: {proba[row]}" for row in bad])
        )
    if not np.isin(truth, (0, 1, UNKNOWN)).all():
        raise DataError(
            f"The truth must be an indicator matrix of 0 and 1, or {UNKNOWN} where it is not known, one column a class"
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
    """The score of one weighting; NaN where there is nothing to score.

    Raises
    ------
    DataError
        As `check`, and where the weights are negative or not one a row.
    """
    truth, proba, multilabel = check(truth, proba, multilabel)
    weights = np.ones(len(truth)) if weight is None else np.asarray(weight, dtype=np.float64)
    if weights.shape != (len(truth),) or not (weights >= 0).all():
        raise DataError(f"The weights must be {len(truth)} numbers, none negative; they are {weights.shape}")
    return float(prepare(truth, proba, multilabel)(weights[:, None])[0])


def summed(statistics: npt.NDArray[Any], combine: Callable[[Floats], Floats]) -> Scorer:
    """Scorer of a metric that is a function of sums over rows.

    Parameters
    ----------
    statistics
        (n, d): what each row adds to the sums.
    combine
        (rounds, d) sums -> (rounds,) scores.
    """
    rows = np.ascontiguousarray(statistics, dtype=np.float64)
    return lambda weights: combine(weights.T @ rows)


def mean(values: npt.NDArray[Any]) -> Scorer:
    """Scorer of the weighted mean of one value a row, (n,)."""
    return summed(np.column_stack([values, np.ones(len(values))]), lambda sums: ratio(sums[:, 0], sums[:, 1]))


def ratio(above: Floats, below: Floats) -> Floats:
    """``above / below``; NaN where ``below`` is 0."""
    out = np.full(below.shape, np.nan)
    np.divide(above, below, out=out, where=below > 0)
    return out
