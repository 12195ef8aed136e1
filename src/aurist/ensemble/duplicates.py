"""Rows that a run has seen before: answered from what is known of their twins, and scored as such.

In a contest or a collection the same track may stand in the training table and in the table to predict.
For such a row the models that were fitted on its twin only echo it. Here its answer is the probability of
the models that had *not* seen it (out of fold) together with the labels of its twins. With several labels a
row these update it as counts update a Dirichlet prior. With one label, which labels stand together is learnt
from the training rows: a track may be filed under the same genre twice, or under two that are neighbours.
The same rule is applied to the training rows themselves, each from its other twins alone, so that its score
is honest too.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from aurist.arrays import Proba
from aurist.metrics import UNKNOWN, metric

Keys = npt.NDArray[np.uint64]

#: The strength of the models' word, the power of the twins', and how many twins are made up that tell nothing.
_Way = tuple[float, float, float]
#: Tried with several labels a row, and with one.
_STRENGTHS: list[_Way] = [(strength, 0.0, 0.0) for strength in (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)]
_WAYS: list[_Way] = list(product((0.5, 0.75, 1.0), (0.0, 0.5, 0.75, 1.0), (1.0, 4.0, 16.0)))
_LEAST = 1e-6
_NOTHING = np.zeros((0, 0))


@dataclass(frozen=True)
class DuplicateRule:
    """How the labels of twins are weighed against the models' word.

    Parameters
    ----------
    strength
        How many labels the models' word is worth; with one label a row the power of it.
    logits
        (n_classes, n_classes): logits that a twin of each label (rows) gives each label (columns). Empty with several
        labels a row.
    """

    strength: float
    logits: npt.NDArray[np.float64]

    def updated(self, proba: Proba, counts: Proba, rows: npt.NDArray[np.float64]) -> Proba:
        """(n, n_classes): ``counts`` of the labels of twins, of so many ``rows``, (n, n_classes) or (n, 1)."""
        from scipy.special import softmax

        if not self.logits.size:
            mixed: Proba = (self.strength * proba + counts) / (self.strength + rows)
            return mixed
        logits = self.strength * np.log(np.maximum(proba, _LEAST)) + _said(counts) @ self.logits
        proba_of_copies: Proba = softmax(logits, axis=1)
        return proba_of_copies


def _said(counts: Proba) -> Proba:
    """Shares of the labels; many twins say little more than a few, for they are no independent witnesses."""
    n = np.maximum(counts.sum(axis=1, keepdims=True), 1.0)
    said: Proba = counts / n * (1 + np.log(n))
    return said


@dataclass(frozen=True)
class Duplicates:
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
    twins
        How all this is weighed.
    unscored
        (n_unscored,): keys of training rows that no model left out (those beside a fixed validation part).
        They count as seen, but there is no word on them that could be mixed with their labels.
    """

    keys: Keys
    proba: Proba
    counts: Proba
    rows: npt.NDArray[np.float64]
    twins: DuplicateRule
    unscored: Keys

    def known(self, keys: Keys) -> npt.NDArray[np.bool_]:
        """Which of these rows stand in the training table, (n,)."""
        return np.isin(keys, self.keys) | np.isin(keys, self.unscored)

    def answer(self, keys: Keys, proba: Proba) -> Proba:
        """The models' probabilities, (n, n_classes), with those of seen rows replaced."""
        out = proba.copy()
        known = np.isin(keys, self.keys)
        at = np.searchsorted(self.keys, keys[known])
        out[known] = self.twins.updated(self.proba[at], self.counts[at], self.rows[at])
        return out


@dataclass(frozen=True)
class DuplicateScores:
    """Training rows as they would be answered if they came again.

    ``proba`` is for rows with a twin; ``copies`` says how often each row stands in the table.
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
        What answers the rows of a fold is learnt and chosen on the other folds: `dealt` ones, or given ones.
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

    twinned, answered = np.flatnonzero(copies[at] > 1), proba.copy()
    rule = DuplicateRule(1.0, _NOTHING)
    if len(twinned):
        rule, answered[twinned] = _DuplicateRows(
            at[twinned],
            proba[twinned],
            targets[twinned],
            (counts[at] - (targets == 1))[twinned],
            (rows[at] - known)[twinned],
            folds[twinned],
            multilabel,
        ).weighed()
    left = np.unique(np.empty(0, dtype=np.uint64) if unscored is None else unscored)
    seen = Duplicates(distinct, mean, counts, rows, rule, left)
    return seen, DuplicateScores(answered, copies[at].astype(np.int64))


def dealt(groups: npt.NDArray[np.int64], n_parts: int, seed: int) -> npt.NDArray[np.int64]:
    """Deal whole groups to parts at random, (n,), to learn from twins on.

    Folds that are stratified by label hold like shares of twins with one label and with two: what is there by chance
    in some of them is in the others, too, and a rule that learns it is scored above chance on labels of noise.
    """
    distinct, at = np.unique(groups, return_inverse=True)
    parts: npt.NDArray[np.int64] = (np.random.default_rng(seed).permutation(len(distinct)) % n_parts)[at]
    return parts


@dataclass(frozen=True)
class _DuplicateRows:
    """Training rows with twins: what the models, the truth, and the other twins say, a row each."""

    key: npt.NDArray[np.intp]
    proba: Proba
    truth: npt.NDArray[np.int8]
    others: Proba
    n_others: npt.NDArray[np.float64]
    folds: npt.NDArray[np.int64]
    multilabel: bool

    def weighed(self) -> tuple[DuplicateRule, Proba]:
        """The rule to answer new rows by, and answers for these ones, those of a fold by the other folds."""
        ways = _STRENGTHS if self.multilabel else _WAYS
        # where nothing can be learnt
        as_said = next(number for number, way in enumerate(ways) if way[0] == 1.0)
        everywhere = np.ones(len(self.key), dtype=bool)
        # given folds may cut through twins: those of a row of this fold hold its label in their counts
        inside = [self.folds == fold for fold in np.unique(self.folds)]
        parts = [(here, ~np.isin(self.key, self.key[here])) for here in inside]
        options = []
        for way in ways:
            option = np.zeros(self.proba.shape)
            for here, apart in parts:
                option[here] = self._rule(way, apart).updated(
                    self.proba[here], self.others[here], self.n_others[here]
                )
            options.append(option)
        answered = np.zeros(self.proba.shape)
        for here, apart in parts:
            chosen = self._best(options, apart) if apart.any() else as_said
            answered[here] = options[chosen][here]
        return self._rule(ways[self._best(options, everywhere)], everywhere), answered

    def _rule(self, way: _Way, rows: npt.NDArray[np.bool_]) -> DuplicateRule:
        strength, echo, smooth = way
        if self.multilabel:
            return DuplicateRule(strength, _NOTHING)
        return DuplicateRule(strength, _logits(self.truth[rows], self.others[rows], echo, smooth))

    def _best(self, options: list[Proba], rows: npt.NDArray[np.bool_]) -> int:
        log_loss = metric("log_loss")
        truth = self.truth[rows]
        return int(np.argmax([log_loss(truth, one[rows], multilabel=self.multilabel) for one in options]))


def _logits(
    truth: npt.NDArray[np.int8], others: Proba, echo: float, smooth: float
) -> npt.NDArray[np.float64]:
    """(n_classes, n_classes): logits by the label of a twin, from rows and the labels of their twins."""
    shares = others / np.maximum(others.sum(axis=1, keepdims=True), 1.0)
    together = (truth == 1).T.astype(np.float64) @ shares
    usual = (together.sum(axis=0) + 1) / (together.sum() + len(together))
    together = together + smooth * usual
    logits: npt.NDArray[np.float64] = echo * np.log(together / together.sum(axis=1, keepdims=True) / usual).T
    return logits


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
