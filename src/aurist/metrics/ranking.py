"""Metrics of ranking: the position of the right classes, or of the right rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from aurist.arrays import Proba
from aurist.errors import DataError
from aurist.metrics.scorer import UNKNOWN, Floats, Scorer, Truth, mean, ratio, score, summed


def roc_auc(
    truth: Truth, proba: Proba, weight: npt.ArrayLike | None = None, *, multilabel: bool | None = None
) -> float:
    """Area under the ROC curve, one class against the rest, mean over the classes.

    Equal scores count half. Classes without a positive or without a negative row are left out.

    Examples
    --------
    >>> roc_auc(np.eye(2)[[0, 0, 1, 1]], np.array([[0.9, 0.1], [0.3, 0.7], [0.4, 0.6], [0.1, 0.9]]))
    0.75
    """
    return score(roc_auc_scorer, truth, proba, weight, multilabel)


def roc_auc_scorer(truth: Truth, proba: Proba, multilabel: bool) -> Scorer:
    """Prepare `roc_auc`."""
    runs = _class_runs(truth, proba)

    def scorer(weights: Floats) -> Floats:
        areas = np.full((len(runs), weights.shape[1]), np.nan)
        for area, run in zip(areas, runs, strict=True):
            hits, rows_before, rows_in_run, rows = run.sums(weights)
            positives = hits.sum(axis=0)
            misses_before = rows_before - (np.cumsum(hits, axis=0) - hits)
            misses = rows - positives
            misses[misses < 1e-12 * rows] = 0  # rounding errors without any negative
            # a positive wins against the negatives below it, and half of those with an equal score
            wins = hits * (misses - misses_before - 0.5 * (rows_in_run - hits))
            area[:] = ratio(wins.sum(axis=0), positives * misses)
        return _mean_over_classes(areas)

    return scorer


def average_precision(
    truth: Truth, proba: Proba, weight: npt.ArrayLike | None = None, *, multilabel: bool | None = None
) -> float:
    """Mean over the classes of the average precision (mAP): the mean precision at the positive rows.

    Rows with equal scores count at once, as in scikit-learn's ``average_precision_score``. Classes without
    a positive row are left out.

    Examples
    --------
    >>> truth = np.array([[1, 0], [0, 0], [1, 1]])
    >>> proba = np.array([[0.9, 0.2], [0.8, 0.1], [0.7, 0.6]])
    >>> round(average_precision(truth, proba), 4)  # ((1 + 2/3) / 2 + 1) / 2
    0.9167
    """
    return score(average_precision_scorer, truth, proba, weight, multilabel)


def average_precision_scorer(truth: Truth, proba: Proba, multilabel: bool) -> Scorer:
    """Prepare `average_precision`."""
    runs = _class_runs(truth, proba)

    def scorer(weights: Floats) -> Floats:
        precisions = np.full((len(runs), weights.shape[1]), np.nan)
        for precision, run in zip(precisions, runs, strict=True):
            hits, rows_before, rows_in_run, _ = run.sums(weights)
            rows_so_far = rows_before + rows_in_run
            precision_at_run = np.divide(
                np.cumsum(hits, axis=0), rows_so_far, out=np.zeros_like(rows_so_far), where=rows_so_far > 0
            )
            precision[:] = ratio((hits * precision_at_run).sum(axis=0), hits.sum(axis=0))
        return _mean_over_classes(precisions)

    return scorer


def lwlrap(
    truth: Truth, proba: Proba, weight: npt.ArrayLike | None = None, *, multilabel: bool | None = None
) -> float:
    """Label-weighted label-ranking average precision, as the Freesound 2019 and RFCX contests define it.

    For each label of each row it is the share of the row's own labels among the classes ranked as high or higher. The
    score is the mean over all labels. Equal scores share the lower rank. The same as scikit-learn's
    ``label_ranking_average_precision_score`` with the number of labels of the row as its weight.

    Examples
    --------
    >>> lwlrap(np.array([[1, 0, 1], [0, 1, 0]]), np.array([[0.9, 0.2, 0.1], [0.3, 0.6, 0.1]]))  # 1, 2/3, 1
    0.8888888888888888
    """
    return score(lwlrap_scorer, truth, proba, weight, multilabel)


def lwlrap_scorer(truth: Truth, proba: Proba, multilabel: bool) -> Scorer:
    """Prepare `lwlrap`."""
    # labels are ranked among the known classes: the others come last
    proba = np.where(truth == UNKNOWN, -np.inf, proba)
    order = np.argsort(-proba, axis=1, kind="stable")
    scores = np.take_along_axis(proba, order, axis=1)
    labels = (np.take_along_axis(truth, order, axis=1) == 1).astype(np.int64)
    last = _last_of_equals(scores)
    precision = np.take_along_axis(np.cumsum(labels, axis=1), last, axis=1) / (last + 1)
    statistics = np.column_stack([(precision * labels).sum(axis=1), labels.sum(axis=1)])
    return summed(statistics, lambda sums: ratio(sums[:, 0], sums[:, 1]))


def top_3(
    truth: Truth, proba: Proba, weight: npt.ArrayLike | None = None, *, multilabel: bool | None = None
) -> float:
    """Share of the rows whose label is among the three most probable classes; see `top_k`.

    Examples
    --------
    >>> top_3(np.eye(4)[[0, 3]], np.array([[0.1, 0.2, 0.3, 0.4], [0.1, 0.2, 0.3, 0.4]]))
    0.5
    """
    return top_k(truth, proba, weight, k=3, multilabel=multilabel)


def top_5(
    truth: Truth, proba: Proba, weight: npt.ArrayLike | None = None, *, multilabel: bool | None = None
) -> float:
    """Share of the rows whose label is among the five most probable classes; see `top_k`."""
    return top_k(truth, proba, weight, k=5, multilabel=multilabel)


def top_k(
    truth: Truth,
    proba: Proba,
    weight: npt.ArrayLike | None = None,
    *,
    k: int,
    multilabel: bool | None = None,
) -> float:
    """Share of the rows whose label is among the ``k`` most probable classes; for one label per row.

    Of equal probabilities the first class ranks first, so ``k=1`` is the accuracy.

    Raises
    ------
    DataError
        If rows have no label or several.

    Examples
    --------
    >>> top_k(np.eye(3), np.array([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2], [0.5, 0.3, 0.2]]), k=2)
    0.6666666666666666
    """
    return score(
        lambda truth, proba, multilabel: _top_k_scorer(truth, proba, multilabel, k),
        truth,
        proba,
        weight,
        multilabel,
    )


def top_3_scorer(truth: Truth, proba: Proba, multilabel: bool) -> Scorer:
    """Prepare `top_3`."""
    return _top_k_scorer(truth, proba, multilabel, 3)


def top_5_scorer(truth: Truth, proba: Proba, multilabel: bool) -> Scorer:
    """Prepare `top_5`."""
    return _top_k_scorer(truth, proba, multilabel, 5)


def _top_k_scorer(truth: Truth, proba: Proba, multilabel: bool, k: int) -> Scorer:
    if multilabel:
        raise DataError("Top-k accuracy is for one label per row; use lwlrap for several")
    column = truth.argmax(axis=1)[:, None]
    own = np.take_along_axis(proba, column, axis=1)
    earlier = np.arange(truth.shape[1]) < column
    ahead = (proba > own) | ((proba == own) & earlier)
    return mean(ahead.sum(axis=1) < k)


def _last_of_equals(scores: Floats) -> npt.NDArray[np.intp]:
    """In sorted rows, (m, n), return for each position the last position with an equal score."""
    n = scores.shape[1]
    closes = np.ones(scores.shape, dtype=bool)
    closes[:, :-1] = scores[:, 1:] != scores[:, :-1]
    return np.minimum.accumulate(np.where(closes, np.arange(n), n)[:, ::-1], axis=1)[:, ::-1]


class _Runs:
    """The rows of one class by falling score, cut at the scores of positive rows.

    ROC and precision need only the sums at these scores. So the other rows are summed in whole stretches, for all
    columns of weights at once.
    """

    def __init__(self, truth: Truth, scores: Floats) -> None:
        order = np.argsort(-scores, kind="stable")
        if truth.min() == UNKNOWN:
            order = order[truth[order] != UNKNOWN]
        scores, truth = scores[order], truth[order]
        starts = np.flatnonzero(np.append(True, scores[1:] != scores[:-1]))  # equal scores: one run
        positive = np.flatnonzero(truth == 1)
        run = np.searchsorted(starts, positive, side="right") - 1
        self.order, self.positives = order, order[positive]
        self.first_positive = np.flatnonzero(np.append(True, run[1:] != run[:-1]))
        # cuts before and after each run with a positive: stretches between, inside, between, ...
        run = run[self.first_positive]
        ends = np.append(starts, len(scores))[run + 1]
        self.cuts = np.column_stack([starts[run], ends]).ravel()

    def sums(self, weights: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Return the weights of the positives in each run, of all rows before it, of all rows in it; of all rows."""
        hits = np.add.reduceat(weights[self.positives], self.first_positive, axis=0)
        # one more row of zeros, so that a cut at the end is a valid index
        ranked = np.concatenate([weights[self.order], np.zeros((1, weights.shape[1]))])
        before, cuts = ranked[: self.cuts[0]].sum(axis=0), self.cuts
        stretches = np.add.reduceat(ranked, cuts, axis=0)
        # reduceat returns the element itself, not 0, for an empty stretch
        stretches[:-1][cuts[1:] == cuts[:-1]] = 0
        sums_so_far = before + np.cumsum(stretches, axis=0)
        rows_in_run = stretches[0::2]
        return hits, sums_so_far[0::2] - rows_in_run, rows_in_run, sums_so_far[-1]


def _class_runs(truth: Truth, proba: Proba) -> list[_Runs]:
    """Return the runs of each class; classes without a positive row are left out."""
    by_class = zip(np.ascontiguousarray(truth.T), np.ascontiguousarray(proba.T), strict=True)
    return [_Runs(labels, scores) for labels, scores in by_class if (labels == 1).any()]


def _mean_over_classes(values: Floats) -> Floats:
    return ratio(np.nansum(values, axis=0), np.isfinite(values).sum(axis=0).astype(np.float64))
