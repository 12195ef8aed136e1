"""The order in which a person judges detections, and the precision that the verdicts tell."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from aurist.errors import check_one_of
from aurist.metrics.proportion import wilson
from aurist.review.journal import Verdict

BY_SCORE, BY_UNCERTAINTY, AT_RANDOM = "score", "uncertainty", "random"
ORDERS = (BY_SCORE, BY_UNCERTAINTY, AT_RANDOM)


@dataclass(frozen=True)
class Candidates:
    """All detections of a folder, and events that come near the threshold.

    Parameters
    ----------
    keys, labels
        (n,): of each detection.
    scores, thresholds
        (n,): its score, and the lowest score of a detection of its class.
    """

    keys: Sequence[str]
    labels: Sequence[str]
    scores: npt.NDArray[np.float64]
    thresholds: npt.NDArray[np.float64]

    def rows(self, label: str | None = None) -> npt.NDArray[np.intp]:
        """Give the rows of a class, (m,); None: of all."""
        if label is None:
            return np.arange(len(self.keys))
        return np.flatnonzero(self._names == label)

    def in_order(self, order: str, label: str | None = None) -> npt.NDArray[np.intp]:
        """Give the rows in one of `ORDERS`, (m,).

        By score and at random there are detections alone; by uncertainty also events a little below the threshold.
        The random order is the same at every start: it begins with the smallest keys, which are hashes.

        Examples
        --------
        >>> scores = np.array([0.9, 0.4, 0.6])
        >>> candidates = Candidates(["c", "a", "b"], ["wren"] * 3, scores, np.full(3, 0.5))
        >>> [candidates.in_order(order).tolist() for order in ORDERS]
        [[0, 2], [1, 2, 0], [2, 0]]
        """
        check_one_of("order", order, ORDERS)
        if order == AT_RANDOM:
            return (
                self._at_random if label is None else self._at_random[self._names[self._at_random] == label]
            )
        rows = self.rows(label)
        if order == BY_UNCERTAINTY:
            distance = np.abs(self.scores[rows] - np.minimum(self.thresholds[rows], 1.0))
            return rows[np.argsort(distance.round(9), kind="stable")]
        rows = rows[self.scores[rows] >= self.thresholds[rows]]
        return rows[np.argsort(-self.scores[rows], kind="stable")]

    @cached_property
    def _names(self) -> npt.NDArray[np.object_]:
        return np.asarray(self.labels, dtype=object)

    @cached_property
    def _at_random(self) -> npt.NDArray[np.intp]:
        rows = np.flatnonzero(self.scores >= self.thresholds).tolist()
        return np.array(sorted(rows, key=lambda row: self.keys[row]), dtype=np.intp)


@dataclass(frozen=True)
class Precision:
    """The share of right detections among those that were judged, with its 95% interval."""

    judged: int
    right: int
    unsure: int
    precision: float
    low: float
    high: float


def random_sample(
    candidates: Candidates, verdicts: Mapping[str, Verdict], label: str | None = None
) -> npt.NDArray[np.intp]:
    """Give the rows that are a random sample of all detections: those at the head of the random order that are judged.

    The first detection without a verdict ends it. What was judged in another order counts where the random order comes
    to it, so that no choice of a person, nor a look at the scores, decides what is in the sample.
    """
    sample = []
    for row in candidates.in_order(AT_RANDOM, label).tolist():
        if candidates.keys[row] not in verdicts:
            break
        sample.append(row)
    return np.array(sample, dtype=np.intp)


def precision_of(
    candidates: Candidates, verdicts: Mapping[str, Verdict], rows: npt.NDArray[np.intp]
) -> Precision:
    """Estimate the precision from the verdicts on these rows; what a person could not tell is left out.

    Examples
    --------
    >>> candidates = Candidates(["a"], ["wren"], np.array([0.9]), np.array([0.5]))
    >>> verdict = Verdict("a", "night.wav", 0.0, 1.0, "wren", 0.9, "yes")
    >>> precision_of(candidates, {"a": verdict}, np.array([0])).right
    1
    """
    judged = [verdicts[candidates.keys[row]] for row in rows.tolist() if candidates.keys[row] in verdicts]
    decided = [verdict for verdict in judged if verdict.decided]
    right = sum(verdict.right for verdict in decided)
    low, high = wilson(right, len(decided))
    share = right / len(decided) if decided else float("nan")
    return Precision(len(decided), right, len(judged) - len(decided), share, float(low), float(high))


def bins_of(candidates: Candidates, rows: npt.NDArray[np.intp], count: int = 5) -> list[tuple[float, float]]:
    """Cut the scores of rows into bins with about equally many detections.

    Examples
    --------
    >>> scores = np.array([0.5, 0.6, 0.7, 0.9])
    >>> candidates = Candidates(list("abcd"), ["wren"] * 4, scores, np.full(4, 0.5))
    >>> bins_of(candidates, np.arange(4), 2)
    [(0.5, 0.65), (0.65, 0.9)]
    """
    if not len(rows):
        return []
    edges = np.unique(np.quantile(candidates.scores[rows], np.linspace(0, 1, count + 1)).round(3))
    if len(edges) == 1:
        return [(float(edges[0]), float(edges[0]))]
    return [(float(low), float(high)) for low, high in itertools.pairwise(edges)]
