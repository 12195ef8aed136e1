"""Choose the pooling of the windows of a network's clips, on folds that the choice does not score."""

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


def pooled_as_others_would(result: CrossValidationResult, learn: TrainingData, fold: int) -> ModelSpec:
    """Give the member the pooling that is best on the other folds; unchanged if it has no windows to pool."""
    rows = np.flatnonzero((learn.folds >= 0) & (learn.folds != fold))
    names = [name for name in result.variants if name.startswith(POOLED)]
    if len(names) < 2 or not len(rows):
        return result.member
    ids = learn.clip_ids[rows].tolist()
    chosen = best_pooling(
        {name: result.variants[name].aligned(ids) for name in names},
        learn.examples.targets[rows],
        learn.task.metric,
        multilabel=learn.task.multilabel,
    )
    settings = {**result.member.settings, "pooling": chosen.removeprefix(POOLED)}
    return replace(result.member, settings=settings)


def with_best_pooling(result: CrossValidationResult, learn: TrainingData) -> CrossValidationResult:
    """Give the member the pooling that is best out of fold, and the predictions of the nested choice.

    A member without windows to pool is returned unchanged.
    """
    names = [name for name in result.variants if name.startswith(POOLED)]
    if len(names) < 2:
        return result
    rows = np.flatnonzero(learn.folds >= 0)
    ids = learn.clip_ids[rows]
    chosen, proba = choose_pooling(
        {name: result.variants[name].aligned(ids.tolist()) for name in names},
        learn.examples.targets[rows],
        learn.folds[rows],
        learn.task.metric,
        multilabel=learn.task.multilabel,
    )
    settings = {**result.member.settings, "pooling": chosen.removeprefix(POOLED)}
    predictions = Predictions(result.member.name, ids, proba, learn.task.classes, learn.folds[rows])
    return replace(result, member=replace(result.member, settings=settings), oof=predictions)


def compare_variants(fitted: list[CrossValidationResult], learn: TrainingData) -> pd.DataFrame | None:
    """Compare each variant of a member with its row of the leaderboard, on the same resamples of the groups.

    Returns
    -------
    pandas.DataFrame or None
        `VARIANT_COLUMNS`: ``gain`` is the score of the row minus that of the variant, with its 95% interval; None
        if no member has variants.
    """
    rows = np.flatnonzero(learn.folds >= 0)
    ids = learn.clip_ids[rows].tolist()
    task, truth = learn.task, learn.examples.targets[rows]
    records = []
    for result in fitted:
        leaderboard_proba = result.oof.aligned(ids)
        for name, predictions in result.variants.items():
            proba = predictions.aligned(ids)
            alone = len(result.variants) == 1 and name.startswith(POOLED)
            if alone or np.array_equal(proba, leaderboard_proba):
                continue
            gap = paired(
                truth,
                leaderboard_proba,
                proba,
                learn.groups[rows],
                task.metric,
                seed=task.seed,
                multilabel=task.multilabel,
                weight=learn.examples.weight[rows],
            )
            score = metric(task.metric)(truth, proba, multilabel=task.multilabel)
            records.append((result.member.name, name, score, gap.score, gap.low, gap.high, gap.better))
    return pd.DataFrame(records, columns=list(VARIANT_COLUMNS)) if records else None
