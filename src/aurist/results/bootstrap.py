"""Intervals of scores: the bootstrap over groups (the cluster bootstrap), in Wilson's form.

Clips of one recording, artist or site are alike, so resampling clips would give intervals that are too
narrow. Whole groups are drawn with replacement instead. Source: Efron and Tibshirani, An Introduction to the
Bootstrap (1993), chapters 8 and 13.

A class with few groups would be absent from many resamples (one of three groups: from 5% of them). A mean over classes
would then be a mean over fewer classes. That is another quantity. It is higher if the rare class is a hard class, and
the interval leans to one side. So for metrics that are such means, each class with fewer than `RARE` groups is a
stratum of its own. Of its n groups, n - 1 are drawn with replacement, and they count n / (n - 1) times. The class is
never absent, and the spread is right: n draws of n groups would give only (n - 1) / n of the variance. Source: Rao and
Wu, Resampling inference with complex survey data (1988). Groups with more of common classes than of rare
classes are drawn together with all others: in a small stratum they and their common classes would hardly vary. If no
class is rare, this is the plain bootstrap. A class with a single group adds nothing to the width, because one group
does not show how groups differ.

The bounds are computed from the resamples in `aurist.results.bounds`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.arrays import Proba
from aurist.errors import ConfigError, DataError
from aurist.metrics import METRICS, Interval, Metric, Scorer, is_multilabel
from aurist.metrics.scorer import Floats, Truth
from aurist.results.bounds import fold_degrees, score_bounds
from aurist.results.chance import chance, named_metric

#: A class with this many groups or more is absent from hardly any resample: (1 - 12/n)^n < e^-12.
RARE = 12
#: Largest number of weights in memory at once: about 32 MB for any number of rows and rounds.
_HELD = 4_000_000


def bootstrap(
    truth: Truth,
    proba: Proba,
    groups: Sequence[object] | npt.NDArray[np.generic] | None,
    metric: Metric | str,
    *,
    rounds: int = 1000,
    level: float = 0.95,
    seed: int = 0,
    multilabel: bool | None = None,
    weight: npt.NDArray[np.float64] | None = None,
    out_of_fold: bool = False,
) -> Interval:
    """Compute a score and its interval from resampled groups.

    Parameters
    ----------
    truth, proba
        (n, n_classes), as the metrics take them.
    groups
        (n,): rows of one group belong together. None for all rows, or for one row: each such row is a group of its own.
    metric
        A metric or its name.
    rounds
        Number of resamples. Resamples without a defined score do not count for the bounds.
    level
        Share of such intervals that should contain the true score.
    seed
        The same seed and groups give the same resamples, whatever the model and the metric.
    multilabel
        Whether rows may have several labels; taken from the truth if not given.
    weight
        (n,): weight of each row; all equal if not given.
    out_of_fold
        Whether the predictions are out of fold, so that they come from several models. With few groups the interval is
        then wider (see `aurist.results.bounds.fold_degrees`).

    Raises
    ------
    ConfigError
        If the metric is unknown, or rounds or level are out of range.
    DataError
        If the arrays do not fit together.

    Examples
    --------
    >>> truth = np.eye(2)[[0, 1] * 50]
    >>> proba = np.tile([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.6, 0.4]], (25, 1))
    >>> print(bootstrap(truth, proba, None, "accuracy"))
    0.750 [0.656, 0.825]
    """
    chosen = named_metric(metric)
    scorer = chosen.scorer(truth, proba, multilabel)
    score, resampled = resampled_scores(
        [scorer], truth, groups, rounds, seed, weight, over_classes=chosen.over_classes
    )
    degrees = fold_degrees(np.asarray(truth), _group_codes(groups, len(truth))) if out_of_fold else None
    bounds = score_bounds(chosen, resampled[0], level, float(score[0]), _count(groups, truth), degrees)
    return Interval(float(score[0]), *bounds)


def all_scores(
    truth: Truth,
    proba: Proba,
    groups: Sequence[object] | npt.NDArray[np.generic] | None,
    *,
    rounds: int = 1000,
    level: float = 0.95,
    seed: int = 0,
    multilabel: bool | None = None,
    named: npt.NDArray[np.bool_] | None = None,
) -> pd.DataFrame:
    """Compute every metric that fits the data, with its interval and the score of guessing.

    Parameters and errors are those of `bootstrap`. ``named``, (n, n_classes), gives the decisions for data with several
    labels a clip; None: all probabilities above one half. Top-k is left out if there are k classes or fewer.

    Returns
    -------
    pandas.DataFrame
        ``metric, score, low, high, chance``; one row for each metric.
    """
    several = is_multilabel(truth) if multilabel is None else multilabel
    metrics = [
        metric
        for name, metric in METRICS.items()
        if (metric.multilabel if several else metric.singlelabel)
        and not (name.startswith("top_") and int(name[4:]) >= np.shape(truth)[1])
    ]
    decided = proba if named is None or not several else named.astype(np.float64)
    scorers = [metric.scorer(truth, proba if metric.needs_proba else decided, several) for metric in metrics]
    scores, resampled = np.full(len(scorers), np.nan), np.full((len(scorers), rounds), np.nan)
    for kind in (False, True):
        indices = [index for index, metric in enumerate(metrics) if metric.over_classes is kind]
        scores[indices], resampled[indices] = resampled_scores(
            [scorers[index] for index in indices], truth, groups, rounds, seed, over_classes=kind
        )
    n_groups = _count(groups, truth)
    bounds = [
        score_bounds(metric, values, level, float(score), n_groups)
        for metric, values, score in zip(metrics, resampled, scores, strict=True)
    ]
    return pd.DataFrame(
        {
            "metric": [metric.name for metric in metrics],
            "score": scores,
            "low": [low for low, _ in bounds],
            "high": [high for _, high in bounds],
            "chance": [chance(truth, metric, multilabel=several) for metric in metrics],
        }
    )


def resampled_scores(
    scorers: Sequence[Scorer],
    truth: Truth,
    groups: Sequence[object] | npt.NDArray[np.generic] | None,
    rounds: int,
    seed: int,
    weight: npt.NDArray[np.float64] | None = None,
    *,
    over_classes: bool,
) -> tuple[Floats, Floats]:
    """Compute the score of each scorer, (n,), and its scores on the same resamples of the groups, (n, rounds).

    ``over_classes``: the scores are means over classes, and no class may be absent from a resample.
    """
    if rounds < 1:
        raise ConfigError(f"A bootstrap needs at least one round; {rounds} were asked for")
    n_rows = len(truth)
    base = np.ones((n_rows, 1)) if weight is None else np.asarray(weight, dtype=float).reshape(-1, 1)
    scores = np.array([scorer(base)[0] for scorer in scorers])
    out = np.full((len(scorers), rounds), np.nan)
    start = 0
    for weights in resamples(truth, groups, rounds, seed, over_classes=over_classes):
        for row, scorer in enumerate(scorers):
            out[row, start : start + weights.shape[1]] = scorer(weights * base)
        start += weights.shape[1]
    return scores, out


def resamples(
    truth: Truth,
    groups: Sequence[object] | npt.NDArray[np.generic] | None,
    rounds: int,
    seed: int,
    *,
    over_classes: bool,
) -> Iterator[Floats]:
    """Draw groups with replacement: yield the weight of each row, (n, some of the rounds) at a time.

    Nothing is drawn if no class has two groups: one group does not show how groups differ.
    """
    n_rows = len(truth)
    codes = _group_codes(groups, n_rows)
    n_groups = int(codes.max(initial=-1)) + 1
    if n_groups < 2:
        return
    strata = _strata(np.asarray(truth), codes, n_groups) if over_classes else [np.arange(n_groups)]
    if max(map(len, strata)) < 2:
        return
    rng = np.random.default_rng(seed)
    step = max(1, min(128, _HELD // n_rows))
    for start in range(0, rounds, step):
        yield _drawn(strata, n_groups, min(step, rounds - start), rng)[codes]


def _strata(truth: Truth, codes: npt.NDArray[np.intp], n_groups: int) -> list[npt.NDArray[np.intp]]:
    """Split groups into one stratum of mostly common classes and one for each rare class (of a group, its rarest)."""
    if not truth.shape[1]:
        return [np.arange(n_groups)]
    counts = np.zeros((n_groups, truth.shape[1]))
    rows, columns = np.nonzero(truth == 1)
    np.add.at(counts, (codes[rows], columns), 1)
    spread = (counts > 0).sum(axis=0)
    rarest = np.where(counts > 0, spread, n_groups + RARE).argmin(axis=1)
    mostly_rare = counts[:, spread < RARE].sum(axis=1) * 2 >= np.maximum(counts.sum(axis=1), 1)
    stratum = np.where(mostly_rare, rarest, -1)
    return [np.flatnonzero(stratum == value) for value in np.unique(stratum)]


def _drawn(
    strata: Sequence[npt.NDArray[np.intp]], n_groups: int, rounds: int, rng: np.random.Generator
) -> Floats:
    """Weight of each group in each resample, (n_groups, rounds)."""
    drawn = np.zeros((n_groups, rounds))
    for column in range(rounds):
        for members in strata:
            n = len(members)
            draws = max(n - 1, 1) if n < RARE else n
            drawn[members, column] = np.bincount(rng.integers(n, size=draws), minlength=n) * (n / draws)
    return drawn


def _group_codes(
    groups: Sequence[object] | npt.NDArray[np.generic] | None, n_rows: int
) -> npt.NDArray[np.intp]:
    """Number the groups from 0, (n_rows,); a row without a group is a group of its own."""
    if groups is None:
        return np.arange(n_rows)
    if len(groups) != n_rows:
        raise DataError(f"There are {len(groups)} groups for {n_rows} rows: one a row is needed")
    codes, names = pd.factorize(np.fromiter(groups, dtype=object, count=n_rows))
    alone = codes < 0
    codes[alone] = len(names) + np.arange(alone.sum())
    return codes.astype(np.intp)


def _count(groups: Sequence[object] | npt.NDArray[np.generic] | None, truth: Truth) -> int:
    return int(_group_codes(groups, len(truth)).max(initial=-1)) + 1
