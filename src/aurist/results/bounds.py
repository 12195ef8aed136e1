"""Bounds of scores and of differences, from those of their resamples.

Resamples say how far a score may be from the truth, but near 1 their percentiles end too soon: where forty clips
are all answered rightly, they are so in every resample. A score between 0 and 1 is therefore taken for a share of as
many independent answers as have its spread, and the interval is that of such a share; where the resamples have no
spread at all, of as many as there are groups. Sources: Wilson, Probable inference, the law of succession, and
statistical inference (1927); Korn and Graubard, Confidence intervals for proportions with small expected number of
positive counts estimated from survey data (1998).

Means over classes have a bias, too, where classes have few positives: average precision comes out too high of few
clips, macro F1 too low, and resamples, which hold fewer different clips, have that bias twice. What the resamples lie
beside the score is therefore taken from it, and the score itself is always within the bounds. Source: Efron and
Tibshirani, chapter 10. Drawn sets are in docs/decisions/0012.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from aurist.errors import ConfigError
from aurist.metrics import Metric
from aurist.metrics.scorer import Floats, Truth

#: A variance of resamples that is none but for rounding.
_NONE = 1e-12


def score_bounds(
    metric: Metric,
    values: Floats,
    level: float,
    score: float,
    n_groups: int,
    degrees: float | None = None,
) -> tuple[float, float]:
    """Of a score, from those of its resamples; ``degrees`` as `wilson` takes them."""
    if not metric.is_share:
        return percentile_bounds(values, level, score, biased=False)
    defined = _defined(values, level)
    if not len(defined):
        return float("nan"), float("nan")
    spread = float(defined.var())
    middle = min(max(2 * score - defined.mean(), 0.0), 1.0) if metric.over_classes else score
    alone = middle * (1 - middle) / spread if spread > _NONE and 0 < middle < 1 else n_groups
    low, high = wilson(middle, alone, level, degrees)
    return min(low, score), max(high, score)


def wilson(share: float, n: float, level: float, degrees: float | None = None) -> tuple[float, float]:
    """The interval of a share of ``n`` independent answers.

    ``degrees`` of freedom give the quantiles of Student's t, which are wider; None: those of the normal distribution.

    Examples
    --------
    >>> low, high = wilson(1.0, 40, 0.95)
    >>> print(f"{low:.3f} {high:.3f}")
    0.912 1.000
    """
    z = _quantile((1 + level) / 2, degrees)
    middle, half = share + z**2 / (2 * n), z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return float((middle - half) / (1 + z**2 / n)), float((middle + half) / (1 + z**2 / n))


def fold_degrees(truth: Truth, codes: npt.NDArray[np.intp]) -> float:
    """Degrees of freedom of a score out of fold: the groups of a class less one, in the harmonic mean over the labels.

    Answers out of fold hang together, as models of few groups all lean the way that these happen to lie: a spread over
    all groups does not show it, and the fewer groups a class has the more there is of it (docs/decisions/0018).

    Examples
    --------
    >>> round(fold_degrees(np.eye(2)[[0, 0, 0, 1, 1, 1, 1]], np.array([0, 1, 2, 3, 3, 4, 5])), 1)
    2.0
    """
    counts = (truth == 1).sum(axis=0)
    columns = np.flatnonzero(counts)
    groups = [len(np.unique(codes[truth[:, column] == 1])) for column in columns]
    if not groups:
        return 1.0
    return max(float(counts.sum() / np.sum(counts[columns] / np.array(groups))) - 1.0, 1.0)


def _quantile(share: float, degrees: float | None) -> float:
    if degrees is None:
        return NormalDist().inv_cdf(share)
    from scipy.stats import t

    return float(t.ppf(share, degrees))


def percentile_bounds(values: Floats, level: float, score: float, *, biased: bool) -> tuple[float, float]:
    """Between which the middle share ``level`` of the resamples lies; those with a bias are moved against it."""
    defined = _defined(values, level)
    if not len(defined):
        return float("nan"), float("nan")
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    if not biased:
        return float(low), float(high)
    bias = 2 * (defined.mean() - score)
    return float(min(low - bias, score)), float(max(high - bias, score))


def _defined(values: Floats, level: float) -> Floats:
    """The resamples in which there is a score; ConfigError where the level makes no sense."""
    if not 0 < level < 1:
        raise ConfigError(f"The level of an interval is between 0 and 1, such as 0.95; {level} was given")
    return values[np.isfinite(values)]
