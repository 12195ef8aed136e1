"""A weighted ensemble over predictions: sees arrays only, and is scored on rows that chose nothing.

Source: R. Caruana et al., "Ensemble selection from libraries of models", ICML 2004: greedy selection with
replacement, bagged so that it does not settle on what happened to fit few clips.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aurist.metrics import Metric, metric

Proba = npt.NDArray[np.float64]
Weights = npt.NDArray[np.float64]

ROUNDS = 20
BAGS = 3
#: Share of the models that each bag may choose from.
BAG_SHARE = 0.6


def greedy_weights(
    probas: Sequence[Proba],
    truth: npt.NDArray[np.int8],
    objective: Metric,
    *,
    multilabel: bool,
    seed: int,
    row_weight: npt.NDArray[np.float64] | None = None,
) -> Weights:
    """Weights of the models, found by greedy selection with replacement in several bags of models.

    Parameters
    ----------
    probas
        One (n, n_classes) a model, all on the same rows.
    truth : (n, n_classes)
        Indicator matrix.
    objective
        What to maximise; ties go to the better log loss.
    multilabel
        Whether rows may have several labels or none.
    seed
        Draws the bags.
    row_weight : (n,)
        Weight of each row.

    Returns
    -------
    (n_models,)
        Not negative, summing to 1.

    Examples
    --------
    >>> truth = np.eye(2, dtype=np.int8)[[0, 1, 0, 1]]
    >>> good, bad = truth * 0.8 + 0.1, 0.9 - truth * 0.8
    >>> greedy_weights([good, bad], truth, metric("accuracy"), multilabel=False, seed=0).tolist()
    [1.0, 0.0]
    """
    n_models = len(probas)
    if n_models == 1:
        return np.ones(1)
    rng = np.random.default_rng(seed)
    each = max(2, round(BAG_SHARE * n_models))
    bags = [rng.choice(n_models, each, replace=False) for _ in range(BAGS)] if n_models > 3 else []
    counts = np.zeros(n_models)
    for bag in [np.arange(n_models), *bags]:
        chosen = _select([probas[i] for i in bag], truth, objective, multilabel, row_weight)
        counts[bag] += chosen / chosen.sum()
    weights: Weights = counts / counts.sum()
    return weights


def _select(
    probas: Sequence[Proba],
    truth: npt.NDArray[np.int8],
    objective: Metric,
    multilabel: bool,
    row_weight: npt.NDArray[np.float64] | None,
) -> Weights:
    log_loss = metric("log_loss")
    counts = np.zeros(len(probas))
    best_counts, best_value = counts, -np.inf
    total = np.zeros_like(probas[0])
    for size in range(1, ROUNDS + 1):
        values = np.array(
            [objective(truth, (total + p) / size, row_weight, multilabel=multilabel) for p in probas]
        )
        ties = np.flatnonzero(values == values.max())
        if len(ties) > 1:
            losses = [
                log_loss(truth, (total + probas[i]) / size, row_weight, multilabel=multilabel)
                for i in map(int, ties)
            ]
            ties = ties[np.argsort(losses, kind="stable")[::-1]]
        winner = int(ties[0])
        counts = counts.copy()
        counts[winner] += 1
        total = total + probas[winner]
        if values[winner] > best_value:
            best_value, best_counts = values[winner], counts
    return best_counts


def blend(probas: Sequence[Proba], weights: Weights) -> Proba:
    """Weighted mean of the models' probabilities, (n, n_classes)."""
    out = np.zeros_like(probas[0])
    for proba, weight in zip(probas, weights, strict=True):
        if weight > 0:
            out += weight * proba
    return out


@dataclass(frozen=True)
class Ensemble:
    """The weights to predict with, and out-of-fold probabilities that had no part in choosing them.

    ``proba`` is nested: the rows of each part (a fold, mostly) are blended by weights chosen on the other parts.
    """

    weights: Weights
    proba: Proba
    part: npt.NDArray[np.int64]


def nested_ensemble(
    probas: Sequence[Proba],
    truth: npt.NDArray[np.int8],
    folds: npt.NDArray[np.int64],
    groups: npt.NDArray[np.int64],
    metric_name: str,
    *,
    multilabel: bool,
    seed: int = 0,
    row_weight: npt.NDArray[np.float64] | None = None,
) -> Ensemble:
    """Choose the weights on all rows, and predict each fold with weights chosen on the others.

    With a single scored fold (a fixed validation part) its groups are halved at random instead.
    """
    objective = metric(metric_name)
    part = folds
    if len(np.unique(folds)) < 2:
        names, member = np.unique(groups, return_inverse=True)
        part = (np.random.default_rng(seed).permutation(len(names)) % 2)[member]
    nested = np.zeros_like(probas[0])
    for fold in np.unique(part):
        here, others = part == fold, part != fold
        weights = greedy_weights(
            [p[others] for p in probas],
            truth[others],
            objective,
            multilabel=multilabel,
            seed=seed,
            row_weight=None if row_weight is None else row_weight[others],
        )
        nested[here] = blend([p[here] for p in probas], weights)
    weights = greedy_weights(
        probas, truth, objective, multilabel=multilabel, seed=seed, row_weight=row_weight
    )
    return Ensemble(weights, nested, part)
