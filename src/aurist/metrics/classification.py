"""Metrics of decisions and of probabilities: accuracy, F1, log loss."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from aurist.arrays import Proba
from aurist.errors import DataError
from aurist.metrics.scorer import UNKNOWN, Floats, Scorer, Truth, decide, mean, ratio, score, summed


def accuracy(
    truth: Truth, proba: Proba, weight: npt.ArrayLike | None = None, *, multilabel: bool | None = None
) -> float:
    """Share of the rows with a right decision; with several labels, right in every known class (subset accuracy).

    Examples
    --------
    >>> accuracy(np.eye(2), np.array([[0.9, 0.1], [0.6, 0.4]]))
    0.5
    """
    return score(accuracy_scorer, truth, proba, weight, multilabel)


def accuracy_scorer(truth: Truth, proba: Proba, multilabel: bool) -> Scorer:
    """Prepare `accuracy`."""
    is_known = truth != UNKNOWN
    right = ((decide(proba, multilabel) == truth) | ~is_known).all(axis=1)
    any_known = is_known.any(axis=1)  # a row without known labels is neither right nor wrong
    return summed(np.column_stack([right & any_known, any_known]), lambda sums: ratio(sums[:, 0], sums[:, 1]))


def balanced_accuracy(
    truth: Truth, proba: Proba, weight: npt.ArrayLike | None = None, *, multilabel: bool | None = None
) -> float:
    """Mean recall over the classes that occur; for one label per row.

    Raises
    ------
    DataError
        If rows have no label or several.

    Examples
    --------
    >>> balanced_accuracy(np.eye(2)[[0, 0, 0, 1]], np.tile([0.9, 0.1], (4, 1)))
    0.5
    """
    return score(balanced_accuracy_scorer, truth, proba, weight, multilabel)


def balanced_accuracy_scorer(truth: Truth, proba: Proba, multilabel: bool) -> Scorer:
    """Prepare `balanced_accuracy`."""
    if multilabel:
        raise DataError("Balanced accuracy is for one label per row; use f1_macro for several")

    def combine(sums: Floats) -> Floats:
        hits, _, actual = np.split(sums, 3, axis=1)
        return _nanmean(ratio(hits, actual))

    return summed(_outcomes(truth, proba, multilabel), combine)


def f1_macro(
    truth: Truth, proba: Proba, weight: npt.ArrayLike | None = None, *, multilabel: bool | None = None
) -> float:
    """Mean F1 over the classes that occur in the truth or in the decisions.

    On single labels this is scikit-learn's ``f1_score(y, predicted, average="macro")``. A class with neither
    labels nor decisions has no F1 and is left out, also with several labels per row, where scikit-learn counts
    it as 0. Rows of weight 0 count as absent.

    Examples
    --------
    >>> truth = np.eye(3)[[0, 0, 1, 1]]
    >>> proba = np.eye(3)[[0, 0, 0, 1]]
    >>> round(f1_macro(truth, proba), 4)  # (0.8 + 0.6667) / 2
    0.7333
    """
    return score(f1_macro_scorer, truth, proba, weight, multilabel)


def f1_macro_scorer(truth: Truth, proba: Proba, multilabel: bool) -> Scorer:
    """Prepare `f1_macro`."""
    return summed(_outcomes(truth, proba, multilabel), lambda sums: _nanmean(_f1(sums)))


def f1_micro(
    truth: Truth, proba: Proba, weight: npt.ArrayLike | None = None, *, multilabel: bool | None = None
) -> float:
    """F1 of all decisions together; with one label per row it equals the accuracy.

    Examples
    --------
    >>> f1_micro(np.array([[1, 1], [0, 1]]), np.array([[0.9, 0.2], [0.7, 0.8]]))
    0.6666666666666666
    """
    return score(f1_micro_scorer, truth, proba, weight, multilabel)


def f1_micro_scorer(truth: Truth, proba: Proba, multilabel: bool) -> Scorer:
    """Prepare `f1_micro`."""

    def combine(sums: Floats) -> Floats:
        hits, decided, actual = (part.sum(axis=1) for part in np.split(sums, 3, axis=1))
        return ratio(2 * hits, decided + actual)

    return summed(_outcomes(truth, proba, multilabel), combine)


def f1_weighted(
    truth: Truth, proba: Proba, weight: npt.ArrayLike | None = None, *, multilabel: bool | None = None
) -> float:
    """Mean F1 over the classes, each weighted by its frequency in the truth.

    Examples
    --------
    >>> round(f1_weighted(np.eye(2)[[0, 0, 0, 1]], np.eye(2)[[0, 0, 1, 1]]), 4)  # .75 * .8 + .25 * .6667
    0.7667
    """
    return score(f1_weighted_scorer, truth, proba, weight, multilabel)


def f1_weighted_scorer(truth: Truth, proba: Proba, multilabel: bool) -> Scorer:
    """Prepare `f1_weighted`."""

    def combine(sums: Floats) -> Floats:
        actual = np.split(sums, 3, axis=1)[2]
        return ratio((np.nan_to_num(_f1(sums)) * actual).sum(axis=1), actual.sum(axis=1))

    return summed(_outcomes(truth, proba, multilabel), combine)


def log_loss(
    truth: Truth, proba: Proba, weight: npt.ArrayLike | None = None, *, multilabel: bool | None = None
) -> float:
    """Mean log probability of the truth: the usual log loss, NEGATED, so that higher is better.

    With several labels per row, the mean over rows and classes of the log probability of the true state, present or
    absent (negative binary cross-entropy). Probabilities are clipped to 2.2e-16 from 0 and 1, as in scikit-learn.

    Examples
    --------
    >>> round(log_loss(np.eye(2), np.array([[0.5, 0.5], [0.5, 0.5]])), 4)
    -0.6931
    """
    return score(log_loss_scorer, truth, proba, weight, multilabel)


def log_loss_scorer(truth: Truth, proba: Proba, multilabel: bool) -> Scorer:
    """Prepare `log_loss`."""
    eps = np.finfo(np.float64).eps
    clipped = np.clip(proba, eps, 1 - eps)
    if multilabel:
        is_known = truth != UNKNOWN
        log_proba = np.where(is_known, np.log(np.where(truth == 1, clipped, 1 - clipped)), 0.0)
        cells = np.column_stack([log_proba.sum(axis=1), is_known.sum(axis=1)])
        return summed(cells, lambda sums: ratio(sums[:, 0], sums[:, 1]))
    return mean((np.log(clipped) * truth).sum(axis=1))


def _outcomes(truth: Truth, proba: Proba, multilabel: bool) -> npt.NDArray[np.int8]:
    """Return (n, 3 * n_classes): for each class a hit, a decision, and the truth."""
    decided = decide(proba, multilabel) * (truth != UNKNOWN)
    actual = (truth == 1).astype(np.int8)
    return np.concatenate([decided * actual, decided, actual], axis=1)


def _f1(sums: Floats) -> Floats:
    """Return (rounds, n_classes); NaN for a class without truth and decisions."""
    hits, decided, actual = np.split(sums, 3, axis=1)
    return ratio(2 * hits, decided + actual)


def _nanmean(values: Floats) -> Floats:
    """Average the numbers over the last axis; NaN, without a warning, if there are none."""
    return ratio(np.nansum(values, axis=1), np.isfinite(values).sum(axis=1).astype(np.float64))
