"""Compute bounds of scores and of differences from their resamples.

Resamples show how far a score may be from the truth, but near 1 their percentiles are too narrow: if all of forty clips
are right, they are right in every resample. So a score between 0 and 1 is treated as a share of independent answers.
The number of answers follows from the spread of the resamples, or is the number of groups if there is no spread. The
interval is that of such a share. Sources: Wilson, Probable inference, the law of succession, and
statistical inference (1927); Korn and Graubard, Confidence intervals for proportions with small expected number of
positive counts estimated from survey data (1998).

Means over classes also have a bias if classes have few positives: with few clips average precision is too high and
macro F1 is too low. Resamples hold fewer different clips and have that bias twice. So the distance between the mean of
the resamples and the score is subtracted. The score itself is always within the bounds. Source: Efron and
Tibshirani, chapter 10. Trials are in docs/decisions/0012.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from aurist.errors import ConfigError
from aurist.metrics import Metric
from aurist.metrics.scorer import Floats, Truth

#: A variance of resamples below this is zero but for rounding.
_NONE = 1e-12


def score_bounds(
    metric: Metric,
    values: Floats,
    level: float,
    score: float,
    n_groups: int,
    degrees: float | None = None,
) -> tuple[float, float]:
    """Compute the bounds of a score from its resamples; ``degrees`` as in `wilson`."""
    if not metric.is_share:
        return percentile_bounds(values, level, score, biased=False)
    defined = _defined(values, level)
    if not len(defined):
        return float("nan"), float("nan")
    spread = float(defined.var())
    middle = min(max(2 * score - defined.mean(), 0.0), 1.0) if metric.over_classes else score
    n_answers = middle * (1 - middle) / spread if spread > _NONE and 0 < middle < 1 else n_groups
    low, high = wilson(middle, n_answers, level, degrees)
    return min(low, score), max(high, score)


def wilson(share: float, n: float, level: float, degrees: float | None = None) -> tuple[float, float]:
    """Compute the interval of a share of ``n`` independent answers.

    With ``degrees`` of freedom the quantiles are those of Student's t, which are wider; None: of the normal
    distribution.

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
    """Compute the degrees of freedom of a score out of fold: groups of a class, harmonic mean over labels, minus one.

    Predictions out of fold depend on each other: models of few groups share the bias of these groups. The spread over
    all groups does not show this, and it grows as a class has fewer groups (docs/decisions/0018).

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
    """Compute the bounds of the middle share ``level`` of the resamples; a bias is subtracted."""
    defined = _defined(values, level)
    if not len(defined):
        return float("nan"), float("nan")
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    if not biased:
        return float(low), float(high)
    bias = 2 * (defined.mean() - score)
    return float(min(low - bias, score)), float(max(high - bias, score))


def _defined(values: Floats, level: float) -> Floats:
    """Select the resamples with a defined score; raise ConfigError if the level is not between 0 and 1."""
    if not 0 < level < 1:
        raise ConfigError(f"The level of an interval is between 0 and 1, such as 0.95; {level} was given")
    return values[np.isfinite(values)]
