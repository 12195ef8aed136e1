"""Share the time of a fit: the seconds of a step, the least that a member needs, those of blending and writing."""

from __future__ import annotations

import math

from aurist.crossval import TrainingData, unfinished
from aurist.ensemble.blend import seconds_a_model
from aurist.models.base import ModelSpec
from aurist.plan import GLUON, Clock, FitPlan, share
from aurist.run import RunFolder

#: Blending and writing before the end costs at most the first share of the time, once in each second share.
_WRITING, _WRITE_EVERY = 0.03, 0.1
#: The least seconds of a predictor of a fold.
_LEAST = 1.0


def seconds_of_step(plan: FitPlan, index: int, left: float, limit: float) -> float:
    """Compute the seconds for a step: its share of the time until the last step of its kind should be finished."""
    if math.isinf(left):
        return left
    current = plan.steps[index]
    rivals = sum((step.until, step.spare) == (current.until, current.spare) for step in plan.steps[index:])
    reserved = (1 - current.until) * limit
    return share(left - reserved, rivals)


def worth_writing(costs: float, clock: Clock, written: float) -> bool:
    """Check that writing, at twice its cost, is cheap enough, and that enough time has passed since the last."""
    due = not written or clock.used() - written > _WRITE_EVERY * clock.limit
    return 2 * costs < _WRITING * clock.limit and due


def seconds_needed(run: RunFolder, learn: TrainingData, member: ModelSpec) -> float:
    """Estimate the least seconds for the folds of a member that are not done; below 0 if all are."""
    todo = unfinished(run.models / member.name, learn)
    if not todo:
        return -math.inf
    rounds = -(-len(todo) // sum(learn.machines))
    of_each_label = learn.task.multilabel and member.engine == GLUON
    predictors = len(learn.task.classes) if of_each_label else 1
    return rounds * max(_LEAST * predictors, member.seconds_per_row * len(learn.folds))


def blending_seconds(learn: TrainingData) -> float:
    """Measure the seconds of blending for each member."""
    task, truth = learn.task, learn.examples.targets[learn.folds >= 0]
    return seconds_a_model(truth, len(learn.splits), task.metric, multilabel=task.multilabel)


def reserve(learn: TrainingData, n_members: int, blending: float) -> float:
    """Estimate the seconds for blending, scoring and writing; scoring and writing as measured on two cores."""
    cells = learn.examples.targets.size * n_members * (len(learn.splits) + 1)
    return 4.0 + blending * n_members + 0.7e-6 * cells
