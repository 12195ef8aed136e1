"""Intervals of scores: the bootstrap over groups (the cluster bootstrap), in Wilson's form.

Clips of one recording, artist or site are alike, so that resampling clips would give intervals that are too
narrow; whole groups are drawn with replacement instead. Source: Efron and Tibshirani, An Introduction to the
Bootstrap (1993), chapters 8 and 13.

A class that stands in few groups would be absent from many resamples (one of three groups: 5% of them), and a mean
over classes would then be one over fewer of them: another quantity, higher wherever the rare class is the hard one,
so that the interval leans to one side. For metrics that are such means, each class of fewer than `RARE` groups is
therefore a stratum of its own: of its n groups n - 1 are drawn, with replacement, and count n / (n - 1) times. It is
never absent, and the spread comes out right, where n draws of n would give (n - 1) / n of the variance. Source: Rao and
Wu, Resampling inference with complex survey data (1988). Groups that hold more of common classes than of rare
ones are drawn with all others: in a stratum of few they would hardly vary, and with them the common classes. Where no
class is rare this is the plain bootstrap. A class of a single group adds nothing to the width: how its groups differ
cannot be known from one.

How the bounds follow from the resamples is in `aurist.results.bounds`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.arrays import Proba
from aurist.errors import ConfigError, DataError
from aurist.metrics import METRICS, Metric, Scorer, is_multilabel
from aurist.metrics.scorer import Floats, Truth
from aurist.results.bounds import fold_degrees, score_bounds
from aurist.results.chance import chance, named_metric

#: Of so many groups (or more) a class is absent from hardly any resample: (1 - 12/n)^n < e^-12.
RARE = 12
#: Weights held at once: memory stays near 32 MB however many rows and rounds there are.
_HELD = 4_000_000


@dataclass(frozen=True)
class Interval:
    """A score and its bounds; NaN bounds where they cannot be known.

    Examples
    --------
    >>> print(Interval(0.67712, 0.66504, 0.68901))
    0.677 [0.665, 0.689]
    """

    score: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.score:.3f} [{self.low:.3f}, {self.high:.3f}]"


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
    """A score and its interval, from resampled groups.

    Parameters
    ----------
    truth, proba
        (n, n_classes), as the metrics take them.
    groups
        (n,), what hangs together; None, as a whole or of a row: each row alone.
    metric
        A metric or its name.
    rounds
        How many resamples. Those in which the score is not defined are left out of the bounds.
    level
        How often such an interval shall hold the truth.
    seed
        The same seed and groups give the same resamples, whatever the model and the metric.
    multilabel
        Whether rows may have several labels; seen from the truth where not given.
    weight
        (n,), how much each row counts; all alike where not given.
    out_of_fold
        Whether models of other rows of the same set made each answer, and not one model all: of few groups the
        interval is wider then (see `aurist.results.bounds.fold_degrees`).

    Raises
    ------
    ConfigError
        Where the metric is unknown, or rounds or level make no sense.
    DataError
        Where the arrays do not fit together.

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
    """Every metric that fits the data, with its interval and what guessing would score.

    The parameters and errors are those of `bootstrap`, and ``named``, (n, n_classes): what is decided for where clips
    may have several labels; None: all above one half. Top-k is left out where there are k classes or fewer.

    Returns
    -------
    pandas.DataFrame
        ``metric, score, low, high, chance``, one row a metric.
    """
    several = is_multilabel(truth) if multilabel is None else multilabel
    fitting = [
        found
        for name, found in METRICS.items()
        if (found.multilabel if several else found.singlelabel)
        and not (name.startswith("top_") and int(name[4:]) >= np.shape(truth)[1])
    ]
    decided = proba if named is None or not several else named.astype(np.float64)
    scorers = [found.scorer(truth, proba if found.needs_proba else decided, several) for found in fitting]
    scores, resampled = np.full(len(scorers), np.nan), np.full((len(scorers), rounds), np.nan)
    for kind in (False, True):
        some = [place for place, found in enumerate(fitting) if found.over_classes is kind]
        scores[some], resampled[some] = resampled_scores(
            [scorers[place] for place in some], truth, groups, rounds, seed, over_classes=kind
        )
    n_groups = _count(groups, truth)
    bounds = [
        score_bounds(found, values, level, float(score), n_groups)
        for found, values, score in zip(fitting, resampled, scores, strict=True)
    ]
    return pd.DataFrame(
        {
            "metric": [found.name for found in fitting],
            "score": scores,
            "low": [low for low, _ in bounds],
            "high": [high for _, high in bounds],
            "chance": [chance(truth, found, multilabel=several) for found in fitting],
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
    """The score of each scorer, (n,), and its scores on the same resamples of the groups, (n, rounds).

    ``over_classes``: the scores are means over classes, of which none may be absent from a resample.
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
    """Draw the groups anew: how often each row counts, (n, some of the rounds) at a time.

    Nothing is drawn where no class has two groups: one says nothing of how groups differ.
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
    """The groups of mostly common classes, and those of each rare one; a group of several goes with its rarest."""
    if not truth.shape[1]:
        return [np.arange(n_groups)]
    held = np.zeros((n_groups, truth.shape[1]))
    rows, columns = np.nonzero(truth == 1)
    np.add.at(held, (codes[rows], columns), 1)
    spread = (held > 0).sum(axis=0)
    rarest = np.where(held > 0, spread, n_groups + RARE).argmin(axis=1)
    mostly_rare = held[:, spread < RARE].sum(axis=1) * 2 >= np.maximum(held.sum(axis=1), 1)
    stratum = np.where(mostly_rare, rarest, -1)
    return [np.flatnonzero(stratum == one) for one in np.unique(stratum)]


def _drawn(
    strata: Sequence[npt.NDArray[np.intp]], n_groups: int, rounds: int, rng: np.random.Generator
) -> Floats:
    """How often each group counts in each resample, (n_groups, rounds)."""
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
    """(n_rows,), 0 to the number of groups less one; a row without a group is one of its own."""
    if groups is None:
        return np.arange(n_rows)
    if len(groups) != n_rows:
        raise DataError(f"There are {len(groups)} groups for {n_rows} rows: one a row is needed")
    codes, known = pd.factorize(np.fromiter(groups, dtype=object, count=n_rows))
    alone = codes < 0
    codes[alone] = len(known) + np.arange(alone.sum())
    return codes.astype(np.intp)


def _count(groups: Sequence[object] | npt.NDArray[np.generic] | None, truth: Truth) -> int:
    return int(_group_codes(groups, len(truth)).max(initial=-1)) + 1
