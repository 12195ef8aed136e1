"""Answer rows that also stand in the training table, and score them honestly.

In a contest or a collection the same track may stand in the training table and in the table to predict. Such rows are
twins. Models that were fitted on a twin only repeat its label. Here the answer of a row combines the probability of the
models that had *not* seen it (out of fold) with the labels of its twins. With several labels a row, the labels update
the probability as counts update a Dirichlet prior. With one label, the training rows show how often two labels occur
together in twins: a track may have the same genre twice, or two related genres. The same rule answers the training rows
themselves, each from its other twins alone. This keeps their score honest.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Self

import numpy as np
import numpy.typing as npt

from aurist.arrays import Proba
from aurist.metrics import UNKNOWN, metric

Keys = npt.NDArray[np.uint64]

#: The weight of the models, the power of the twins, and a number of uninformative pseudo-twins.
_Way = tuple[float, float, float]
#: Candidates with several labels a row, and with one label.
_STRENGTHS: list[_Way] = [(strength, 0.0, 0.0) for strength in (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)]
_WAYS: list[_Way] = list(product((0.5, 0.75, 1.0), (0.0, 0.5, 0.75, 1.0), (1.0, 4.0, 16.0)))
_LEAST = 1e-6
_NOTHING = np.zeros((0, 0))


@dataclass(frozen=True)
class DuplicateRule:
    """Weights of the labels of twins against the probabilities of the models.

    Parameters
    ----------
    strength
        Number of labels that the models count for; with one label a row the power of their probability.
    logits
        (n_classes, n_classes): logits that a twin of each label (rows) gives each label (columns). Empty with several
        labels a row.
    """

    strength: float
    logits: npt.NDArray[np.float64]

    def updated(self, proba: Proba, counts: Proba, rows: npt.NDArray[np.float64]) -> Proba:
        """Update probabilities, (n, n_classes), by label counts of ``rows`` twins, (n, n_classes) or (n, 1)."""
        from scipy.special import softmax

        if not self.logits.size:
            mixed: Proba = (self.strength * proba + counts) / (self.strength + rows)
            return mixed
        logits = self.strength * np.log(np.maximum(proba, _LEAST)) + _said(counts) @ self.logits
        proba_of_copies: Proba = softmax(logits, axis=1)
        return proba_of_copies


def _said(counts: Proba) -> Proba:
    """Weigh the shares of labels by the log of the number of twins: twins are not independent."""
    n = np.maximum(counts.sum(axis=1, keepdims=True), 1.0)
    evidence: Proba = counts / n * (1 + np.log(n))
    return evidence


@dataclass(frozen=True)
class Duplicates:
    """The labels and probabilities of every distinct row of the training table.

    Parameters
    ----------
    keys
        (n_keys,), sorted: hash of the features (`aurist.features.matrix.row_keys`).
    proba
        (n_keys, n_classes): out of fold.
    counts
        (n_keys, n_classes): the number of training rows with this key that have each label.
    rows
        (n_keys, n_classes): the number of training rows with this key whose label is not unknown;
        (n_keys, 1) if no label is unknown.
    twins
        The rule that weighs the labels of twins.
    unscored
        (n_unscored,): keys of training rows without out-of-fold predictions (rows beside a fixed validation part).
        They count as seen, but there is no probability to combine with their labels.
    """

    keys: Keys
    proba: Proba
    counts: Proba
    rows: npt.NDArray[np.float64]
    twins: DuplicateRule
    unscored: Keys

    @classmethod
    def none(cls, n_classes: int) -> Self:
        """Make duplicates of no rows: no row counts as seen."""
        empty, keys = np.zeros((0, n_classes)), np.zeros(0, dtype=np.uint64)
        return cls(keys, empty, empty, np.zeros((0, 1)), DuplicateRule(1.0, np.zeros((0, 0))), keys)

    def contains(self, keys: Keys) -> npt.NDArray[np.bool_]:
        """Tell for each row if it stands in the training table, (n,)."""
        return np.isin(keys, self.keys) | np.isin(keys, self.unscored)

    def answer(self, keys: Keys, proba: Proba) -> Proba:
        """Replace the models' probabilities, (n, n_classes), of seen rows."""
        out = proba.copy()
        is_seen = np.isin(keys, self.keys)
        positions = np.searchsorted(self.keys, keys[is_seen])
        out[is_seen] = self.twins.updated(self.proba[positions], self.counts[positions], self.rows[positions])
        return out


@dataclass(frozen=True)
class DuplicateScores:
    """Answers for the training rows, as if they came again.

    ``proba`` is for rows with a twin; ``copies`` is the number of times that each row stands in the table.
    """

    proba: Proba
    copies: npt.NDArray[np.int64]


def learn_duplicates(
    keys: Keys,
    proba: Proba,
    targets: npt.NDArray[np.int8],
    folds: npt.NDArray[np.int64],
    *,
    multilabel: bool,
    unscored: Keys | None = None,
) -> tuple[Duplicates, DuplicateScores]:
    """Learn the weight of twins from the training rows that have twins.

    Parameters
    ----------
    keys : (n,)
        Hash of each row.
    proba : (n, n_classes)
        Out of fold, by models that saw no twin of the row.
    targets : (n, n_classes)
        Indicator matrix.
    folds : (n,)
        The rule for the rows of a fold is learnt on the other folds: folds of `deal_groups`, or given folds.
    unscored : (n_unscored,)
        Hash of each training row that is not scored.

    Returns
    -------
    seen
        Training rows, to answer new tables.
    scores
        The training rows, each answered from its other twins.
    """
    distinct, positions = np.unique(keys, return_inverse=True)
    copies = np.bincount(positions, minlength=len(distinct))
    is_labelled = (
        (targets != UNKNOWN) if (targets == UNKNOWN).any() else np.ones((len(targets), 1), dtype=bool)
    )
    rows, counts, summed = (
        np.zeros((len(distinct), n)) for n in (is_labelled.shape[1], *[targets.shape[1]] * 2)
    )
    np.add.at(rows, positions, is_labelled)
    np.add.at(counts, positions, targets == 1)
    np.add.at(summed, positions, proba)
    mean = summed / copies[:, None]

    twinned, answered = np.flatnonzero(copies[positions] > 1), proba.copy()
    rule = DuplicateRule(1.0, _NOTHING)
    if len(twinned):
        rule, answered[twinned] = _DuplicateRows(
            positions[twinned],
            proba[twinned],
            targets[twinned],
            (counts[positions] - (targets == 1))[twinned],
            (rows[positions] - is_labelled)[twinned],
            folds[twinned],
            multilabel,
        ).weighed()
    unscored_keys = np.unique(np.empty(0, dtype=np.uint64) if unscored is None else unscored)
    seen = Duplicates(distinct, mean, counts, rows, rule, unscored_keys)
    return seen, DuplicateScores(answered, copies[positions].astype(np.int64))


def deal_groups(groups: npt.NDArray[np.int64], n_parts: int, seed: int) -> npt.NDArray[np.int64]:
    """Deal whole groups to parts at random, (n,), to learn from twins on.

    Folds that are stratified by label are not suitable. They hold equal shares of twins with one label and with two, so
    that a random pattern in some folds is also in the others. A rule that learns it scores above chance on noise.
    """
    distinct, group_index = np.unique(groups, return_inverse=True)
    parts: npt.NDArray[np.int64] = (np.random.default_rng(seed).permutation(len(distinct)) % n_parts)[
        group_index
    ]
    return parts


@dataclass(frozen=True)
class _DuplicateRows:
    """Training rows with twins: probabilities, labels, and labels of the other twins; one row each."""

    key: npt.NDArray[np.intp]
    proba: Proba
    truth: npt.NDArray[np.int8]
    others: Proba
    n_others: npt.NDArray[np.float64]
    folds: npt.NDArray[np.int64]
    multilabel: bool

    def weighed(self) -> tuple[DuplicateRule, Proba]:
        """Choose the rule for new rows, and answer these rows, each fold by a rule of the other folds."""
        settings = _STRENGTHS if self.multilabel else _WAYS
        # for folds without other rows to learn from
        neutral = next(number for number, setting in enumerate(settings) if setting[0] == 1.0)
        all_rows = np.ones(len(self.key), dtype=bool)
        # given folds may divide twins: twins in other folds count the labels of this fold, so they are left out
        inside = [self.folds == fold for fold in np.unique(self.folds)]
        parts = [(in_fold, ~np.isin(self.key, self.key[in_fold])) for in_fold in inside]
        options = []
        for setting in settings:
            answers = np.zeros(self.proba.shape)
            for in_fold, other_rows in parts:
                answers[in_fold] = self._rule(setting, other_rows).updated(
                    self.proba[in_fold], self.others[in_fold], self.n_others[in_fold]
                )
            options.append(answers)
        answered = np.zeros(self.proba.shape)
        for in_fold, other_rows in parts:
            chosen = self._best(options, other_rows) if other_rows.any() else neutral
            answered[in_fold] = options[chosen][in_fold]
        return self._rule(settings[self._best(options, all_rows)], all_rows), answered

    def _rule(self, setting: _Way, rows: npt.NDArray[np.bool_]) -> DuplicateRule:
        strength, echo, smooth = setting
        if self.multilabel:
            return DuplicateRule(strength, _NOTHING)
        return DuplicateRule(strength, _logits(self.truth[rows], self.others[rows], echo, smooth))

    def _best(self, options: list[Proba], rows: npt.NDArray[np.bool_]) -> int:
        log_loss = metric("log_loss")
        truth = self.truth[rows]
        return int(
            np.argmax([log_loss(truth, answers[rows], multilabel=self.multilabel) for answers in options])
        )


def _logits(
    truth: npt.NDArray[np.int8], others: Proba, echo: float, smooth: float
) -> npt.NDArray[np.float64]:
    """Learn logits by the label of a twin, (n_classes, n_classes), from rows and the labels of their twins."""
    shares = others / np.maximum(others.sum(axis=1, keepdims=True), 1.0)
    pairs = (truth == 1).T.astype(np.float64) @ shares
    frequency = (pairs.sum(axis=0) + 1) / (pairs.sum() + len(pairs))
    pairs = pairs + smooth * frequency
    logits: npt.NDArray[np.float64] = echo * np.log(pairs / pairs.sum(axis=1, keepdims=True) / frequency).T
    return logits


@dataclass(frozen=True)
class Overlap:
    """The overlap of a table to predict with the training table, and weights for scores.

    Parameters
    ----------
    share
        Share of its rows that stand in the training table.
    new_weight, seen_weight
        (n_train,): weight of each training row as a new row, and as a seen row, if both tables were one table that
        is divided at random so that this share overlaps.
    """

    share: float
    new_weight: npt.NDArray[np.float64]
    seen_weight: npt.NDArray[np.float64]


def overlap(copies: npt.NDArray[np.int64], share: float) -> Overlap:
    """Weigh the training rows to represent a table with this share of seen rows.

    A row with ``c`` copies in the undivided table is new with probability ``p ** (c - 1)``. ``p`` is the share of
    copies in the table to predict. It is chosen to make the training rows, as the undivided table, overlap by
    ``share``.

    Examples
    --------
    >>> weights = overlap(np.array([1, 1, 2, 2]), share=0.25)
    >>> weights.new_weight.round(2).tolist(), weights.seen_weight.round(2).tolist()
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
