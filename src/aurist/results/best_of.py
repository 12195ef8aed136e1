"""Estimate by how much the best of several scores is too high: the highest of many is also the luckiest.

Source: I. Tsamardinos, E. Greasidou, G. Borboudakis, "Bootstrapping the out-of-sample predictions for efficient and
accurate cross-validation", Machine Learning 107, 2018: the best is chosen on a resample of the groups and scored on
the groups that were not drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from aurist.arrays import Proba
from aurist.metrics import Metric
from aurist.metrics.scorer import Floats, Truth
from aurist.results.bootstrap import resamples
from aurist.results.chance import named_metric
from aurist.run.scores_file import Best


def best_of(
    truth: Truth,
    probas: Mapping[str, Proba],
    groups: Sequence[object] | npt.NDArray[np.generic] | None,
    metric: Metric | str,
    *,
    rounds: int = 200,
    seed: int = 0,
    multilabel: bool | None = None,
    weight: npt.NDArray[np.float64] | None = None,
) -> Best | None:
    """Find the best of some models, and estimate by how much its score is too high because it was picked.

    Each resample picks its own best model. The lead of that model over the mean of all models is measured on the groups
    that were not drawn. The lead on all rows minus this lead is the part that comes from picking.

    Parameters
    ----------
    probas
        (n, n_classes) for each model name.
    truth, groups, metric, seed, multilabel, weight
        As `aurist.results.bootstrap` takes them.
    rounds
        Number of resamples.

    Returns
    -------
    Best or None
        None if fewer than two models have a score.

    Examples
    --------
    >>> truth, rng = np.eye(2)[[0, 1] * 50], np.random.default_rng(0)
    >>> noise = {f"model{i}": rng.random((100, 2)) for i in range(20)}
    >>> best = best_of(truth, noise, None, "accuracy")
    >>> print(f"{best.score:.2f}, of which about {best.optimism:.2f} by luck")
    0.57, of which about 0.08 by luck
    """
    chosen = named_metric(metric)
    base = np.ones((len(truth), 1)) if weight is None else np.asarray(weight, dtype=float).reshape(-1, 1)
    scorers = {name: chosen.scorer(truth, proba, multilabel) for name, proba in probas.items()}
    scores = {name: float(scorer(base)[0]) for name, scorer in scorers.items()}
    names = [name for name, score in scores.items() if np.isfinite(score)]
    if len(names) < 2:
        return None
    best = max(names, key=lambda name: scores[name])
    lead = scores[best] - float(np.mean([scores[name] for name in names]))
    leads: list[float] = []
    for drawn in resamples(truth, groups, rounds, seed, over_classes=chosen.over_classes):
        within = np.array([scorers[name](drawn * base) for name in names])
        without = np.array([scorers[name]((drawn == 0) * base) for name in names])
        leads += _leads(within, without)
    # the real lead lies between none and the lead that is seen
    real_lead = min(max(float(np.mean(leads)), 0.0), lead) if leads else float("nan")
    return Best(best, scores[best], len(names), lead - real_lead)


def _leads(within: Floats, without: Floats) -> list[float]:
    """Lead of the model that is best on the drawn groups, on the groups not drawn; only where both are defined."""
    defined = np.isfinite(within).all(axis=0) & np.isfinite(without).all(axis=0)
    within, without = within[:, defined], without[:, defined]
    picked = np.take_along_axis(without, within.argmax(axis=0)[None], axis=0)[0]
    return list(picked - without.mean(axis=0))
