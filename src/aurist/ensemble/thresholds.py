"""Choose the probability threshold of each class out of fold, for clips with several labels.

A threshold for each class that maximises its F1 is SCut; on classes of few positives it follows chance, as its author
found (Y. Yang, "A study of thresholding strategies for text categorization", SIGIR 2001). Here the counts of each class
are smoothed: to its hits, false alarms and misses at every threshold are added those of all classes together, scaled
to `PRIOR` positives, as an m-estimate adds the prior's cases (B. Cestnik, "Estimating probabilities", ECAI 1990). A
class of few positives gets nearly the threshold that suits all, one of many its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aurist.arrays import Proba
from aurist.ensemble.skill import has_skill
from aurist.metrics import UNKNOWN
from aurist.metrics.proportion import wilson

Truth = npt.NDArray[np.int8]
Thresholds = npt.NDArray[np.float64]

#: Thresholds to try: denser at small probabilities, which rare classes have.
GRID: npt.NDArray[np.float64] = 1 / (1 + np.exp(-np.linspace(-6, 6, 121)))
#: Weight of the common counts in each class, in positives.
PRIOR = 10.0
#: The threshold of a class without skill. No probability reaches it.
SILENT = 2.0
#: The lower bound of this interval must reach the precision. A single threshold falls short in one case of ten, and so
#: did the lowest of many on simulated data.
LEVEL = 0.8
#: Number of neighbouring scores that are averaged to ignore random peaks.
_SMOOTHED = 5


@dataclass(frozen=True)
class _Counts:
    """Counts at the thresholds of `GRID`, (n_thresholds, n_classes) each, and positives, (n_classes,)."""

    hits: npt.NDArray[np.float64]
    alarms: npt.NDArray[np.float64]
    positives: npt.NDArray[np.float64]

    def smoothed_f1(self) -> npt.NDArray[np.float64]:
        """Compute F1, (n_thresholds, n_classes), with the counts of all classes added to those of each."""
        each = PRIOR / max(self.positives.sum(), 1.0)
        hits = self.hits + each * self.hits.sum(axis=1, keepdims=True)
        alarms = self.alarms + each * self.alarms.sum(axis=1, keepdims=True)
        positives = self.positives + each * self.positives.sum()
        return np.asarray(2 * hits / np.maximum(hits + alarms + positives, 1e-12))


def f1_thresholds(
    proba: Proba, truth: Truth, row_weight: npt.NDArray[np.float64] | None = None
) -> Thresholds:
    """Choose the threshold of the best F1 for each class, drawn to a common threshold if positives are few.

    Parameters
    ----------
    proba, truth : (n, n_classes)
        Out of fold; unknown labels are left out.
    row_weight : (n,)
        Weight of each row.

    Returns
    -------
    (n_classes,)
        A class is predicted from its threshold on.

    Examples
    --------
    >>> truth = np.repeat([[1, 1], [0, 0]], 500, axis=0)
    >>> proba = np.where(truth == 1, [0.3, 0.9], [0.1, 0.7])
    >>> f1_thresholds(proba, truth).round(2).tolist()
    [0.18, 0.82]
    """
    f1 = _counted(proba, truth, row_weight).smoothed_f1()
    return GRID[[_middle_of_best(column) for column in f1.T]]


def default_thresholds(
    proba: Proba,
    truth: Truth,
    groups: npt.NDArray[np.int64],
    part: npt.NDArray[np.int64],
    row_weight: npt.NDArray[np.float64] | None = None,
) -> Thresholds:
    """Choose the thresholds to predict with: `f1_thresholds` where they gain, else 0.5, and silence without skill.

    If rows of everything known have the class, only these count: see `in_whole_rows`. A class keeps its threshold if
    thresholds chosen on the other parts have a higher F1 than 0.5. Its counts are
    smoothed as for the choice itself. A class that is not surely better than chance is never predicted.

    Parameters
    ----------
    proba, truth, row_weight
        As for `f1_thresholds`.
    groups, part : (n,)
        Rows of one group are alike; parts are whole groups.

    Returns
    -------
    (n_classes,)
        `SILENT` for classes that `has_skill` does not find.

    Examples
    --------
    >>> truth = np.tile([[1, 1], [0, 0]], (100, 1))
    >>> proba = np.stack([np.where(truth[:, 0] == 1, 0.3, 0.1), np.full(200, 0.4)], axis=1)
    >>> default_thresholds(proba, truth, np.arange(200) // 2, np.arange(200) // 20).round(2).tolist()
    [0.18, 2.0]
    """
    part, truth = _at_least_two(part, groups), in_whole_rows(truth)
    best = f1_thresholds(proba, truth, row_weight)
    nested = nested_decisions(proba, truth, part, row_weight=row_weight)
    gain = _smoothed_f1(nested, truth, row_weight) > _smoothed_f1(proba, truth, row_weight)
    return np.where(has_skill(proba, truth, groups), np.where(gain, best, 0.5), SILENT)


def default_decisions(
    proba: Proba,
    truth: Truth,
    groups: npt.NDArray[np.int64],
    part: npt.NDArray[np.int64],
    row_weight: npt.NDArray[np.float64] | None = None,
) -> Proba:
    """Decide the classes of each row, (n, n_classes) of 0 and 1, by `default_thresholds` of the other parts."""
    out, part = np.zeros(proba.shape), _at_least_two(part, groups)
    for name in np.unique(part):
        rest = part != name
        weight = None if row_weight is None else row_weight[rest]
        chosen = default_thresholds(proba[rest], truth[rest], groups[rest], part[rest], weight)
        out[~rest] = proba[~rest] >= chosen
    return out


def in_whole_rows(truth: Truth) -> Truth:
    """Make labels unknown in rows with other unknown labels, for classes that are in rows without any.

    Somebody who judges detections picks them by their score. Among these rows a class is far more common than in the
    sound that they are from, so a threshold that suits them is too low. Rows with everything known tell more.

    Examples
    --------
    >>> in_whole_rows(np.array([[1, 0], [0, 0], [1, -1], [-1, 1]])).tolist()
    [[1, 0], [0, 0], [-1, -1], [-1, 1]]
    """
    whole = (truth != UNKNOWN).all(axis=1)
    enough = (truth[whole] == 1).any(axis=0) & (truth[whole] == 0).any(axis=0)
    return np.where(~whole[:, None] & enough, UNKNOWN, truth).astype(truth.dtype)


def is_silent(thresholds: Thresholds) -> npt.NDArray[np.bool_]:
    """Tell which classes are never predicted for lack of skill, (n_classes,)."""
    return thresholds >= SILENT


def precision_thresholds(
    proba: Proba, truth: Truth, precision: float, row_weight: npt.NDArray[np.float64] | None = None
) -> Thresholds:
    """Choose the lowest threshold of each class that reliably reaches a precision.

    Reliable means that the lower bound of Wilson's interval of `LEVEL` reaches it. With few cases the bound is low.

    Parameters
    ----------
    proba, truth, row_weight
        As for `f1_thresholds`.
    precision
        The precision to reach, from 0 to 1.

    Returns
    -------
    (n_classes,)
        Infinite if no threshold reaches it.

    Examples
    --------
    >>> truth = np.repeat([[1], [0]], 100, axis=0)
    >>> precision_thresholds(np.where(truth == 1, 0.9, 0.4), truth, 0.9).round(2).tolist()
    [0.4]
    >>> precision_thresholds(np.full((200, 1), 0.7), truth, 0.9).tolist()
    [inf]
    """
    counts = _counted(proba, truth, row_weight)
    lower_bound, _ = wilson(counts.hits, counts.hits + counts.alarms, LEVEL)
    reached = (lower_bound >= precision) & (counts.hits > 0)
    return np.where(reached.any(axis=0), GRID[reached.argmax(axis=0)], np.inf)


def precision_steps(
    proba: Proba, truth: Truth, row_weight: npt.NDArray[np.float64] | None = None
) -> list[list[tuple[float, float]]]:
    """List the precisions that thresholds reliably reach, to choose one later; see `precision_thresholds`.

    Returns
    -------
    By class, pairs of a precision and the lowest threshold that reaches it, both ascending.

    Examples
    --------
    >>> truth = np.repeat([[1], [0]], 100, axis=0)
    >>> steps = precision_steps(np.where(truth == 1, 0.9, 0.4), truth)
    >>> [(round(precision, 2), round(threshold, 2)) for precision, threshold in steps[0]]
    [(0.45, 0.0), (0.98, 0.4)]
    """
    counts = _counted(proba, truth, row_weight)
    lower_bound, _ = wilson(counts.hits, counts.hits + counts.alarms, LEVEL)
    lower_bound = np.where(counts.hits > 0, lower_bound, 0.0)
    out = []
    for column in lower_bound.T:
        best = np.maximum.accumulate(column)
        rows = np.flatnonzero(np.diff(best, prepend=0.0) > 0)
        out.append([(float(best[row]), float(GRID[row])) for row in rows])
    return out


def thresholds_at(steps: Sequence[Sequence[tuple[float, float]]], precision: float) -> Thresholds:
    """Choose thresholds of a precision from the result of `precision_steps`; infinite if none reaches it.

    Examples
    --------
    >>> thresholds_at([[(0.5, 0.1), (0.9, 0.6)], []], 0.8).tolist()
    [0.6, inf]
    """
    reached = ([threshold for best, threshold in column if best >= precision] for column in steps)
    return np.array([next(iter(thresholds), np.inf) for thresholds in reached])


def nested_decisions(
    proba: Proba,
    truth: Truth,
    part: npt.NDArray[np.int64],
    choose: Callable[[Proba, Truth, npt.NDArray[np.float64] | None], Thresholds] = f1_thresholds,
    row_weight: npt.NDArray[np.float64] | None = None,
) -> Proba:
    """Decide the classes of each row, (n, n_classes) of 0 and 1, by thresholds chosen on the other parts.

    Metrics of decisions accept the result as probabilities. With a single part the threshold is one half.
    """
    out = np.zeros(proba.shape)
    for name in np.unique(part):
        in_part = part == name
        weight = None if row_weight is None else row_weight[~in_part]
        chosen = (
            np.full(proba.shape[1], 0.5)
            if in_part.all()
            else choose(proba[~in_part], truth[~in_part], weight)
        )
        out[in_part] = proba[in_part] >= chosen
    return out


def _counted(proba: Proba, truth: Truth, row_weight: npt.NDArray[np.float64] | None) -> _Counts:
    weight = np.ones(len(proba)) if row_weight is None else row_weight
    hits, alarms = np.zeros((2, len(GRID), proba.shape[1]))
    for column in range(proba.shape[1]):
        # number of thresholds that a score reaches
        n_reached = np.searchsorted(GRID, proba[:, column], side="right")
        for counts, label in ((hits, 1), (alarms, 0)):
            rows = truth[:, column] == label
            histogram = np.bincount(n_reached[rows], weight[rows], minlength=len(GRID) + 1)
            counts[:, column] = np.cumsum(histogram[::-1])[::-1][1:]
    return _Counts(hits, alarms, ((truth == 1) * weight[:, None]).sum(axis=0))


def _at_least_two(part: npt.NDArray[np.int64], groups: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the parts; if there is only one, such as a fixed validation part, halve its groups at random."""
    if len(np.unique(part)) > 1:
        return part
    names, member = np.unique(groups, return_inverse=True)
    return np.asarray((np.random.default_rng(0).permutation(len(names)) % 2)[member])


def _smoothed_f1(
    proba: Proba, truth: Truth, row_weight: npt.NDArray[np.float64] | None
) -> npt.NDArray[np.float64]:
    """Compute the smoothed F1 of each class at 0.5."""
    return np.asarray(_counted(proba, truth, row_weight).smoothed_f1()[len(GRID) // 2])


def _middle_of_best(scores: npt.NDArray[np.float64]) -> int:
    """Smooth the scores along the thresholds, and give the middle of the highest ones."""
    padded = np.pad(scores, _SMOOTHED // 2, mode="edge")
    smooth = np.convolve(padded, np.ones(_SMOOTHED) / _SMOOTHED, mode="valid")
    best = np.flatnonzero(smooth >= smooth.max() - 1e-9)
    return int(best[len(best) // 2])
