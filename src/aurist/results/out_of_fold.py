"""Gather the out-of-fold predictions of all models on the scored rows, and score them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.arrays import Proba
from aurist.crossval import CrossValidationResult, TrainingData
from aurist.ensemble.blend import NestedBlend, nested_blend
from aurist.metrics import Interval, metric
from aurist.models.base import Task
from aurist.models.network_member import TEACHER
from aurist.results.differences import Difference, paired, pairwise
from aurist.results.random_split import interval


@dataclass(frozen=True)
class OutOfFold:
    """The scored rows, and the predictions of models that had not learnt from them.

    Parameters
    ----------
    task
        The learning task; all scores use its metric.
    rows
        (n,): rows of the training data.
    truth
        (n, n_classes).
    groups, folds, weight
        (n,).
    probas
        (n, n_classes) for each row of the leaderboard.
    """

    task: Task
    rows: npt.NDArray[np.intp]
    truth: npt.NDArray[np.int8]
    groups: npt.NDArray[np.int64]
    folds: npt.NDArray[np.int64]
    weight: npt.NDArray[np.float64]
    probas: dict[str, Proba]

    def score(self, proba: Proba) -> float:
        """Score predictions for these rows; each row counts the same."""
        return float(metric(self.task.metric)(self.truth, proba, multilabel=self.task.multilabel))

    def interval(self, proba: Proba, name: str | None = None) -> Interval:
        """Score predictions for these rows by their weights, with an interval over the groups.

        Parameters
        ----------
        proba
            (n, n_classes).
        name
            Name of a metric; None: the task's.
        """
        task = self.task if name is None else replace(self.task, metric=name)
        return interval(task, self.truth, proba, self.groups, self.weight, out_of_fold=True)

    def paired(self, proba: Proba, other: Proba) -> Difference:
        """Compare two models' predictions on the same resamples of the groups."""
        return paired(
            self.truth,
            proba,
            other,
            self.groups,
            self.task.metric,
            seed=self.task.seed,
            multilabel=self.task.multilabel,
            weight=self.weight,
        )

    def pairwise(self) -> pd.DataFrame:
        """Compare every pair of models: see `aurist.results.differences.pairwise`."""
        return pairwise(
            self.truth,
            self.probas,
            self.groups,
            self.task.metric,
            seed=self.task.seed,
            multilabel=self.task.multilabel,
            weight=self.weight,
        )

    def blend(self, names: Sequence[str], most: int | None) -> NestedBlend:
        """Blend the models with these names; at most ``most`` of them."""
        return nested_blend(
            [self.probas[name] for name in names],
            self.truth,
            self.folds,
            self.groups,
            self.task.metric,
            multilabel=self.task.multilabel,
            seed=self.task.seed,
            row_weight=self.weight,
            most=most,
        )


def out_of_fold(learn: TrainingData, fitted: Sequence[CrossValidationResult]) -> OutOfFold:
    """Gather the predictions of fitted members on the scored rows."""
    rows = np.flatnonzero(learn.folds >= 0)
    ids = learn.clip_ids[rows].tolist()
    return OutOfFold(
        learn.task,
        rows,
        learn.examples.targets[rows],
        learn.groups[rows],
        learn.folds[rows],
        learn.examples.weight[rows],
        {result.member.name: result.oof.aligned(ids) for result in fitted},
    )


def blendable(fitted: Sequence[CrossValidationResult], most: int | None) -> list[str]:
    """List the members that may be in the ensemble.

    Stacked members need all others, and are in only if all may be. Students of the ensemble are not in it.
    """
    members = [result for result in fitted if TEACHER not in result.member.settings]
    return [
        result.member.name
        for result in members
        if most is None or most >= len(members) or not result.base_models
    ]


def with_base_models(names: Iterable[str], fitted: Sequence[CrossValidationResult]) -> list[str]:
    """List these members and their base models, in the order in which they were fitted."""
    needed = set(names)
    needed |= {name for result in fitted if result.member.name in needed for name in result.base_models}
    return [result.member.name for result in fitted if result.member.name in needed]
