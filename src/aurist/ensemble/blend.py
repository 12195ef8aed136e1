"""A weighted ensemble over predictions, scored on rows that had no part in choosing it.

Source: R. Caruana et al., "Ensemble selection from libraries of models", ICML 2004: greedy selection with replacement.
Two things keep it from overfitting few clips: it is done on several draws of the groups, and it maximises the metric
plus a share of the log loss. The share grows as rows get fewer.
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

#: Selection steps per draw, and the number of draws.
ROUNDS, BAGS = 20, 10
#: Most rows of a draw, and the number of draws if there are more rows than that.
MOST_ROWS, FEW_BAGS = 10_000, 4
#: Weight of the log loss relative to the metric, and the number of rows up to which it is not reduced.
LOSS_SHARE, LOSS_ROWS = 0.3, 400


@dataclass(frozen=True)
class Blend:
    """Blend models: scale each by its temperature, then take the weighted mean.

    Parameters
    ----------
    weights : (n_models,)
        Not negative, summing to 1.
    temperatures : (n_models,)
        Temperatures that calibrate each model: an overconfident model would dominate the others.
    """

    weights: Weights
    temperatures: npt.NDArray[np.float64]

    def apply(self, probas: Sequence[Proba], *, multilabel: bool) -> Proba:
        """Blend probabilities of the models, (n, n_classes) each, to one (n, n_classes)."""
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
    """Choose a temperature for each model, and weights by greedy selection with replacement on several draws.

    Without rows all models get the same weight.

    Parameters
    ----------
    probas
        One (n, n_classes) a model, all on the same rows.
    truth : (n, n_classes)
        Indicator matrix.
    groups : (n,)
        Groups, which are drawn as a whole.
    objective
        The metric to maximise.
    multilabel
        True if rows may have several labels or none.
    seed
        Seed of the draws.
    row_weight : (n,)
        Weight of each row.
    most
        Most models with a weight; the models of least weight are removed one by one. None: all.

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
    remaining = list(range(len(probas)))
    while True:
        shares = np.zeros(len(probas))
        for rows in drawn:
            weight = None if row_weight is None else row_weight[rows]
            chosen = _select(
                [tempered[i][rows] for i in remaining], truth[rows], objective, multilabel, weight
            )
            shares[remaining] += chosen / chosen.sum()
        used = [i for i in remaining if shares[i] > 0]
        if most is None or len(used) <= most:
            return Blend(shares / shares.sum(), temperatures)
        used.remove(min(used, key=lambda i: shares[i]))
        remaining = used


def seconds_a_model(
    truth: npt.NDArray[np.int8], n_parts: int, metric_name: str, *, multilabel: bool
) -> float:
    """Estimate the seconds that `nested_blend` takes per model on this machine, by timing a trial of weights.

    Parameters
    ----------
    truth : (n, n_classes)
        Indicator matrix of the scored rows.
    n_parts
        Number of folds.
    metric_name
        Name of the metric to maximise.
    multilabel
        True if rows may have several labels or none.
    """
    sample = truth[:MOST_ROWS]
    proba = np.random.default_rng(0).dirichlet(np.ones(truth.shape[1] + 1), len(sample))[:, :-1]
    objective, log_loss, seconds = metric(metric_name), metric("log_loss"), []
    for _ in range(3):
        start = time.perf_counter()
        objective(sample, proba, multilabel=multilabel)
        log_loss(sample, proba, multilabel=multilabel)
        seconds.append(time.perf_counter() - start)
    return min(seconds) * ROUNDS * _n_draws(len(truth)) * (n_parts + 1)


def _n_draws(n_rows: int) -> int:
    return BAGS if n_rows <= MOST_ROWS else FEW_BAGS


def _drawn(groups: npt.NDArray[np.int64], rng: np.random.Generator) -> npt.NDArray[np.intp]:
    """Draw as many groups as there are, with replacement; fewer if there are too many rows. Give their rows."""
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
        score = float(objective(truth, proba, row_weight, multilabel=multilabel))
        # if a draw holds no positive of any class, the loss alone decides
        return (0.0 if np.isnan(score) else score) + share * loss

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
    """Take the weighted mean of the models' probabilities, (n, n_classes)."""
    out = np.zeros_like(probas[0])
    for proba, weight in zip(probas, weights, strict=True):
        if weight > 0:
            out += weight * proba
    return out


@dataclass(frozen=True)
class NestedBlend:
    """The blend to predict with, and out-of-fold probabilities that had no part in choosing it.

    ``proba`` is nested: the rows of each part (mostly a fold) are blended with weights chosen on the other parts.
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
    """Choose the blend on all rows, and blend each fold with weights chosen on the other folds.

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
        in_fold = part == fold
        nested[in_fold] = chosen(~in_fold).apply([p[in_fold] for p in probas], multilabel=multilabel)
    return NestedBlend(chosen(np.ones(len(truth), dtype=bool)), nested, part)
