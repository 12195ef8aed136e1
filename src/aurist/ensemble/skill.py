"""Tell which classes a model surely recognises, by a permutation test on out-of-fold predictions.

Without skill, it would make no difference in which groups a class occurs. So the average precision of a class is
compared with that of the same labels laid over other groups: as many groups have the class, with as many rows each, and
rows in a row stay together. Rows of one group are alike, so permuted rows would say "surely" far too often. Source:
P. Good, "Permutation, Parametric and Bootstrap Tests of Hypotheses" (2005), chapter 3.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from aurist.arrays import Proba
from aurist.metrics import UNKNOWN

Truth = npt.NDArray[np.int8]

#: Number of permutations; share of classes without skill that are taken for skilled.
ROUNDS, LEVEL = 399, 0.025
#: With more groups than this, one permutation is rotated instead of drawing each anew, which is as good and faster.
_MANY_GROUPS = 200


def has_skill(
    proba: Proba, truth: Truth, groups: npt.NDArray[np.int64], seed: int = 0
) -> npt.NDArray[np.bool_]:
    """Tell for each class if its average precision is surely above that of a random order.

    Parameters
    ----------
    proba, truth : (n, n_classes)
        Out of fold; unknown labels are left out.
    groups : (n,)
        Rows of one group are alike.
    seed
        Seed of the permutations, and of the order of equal probabilities.

    Returns
    -------
    (n_classes,)
        False, too, if a class has no positive or no negative row.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> truth = np.repeat([[1, 1], [0, 0]], 50, axis=0)
    >>> proba = np.stack([truth[:, 0] + rng.normal(size=100), rng.normal(size=100)], axis=1)
    >>> has_skill(proba, truth, np.arange(100)).tolist()
    [True, False]
    """
    return np.array(
        [
            _is_skilled(proba[rows, column], truth[rows, column] == 1, groups[rows], seed)
            for column, rows in enumerate((truth != UNKNOWN).T)
        ],
        dtype=bool,
    )


def _is_skilled(
    score: npt.NDArray[np.float64], positive: npt.NDArray[np.bool_], groups: npt.NDArray[np.int64], seed: int
) -> bool:
    if not positive.any() or positive.all():
        return False
    rng = np.random.default_rng(seed)
    by_group = np.argsort(groups, kind="stable")
    score, positive = score[by_group], positive[by_group]
    rank = np.empty(len(score), dtype=np.int64)
    rank[np.lexsort((rng.random(len(score)), -score))] = np.arange(1, len(score) + 1)
    actual = float(_average_precision(rank[positive][None])[0])
    sizes = np.unique(groups[by_group], return_counts=True)[1]
    chance = _average_precision(_permuted(rank, positive, sizes, rng))
    return bool(1 + (chance >= actual).sum() <= LEVEL * (ROUNDS + 1))


def _permuted(
    rank: npt.NDArray[np.int64],
    positive: npt.NDArray[np.bool_],
    sizes: npt.NDArray[np.int64],
    rng: np.random.Generator,
) -> npt.NDArray[np.float64]:
    """Lay the positive rows over other groups: their ranks, (ROUNDS, n_positives), infinite for those without room.

    Rows are ordered by group; ``sizes`` has the rows of each group.
    """
    starts = np.cumsum(sizes) - sizes
    counts = np.add.reduceat(positive.astype(np.int64), starts)
    with_class = np.flatnonzero(counts)
    target = _other_groups(len(sizes), rng)[:, with_class].repeat(counts[with_class], axis=1)
    first = rng.integers(0, 1 << 32, (ROUNDS, len(with_class))).repeat(counts[with_class], axis=1)
    number = np.concatenate([np.arange(count) for count in counts[with_class]])
    rows = starts[target] + (first + number) % sizes[target]
    return np.where(number < sizes[target], rank[rows], np.inf)


def _other_groups(n: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Give a permutation of n groups for each round, (ROUNDS, n)."""
    if n <= _MANY_GROUPS:
        return np.argsort(rng.random((ROUNDS, n)), axis=1)
    order, shift = rng.permutation(n), rng.integers(0, n, (ROUNDS, 1))
    return np.asarray(order[(np.arange(n) + shift) % n])


def _average_precision(ranks: npt.NDArray[np.floating] | npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Compute the average precision of each row of ranks of positives; infinite ranks do not count."""
    ordered = np.sort(ranks.astype(np.float64), axis=1)
    precision = np.arange(1, ordered.shape[1] + 1) / ordered
    return np.asarray(precision.sum(axis=1) / np.isfinite(ordered).sum(axis=1))
