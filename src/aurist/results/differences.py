"""Compare models on the same resamples of the groups: is one really better than another?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.arrays import Proba
from aurist.metrics import Interval, Metric
from aurist.metrics.scorer import Floats, Truth
from aurist.results.bootstrap import resampled_scores
from aurist.results.bounds import percentile_bounds
from aurist.results.chance import named_metric

PAIRWISE_COLUMNS = ("model", "other", "difference", "low", "high", "better")


@dataclass(frozen=True)
class Difference(Interval):
    """The score of one model minus that of another, on the same rows.

    Parameters
    ----------
    better
        Share of the resamples in which the first model scored higher than the second; equal scores count half.
    """

    better: float

    def __str__(self) -> str:
        return f"{self.score:+z.4f} [{self.low:+z.4f}, {self.high:+z.4f}], better in {self.better:.0%} of resamples"


def paired(
    truth: Truth,
    proba_a: Proba,
    proba_b: Proba,
    groups: Sequence[object] | npt.NDArray[np.generic] | None,
    metric: Metric | str,
    *,
    rounds: int = 1000,
    level: float = 0.95,
    seed: int = 0,
    multilabel: bool | None = None,
    weight: npt.NDArray[np.float64] | None = None,
) -> Difference:
    """Measure how much better ``proba_a`` scores than ``proba_b`` on the same resamples.

    The interval is much narrower than two separate intervals, because clips that are hard for one model are mostly hard
    for the other.
    The parameters and errors are those of `bootstrap`.

    Examples
    --------
    >>> truth = np.eye(2)[[0, 1] * 50]
    >>> print(paired(truth, truth, np.tile([0.9, 0.1], (100, 1)), None, "accuracy"))
    +0.5000 [+0.4000, +0.6000], better in 100% of resamples
    """
    compared = _compare(truth, (proba_a, proba_b), groups, metric, rounds, seed, multilabel, weight)
    return compared.difference(0, 1, level)


def pairwise(
    truth: Truth,
    probas: Mapping[str, Proba],
    groups: Sequence[object] | npt.NDArray[np.generic] | None,
    metric: Metric | str,
    *,
    rounds: int = 1000,
    level: float = 0.95,
    seed: int = 0,
    multilabel: bool | None = None,
    weight: npt.NDArray[np.float64] | None = None,
) -> pd.DataFrame:
    """Compare every pair of models as `paired` does, the better one first; each model is resampled once.

    Parameters
    ----------
    probas
        (n, n_classes) for each model name.

    Returns
    -------
    pandas.DataFrame
        ``model, other, difference, low, high, better``: from the best model's pairs to the worst's.

    Examples
    --------
    >>> truth = np.eye(2)[[0, 1] * 50]
    >>> constant = np.tile([0.9, 0.1], (100, 1))
    >>> table = pairwise(truth, {"constant": constant, "perfect": truth}, None, "accuracy")
    >>> table.round(2).to_dict("records")
    [{'model': 'perfect', 'other': 'constant', 'difference': 0.5, 'low': 0.4, 'high': 0.6, 'better': 1.0}]
    """
    names = list(probas)
    compared = _compare(truth, list(probas.values()), groups, metric, rounds, seed, multilabel, weight)
    order = np.argsort(-compared.scores, kind="stable")
    rows = []
    for rank, a in enumerate(order):
        for b in order[rank + 1 :]:
            gap = compared.difference(int(a), int(b), level)
            rows.append((names[a], names[b], gap.score, gap.low, gap.high, gap.better))
    return pd.DataFrame(rows, columns=list(PAIRWISE_COLUMNS))


@dataclass(frozen=True)
class _Compared:
    """Models on the same resamples of the groups.

    Parameters
    ----------
    scores, resampled
        (n_models,) and (n_models, rounds).
    biased
        True if the bounds have to be corrected for the bias of the resamples.
    """

    scores: Floats
    resampled: Floats
    biased: bool

    def difference(self, a: int, b: int, level: float) -> Difference:
        gaps, score = self.resampled[a] - self.resampled[b], float(self.scores[a] - self.scores[b])
        defined = gaps[np.isfinite(gaps)]
        better = float((defined > 0).mean() + (defined == 0).mean() / 2) if len(defined) else float("nan")
        return Difference(score, *percentile_bounds(gaps, level, score, biased=self.biased), better)


def _compare(
    truth: Truth,
    probas: Sequence[Proba],
    groups: Sequence[object] | npt.NDArray[np.generic] | None,
    metric: Metric | str,
    rounds: int,
    seed: int,
    multilabel: bool | None,
    weight: npt.NDArray[np.float64] | None,
) -> _Compared:
    chosen = named_metric(metric)
    scorers = [chosen.scorer(truth, proba, multilabel) for proba in probas]
    scores, resampled = resampled_scores(
        scorers, truth, groups, rounds, seed, weight, over_classes=chosen.over_classes
    )
    return _Compared(scores, resampled, chosen.over_classes)
