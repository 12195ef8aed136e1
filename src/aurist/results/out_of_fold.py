"""What all fitted members say of the rows that are scored, side by side; and their blend."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aurist.arrays import Proba
from aurist.crossval import CrossValidationResult, TrainingData
from aurist.ensemble.blend import Ensemble, nested_ensemble
from aurist.results.bootstrap import Interval
from aurist.results.random_split import interval


@dataclass(frozen=True)
class OutOfFold:
    """The rows that are scored, and what every model says of them."""

    rows: npt.NDArray[np.intp]
    truth: npt.NDArray[np.int8]
    groups: npt.NDArray[np.int64]
    folds: npt.NDArray[np.int64]
    probas: dict[str, Proba]


def scored_by(learn: TrainingData, fitted: Sequence[CrossValidationResult]) -> OutOfFold:
    """What the members say, out of fold, of the rows that are scored."""
    rows = np.flatnonzero(learn.folds >= 0)
    ids = learn.clip_ids[rows].tolist()
    return OutOfFold(
        rows,
        learn.examples.targets[rows],
        learn.groups[rows],
        learn.folds[rows],
        {found.member.name: found.oof.aligned(ids) for found in fitted},
    )


def blendable(fitted: Sequence[CrossValidationResult], most: int | None) -> list[str]:
    """Names of those that may be in the ensemble: where not all are to be asked, no second level, which asks all."""
    return [
        found.member.name for found in fitted if most is None or most >= len(fitted) or not found.base_models
    ]


def asked_for(names: Iterable[str], fitted: Sequence[CrossValidationResult]) -> list[str]:
    """The members that are asked where those of these names are to answer, in the order in which they were fitted."""
    wanted = set(names)
    wanted |= {name for found in fitted if found.member.name in wanted for name in found.base_models}
    return [found.member.name for found in fitted if found.member.name in wanted]


def blended(learn: TrainingData, scored: OutOfFold, names: Sequence[str], most: int | None) -> Ensemble:
    """The ensemble of the members of these names, of so many of them at the most."""
    return nested_ensemble(
        [scored.probas[name] for name in names],
        scored.truth,
        scored.folds,
        scored.groups,
        learn.task.metric,
        multilabel=learn.task.multilabel,
        seed=learn.task.seed,
        row_weight=learn.examples.weight[scored.rows],
        most=most,
    )


def scored_interval(learn: TrainingData, scored: OutOfFold, proba: Proba) -> Interval:
    """The score of what is said of the scored rows, with its interval."""
    weight = learn.examples.weight[scored.rows]
    return interval(learn.task, scored.truth, proba, scored.groups, weight, out_of_fold=True)
