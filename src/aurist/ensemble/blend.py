"""A weighted ensemble over predictions: sees arrays only, and is scored on rows that chose nothing.

Source: R. Caruana et al., "Ensemble selection from libraries of models", ICML 2004: greedy selection with replacement.
Two things keep it from settling on what happened to fit few clips: it is done on several draws of the groups, and what
it maximises is the metric with some of the log loss beside it, the more the fewer rows there are.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aurist.arrays import Proba
from aurist.calibration import apply_temperature, choose_temperature
from aurist.metrics import Metric, metric

Weights = npt.NDArray[np.float64]

#: Models in each draw's selection, one after the other, and how many draws.
ROUNDS, BAGS = 20, 10
#: Rows that a draw needs at the most, and draws where there are more rows than that.
MOST_ROWS, FEW_BAGS = 10_000, 4
#: What a unit of log loss counts beside the metric, with so many rows or fewer.
LOSS_SHARE, LOSS_ROWS = 0.3, 400


@dataclass(frozen=True)
class Blend:
    """How models become one: each is tempered, then their weighted mean is taken.

    Parameters
    ----------
    weights : (n_models,)
        Not negative, summing to 1.
    temperatures : (n_models,)
        That make each model as sure as it is often right: one that is too sure of itself would drown the others.
    """

    weights: Weights
    temperatures: npt.NDArray[np.float64]

    def apply(self, probas: Sequence[Proba], *, multilabel: bool) -> Proba:
        """(n, n_classes) of the models' (n, n_classes) each."""
        return blend(
            [
                apply_temperature(p, t, multilabel=multilabel) if w > 0 else p
                for p, t, w in zip(probas, self.temperatures, self.weights, strict=True)
            ],
            self.weights,
        )


def choose_blend(
    probas: Sequence[Proba],
    truth: npt.NDArray[np.int8],
    groups: npt.NDArray[np.int64],
    objective: Metric,
    *,
    multilabel: bool,
    seed: int,
    row_weight: npt.NDArray[np.float64] | None = None,
    most: int | None = None,
) -> Blend:
    """The temperature of each model, and weights found by greedy selection with replacement on several draws.

    Without rows there is nothing to choose by, and all models have the same say.

    Parameters
    ----------
    probas
        One (n, n_classes) a model, all on the same rows.
    truth : (n, n_classes)
        Indicator matrix.
    groups : (n,)
        What is drawn as a whole.
    objective
        What to maximise.
    multilabel
        Whether rows may have several labels or none.
    seed
        Of the draws.
    row_weight : (n,)
        Weight of each row.
    most
        Models that may have a weight; those of the least weight are left out, one after the other. None: all.

    Examples
    --------
    >>> truth = np.eye(2, dtype=np.int8)[[0, 1, 0, 1]]
    >>> good, bad = truth * 0.8 + 0.1, 0.9 - truth * 0.8
    >>> choose_blend(
    ...     [good, bad], truth, np.arange(4), metric("accuracy"), multilabel=False, seed=0
    ... ).weights.tolist()
    [1.0, 0.0]
    """
    if len(probas) == 1 or not len(truth):
        return Blend(np.full(len(probas), 1 / len(probas)), np.ones(len(probas)))
    temperatures = np.array([choose_temperature(p, truth, row_weight, multilabel=multilabel) for p in probas])
    tempered = [
        apply_temperature(p, t, multilabel=multilabel) for p, t in zip(probas, temperatures, strict=True)
    ]
    drawn = [_drawn(groups, np.random.default_rng([seed, draw])) for draw in range(_n_draws(len(truth)))]
    left = list(range(len(probas)))
    while True:
        shares = np.zeros(len(probas))
        for rows in drawn:
            weight = None if row_weight is None else row_weight[rows]
            chosen = _select([tempered[i][rows] for i in left], truth[rows], objective, multilabel, weight)
            shares[left] += chosen / chosen.sum()
        used = [i for i in left if shares[i] > 0]
        if most is None or len(used) <= most:
            return Blend(shares / shares.sum(), temperatures)
        used.remove(min(used, key=lambda i: shares[i]))
        left = used


def seconds_a_model(
    truth: npt.NDArray[np.int8], n_parts: int, metric_name: str, *, multilabel: bool
) -> float:
    """Seconds that `nested_ensemble` takes about for each model, on this machine: a trial of weights is timed.

    Parameters
    ----------
    truth : (n, n_classes)
        Of the rows that are scored.
    n_parts
        Folds.
    metric_name
        What is maximised.
    multilabel
        Whether rows may have several labels or none.
    """
    some = truth[:MOST_ROWS]
    proba = np.random.default_rng(0).dirichlet(np.ones(truth.shape[1] + 1), len(some))[:, :-1]
    objective, log_loss, took = metric(metric_name), metric("log_loss"), []
    for _ in range(3):
        began = time.perf_counter()
        objective(some, proba, multilabel=multilabel)
        log_loss(some, proba, multilabel=multilabel)
        took.append(time.perf_counter() - began)
    return min(took) * ROUNDS * _n_draws(len(truth)) * (n_parts + 1)


def _n_draws(n_rows: int) -> int:
    return BAGS if n_rows <= MOST_ROWS else FEW_BAGS


def _drawn(groups: npt.NDArray[np.int64], rng: np.random.Generator) -> npt.NDArray[np.intp]:
    """The rows of as many groups as there are, drawn with replacement; of fewer where there are too many rows."""
    _, member, counts = np.unique(groups, return_inverse=True, return_counts=True)
    order = np.argsort(member, kind="stable")
    first = np.concatenate([[0], np.cumsum(counts)])
    n = max(1, round(len(counts) * min(1.0, MOST_ROWS / len(groups))))
    drawn = rng.integers(0, len(counts), n)
    return np.concatenate([order[first[g] : first[g + 1]] for g in drawn])


def _select(
    probas: Sequence[Proba],
    truth: npt.NDArray[np.int8],
    objective: Metric,
    multilabel: bool,
    row_weight: npt.NDArray[np.float64] | None,
) -> Weights:
    log_loss = metric("log_loss")
    share: float = LOSS_SHARE * min(1.0, LOSS_ROWS / len(truth)) ** 0.5

    def value(proba: Proba) -> float:
        loss = log_loss(truth, proba, row_weight, multilabel=multilabel)
        found = float(objective(truth, proba, row_weight, multilabel=multilabel))
        # a draw may hold no positive of any class: then the loss alone decides
        return (0.0 if np.isnan(found) else found) + share * loss

    counts = np.zeros(len(probas))
    best_counts, best_value = counts, -np.inf
    total = np.zeros_like(probas[0])
    for size in range(1, ROUNDS + 1):
        values = [value((total + p) / size) for p in probas]
        winner = int(np.argmax(values))
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
class NestedBlend:
    """The blend to predict with, and out-of-fold probabilities that had no part in choosing it.

    ``proba`` is nested: the rows of each part (a fold, mostly) are blended as the other parts would have it.
    """

    blend: Blend
    proba: Proba
    part: npt.NDArray[np.int64]


def nested_blend(
    probas: Sequence[Proba],
    truth: npt.NDArray[np.int8],
    folds: npt.NDArray[np.int64],
    groups: npt.NDArray[np.int64],
    metric_name: str,
    *,
    multilabel: bool,
    seed: int = 0,
    row_weight: npt.NDArray[np.float64] | None = None,
    most: int | None = None,
) -> NestedBlend:
    """Choose the blend on all rows, and predict each fold as the others would have it.

    With a single scored fold (a fixed validation part) its groups are halved at random instead.
    """
    objective = metric(metric_name)
    part = folds
    if len(np.unique(folds)) < 2:
        names, member = np.unique(groups, return_inverse=True)
        part = (np.random.default_rng(seed).permutation(len(names)) % 2)[member]

    def chosen(rows: npt.NDArray[np.bool_]) -> Blend:
        return choose_blend(
            [p[rows] for p in probas],
            truth[rows],
            groups[rows],
            objective,
            multilabel=multilabel,
            seed=seed,
            row_weight=None if row_weight is None else row_weight[rows],
            most=most,
        )

    nested = np.zeros_like(probas[0])
    for fold in np.unique(part):
        here = part == fold
        nested[here] = chosen(~here).apply([p[here] for p in probas], multilabel=multilabel)
    return NestedBlend(chosen(np.ones(len(truth), dtype=bool)), nested, part)
