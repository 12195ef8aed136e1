"""How the windows of a network's clips are pooled: chosen on the folds that are not scored by the choice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from aurist.crossval import CrossValidationResult, TrainingData
from aurist.metrics import metric
from aurist.models.base import ModelSpec
from aurist.models.network_member import POOLED
from aurist.pooling import best_pooling, choose_pooling
from aurist.predictions import Predictions
from aurist.results.differences import paired

VARIANT_COLUMNS = ("model", "variant", "score", "gain", "low", "high", "better")


def pooled_as_others_would(found: CrossValidationResult, learn: TrainingData, fold: int) -> ModelSpec:
    """The member with the pooling of its windows that is best on the other folds; it itself without windows to pool."""
    rows = np.flatnonzero((learn.folds >= 0) & (learn.folds != fold))
    names = [name for name in found.variants if name.startswith(POOLED)]
    if len(names) < 2 or not len(rows):
        return found.member
    ids = learn.clip_ids[rows].tolist()
    chosen = best_pooling(
        {name: found.variants[name].aligned(ids) for name in names},
        learn.examples.targets[rows],
        learn.task.metric,
        multilabel=learn.task.multilabel,
    )
    settings = {**found.member.settings, "pooling": chosen.removeprefix(POOLED)}
    return replace(found.member, settings=settings)


def with_best_pooling(found: CrossValidationResult, learn: TrainingData) -> CrossValidationResult:
    """The member with the pooling that is best out of fold, and what it says by nested choice.

    A member without windows to pool is given back as it is.
    """
    names = [name for name in found.variants if name.startswith(POOLED)]
    if len(names) < 2:
        return found
    rows = np.flatnonzero(learn.folds >= 0)
    ids = learn.clip_ids[rows]
    chosen, proba = choose_pooling(
        {name: found.variants[name].aligned(ids.tolist()) for name in names},
        learn.examples.targets[rows],
        learn.folds[rows],
        learn.task.metric,
        multilabel=learn.task.multilabel,
    )
    settings = {**found.member.settings, "pooling": chosen.removeprefix(POOLED)}
    told = Predictions(found.member.name, ids, proba, learn.task.classes, learn.folds[rows])
    return replace(found, member=replace(found.member, settings=settings), oof=told)


def compare_variants(fitted: list[CrossValidationResult], learn: TrainingData) -> pd.DataFrame | None:
    """Each way to answer against the row of the leaderboard, by the same resamples of the groups.

    Returns
    -------
    pandas.DataFrame or None
        `VARIANT_COLUMNS`: ``gain`` is the score of the row minus that of the variant, with its 95% interval; None
        where no member has variants.
    """
    rows = np.flatnonzero(learn.folds >= 0)
    ids = learn.clip_ids[rows].tolist()
    task, truth = learn.task, learn.examples.targets[rows]
    found = []
    for member in fitted:
        own = member.oof.aligned(ids)
        for name, said in member.variants.items():
            proba = said.aligned(ids)
            alone = len(member.variants) == 1 and name.startswith(POOLED)
            if alone or np.array_equal(proba, own):
                continue
            gap = paired(
                truth,
                own,
                proba,
                learn.groups[rows],
                task.metric,
                seed=task.seed,
                multilabel=task.multilabel,
                weight=learn.examples.weight[rows],
            )
            score = metric(task.metric)(truth, proba, multilabel=task.multilabel)
            found.append((member.member.name, name, score, gap.score, gap.low, gap.high, gap.better))
    return pd.DataFrame(found, columns=list(VARIANT_COLUMNS)) if found else None
