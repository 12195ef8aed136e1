"""Rows that a run has seen before: answered from what is known of their twins, and scored as such.

In a contest or a collection the same track may stand in the training table and in the table to predict.
For such a row the models that were fitted on its twin only echo it. Here its answer is the probability of
the models that had *not* seen it (out of fold) together with the labels of its twins, as a Dirichlet prior
is updated by counts. The same rule is applied to the training rows themselves, each from its other
twins alone, so that its score is honest too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aurist.metrics import UNKNOWN, metric

Proba = npt.NDArray[np.float64]
Keys = npt.NDArray[np.uint64]

#: How many labels of twins the models' word may be worth.
STRENGTHS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)


@dataclass(frozen=True)
class Seen:
    """What is known of every distinct row of the training table.

    Parameters
    ----------
    keys
        (n_keys,), sorted: hash of the features (`aurist.features.schema.row_keys`).
    proba
        (n_keys, n_classes): out of fold.
    counts
        (n_keys, n_classes): how often each label was given to this row.
    rows
        (n_keys, n_classes): of how many training rows with this key it is known whether they have the label;
        (n_keys, 1) where that is all of them.
    strength
        How many labels the models' word is worth.
    unscored
        (n_unscored,): keys of training rows that no model left out (those beside a fixed validation part).
        They count as seen, but there is no word on them that could be mixed with their labels.
    """

    keys: Keys
    proba: Proba
    counts: Proba
    rows: npt.NDArray[np.float64]
    strength: float
    unscored: Keys

    def known(self, keys: Keys) -> npt.NDArray[np.bool_]:
        """Which of these rows stand in the training table, (n,)."""
        return np.isin(keys, self.keys) | np.isin(keys, self.unscored)

    def answer(self, keys: Keys, proba: Proba) -> Proba:
        """The models' probabilities, (n, n_classes), with those of seen rows replaced."""
        out = proba.copy()
        known = np.isin(keys, self.keys)
        at = np.searchsorted(self.keys, keys[known])
        out[known] = _updated(self.proba[at], self.counts[at], self.rows[at], self.strength)
        return out


@dataclass(frozen=True)
class SeenScores:
    """Training rows as they would be answered if they came again.

    ``proba`` is for rows with a twin; ``copies`` says how often each row stands in the table.
    """

    proba: Proba
    copies: npt.NDArray[np.int64]


def learn_seen(
    keys: Keys,
    proba: Proba,
    targets: npt.NDArray[np.int8],
    folds: npt.NDArray[np.int64],
    *,
    multilabel: bool,
    unscored: Keys | None = None,
) -> tuple[Seen, SeenScores]:
    """Learn how far to trust twins, from the training rows that have some.

    Parameters
    ----------
    keys : (n,)
        Hash of each row.
    proba : (n, n_classes)
        Out of fold, by models that saw no twin of the row.
    targets : (n, n_classes)
        Indicator matrix.
    folds : (n,)
        The strength that answers the rows of a fold is chosen on the other folds.
    unscored : (n_unscored,)
        Hash of each training row that is not scored.

    Returns
    -------
    seen
        To answer new tables with.
    scores
        The training rows, each answered from its other twins.
    """
    distinct, at = np.unique(keys, return_inverse=True)
    copies = np.bincount(at, minlength=len(distinct))
    known = (targets != UNKNOWN) if (targets == UNKNOWN).any() else np.ones((len(targets), 1), dtype=bool)
    rows, counts, summed = (np.zeros((len(distinct), n)) for n in (known.shape[1], *[targets.shape[1]] * 2))
    np.add.at(rows, at, known)
    np.add.at(counts, at, targets == 1)
    np.add.at(summed, at, proba)
    mean = summed / copies[:, None]

    twinned = np.flatnonzero(copies[at] > 1)
    answered = proba.copy()
    strength = 1.0
    if len(twinned):
        others, n_others = (counts[at] - (targets == 1))[twinned], (rows[at] - known)[twinned]
        options = [_updated(proba[twinned], others, n_others, s) for s in STRENGTHS]
        truth = targets[twinned]
        strength = STRENGTHS[_best(options, truth, np.ones(len(twinned), dtype=bool), multilabel)]
        for fold in np.unique(folds[twinned]):
            here = folds[twinned] == fold
            # given folds may cut through twins: those of a row of this fold hold its label in their counts
            apart = ~np.isin(at[twinned], at[twinned][here])
            chosen = _best(options, truth, apart, multilabel) if apart.any() else STRENGTHS.index(1.0)
            answered[twinned[here]] = options[chosen][here]
    left = np.unique(np.empty(0, dtype=np.uint64) if unscored is None else unscored)
    seen = Seen(distinct, mean, counts, rows, strength, left)
    return seen, SeenScores(answered, copies[at].astype(np.int64))


def _best(
    options: list[Proba], truth: npt.NDArray[np.int8], rows: npt.NDArray[np.bool_], multilabel: bool
) -> int:
    log_loss = metric("log_loss")
    return int(np.argmax([log_loss(truth[rows], option[rows], multilabel=multilabel) for option in options]))


def _updated(proba: Proba, counts: Proba, rows: npt.NDArray[np.float64], strength: float) -> Proba:
    updated: Proba = (strength * proba + counts) / (strength + rows)
    return updated


@dataclass(frozen=True)
class Overlap:
    """How a table to be predicted overlaps with the training table, and what that does to scores.

    Parameters
    ----------
    share
        Share of its rows that stand in the training table.
    new_weight, seen_weight
        (n_train,): how much each training row counts as a row that comes new and as one that comes again,
        if the two tables were one, divided at random so that this share overlaps.
    """

    share: float
    new_weight: npt.NDArray[np.float64]
    seen_weight: npt.NDArray[np.float64]


def overlap(copies: npt.NDArray[np.int64], share: float) -> Overlap:
    """Weigh the training rows so that they stand for a table with this share of seen rows.

    A row of which the undivided table holds ``c`` copies comes new with probability ``p ** (c - 1)``, where
    ``p`` is the share of the copies that fell to the table that is predicted; ``p`` is found so
    that the training rows, taken as that undivided table, overlap by ``share``.

    Examples
    --------
    >>> found = overlap(np.array([1, 1, 2, 2]), share=0.25)
    >>> found.new_weight.round(2).tolist(), found.seen_weight.round(2).tolist()
    ([1.0, 1.0, 0.5, 0.5], [0.0, 0.0, 0.5, 0.5])
    """
    low, high = 0.0, 1.0
    for _ in range(50):
        p = (low + high) / 2
        if 1 - (p ** (copies - 1.0)).mean() > share:
            low = p
        else:
            high = p
    new = np.power(high, copies - 1.0, dtype=np.float64)
    return Overlap(share, new, 1 - new)
