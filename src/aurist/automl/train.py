"""Fit the members of the plan on the run's folds, one after another, within the time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from aurist.automl.background import NOT_MIXED, with_mixtures, with_not_mixed, without_files
from aurist.automl.bands import hearing
from aurist.automl.level import with_other_level
from aurist.automl.planning import plan_of
from aurist.automl.pseudo import pseudo_label_message, unlabelled_inputs, with_pseudo_labels
from aurist.automl.time_left import (
    blending_seconds,
    reserve,
    seconds_needed,
    seconds_of_step,
    worth_writing,
)
from aurist.automl.training_progress import watched
from aurist.cluster import Cluster
from aurist.config import INSTANT
from aurist.crossval import CrossValidationResult, TrainingData, fit_member, fit_member_in_process
from aurist.ensemble.stacking import beats_constant, reason_against, second_level
from aurist.errors import ConfigError, MissingExtraError, RunError
from aurist.features.waves import Waves, store_waves
from aurist.fold_files import base_models_of
from aurist.metrics import metric
from aurist.models.base import FitFailedError, ModelSpec
from aurist.models.network_member import ENGINE, recipe_of
from aurist.plan import ENSEMBLE, FALLBACK, FOREST, Clock, FitPlan, Step, share, write_plan
from aurist.progress import logger
from aurist.results.event_scores import write_event_scores
from aurist.results.pooling_choice import with_best_pooling
from aurist.results.pruning import fitted_students
from aurist.results.random_split import compare_with_random_split
from aurist.results.write import write_results
from aurist.run import RunData, RunFolder, read_audit, read_data, training_data
from aurist.system import interrupts_kept

#: Smallest share of the time left for the first member. If it does not finish, the fallback member is fitted in the
#: rest, because a run without a model is useless.
_FIRST_SHARE = 0.5
#: Seconds that the fallback needs, about as measured: fixed, and for each number in its training data.
_SURE_SECONDS, _SURE_SECONDS_A_CELL = 3.0, 1e-6


def train(run: RunFolder, clock: Clock, cluster: Cluster | None = None) -> None:
    """Fit every member of the plan that fits in the time, then blend, score and write.

    The fitted members are also blended and written from time to time, so that a killed run can be used. A cluster fits
    the folds; all else is done here.

    Raises
    ------
    RunError
        If no member could be fitted.
    """
    data = read_data(run)
    learn = with_mixtures(run, data, replace(training_data(data), cluster=cluster), clock.limit)
    plan = plan_of(run, learn, clock)
    for note in (*plan.notes, *hearing(data, plan.members, read_audit(run))):
        logger.info(f"plan: {note}")
    sound: list[Waves] = []
    fitted: list[CrossValidationResult] = []
    written, blending = 0.0, blending_seconds(learn)
    at_once = len(plan.steps) if run.config().preset == INSTANT else 0  # it ends in seconds
    round_data, round_number = learn, 0
    try:
        for index, step in enumerate(plan.steps):
            if len(fitted) > at_once and worth_writing(reserve(learn, len(fitted), blending), clock, written):
                write_results(run, data, learn, fitted)
                written = clock.used()
            if step.round > round_number and fitted:
                teachers = [result for result in fitted if not result.base_models]
                round_data, round_number = (
                    _pseudo_label_round(run, data, learn, teachers, step.round),
                    step.round,
                )
            if step.member.engine == ENGINE and not sound:
                sound = decode_for(plan.members, learn)
            training_set = (
                round_data if step.member.level == 1 else _second_level_data(run, learn, fitted, step.member)
            )
            if training_set is None:
                continue
            if fitted and _is_fitted_anew(run, step.member, training_set):
                # if the run is killed now, its results must not need the old version of this member
                write_results(run, data, learn, fitted)
            left = clock.left() - reserve(learn, len(fitted) + 1, blending)
            fit_step = _fit_next if fitted else _fit_first
            result = fit_step(run, training_set, plan, index, left, clock)
            if result is not None:
                fitted.append(_reported(run, data, learn, result, clock))
        for result in _in_time_left(run, learn, plan, fitted, blending, clock):
            fitted.append(_reported(run, data, learn, result, clock))
    except KeyboardInterrupt:
        _check_any(
            fitted, f"Interrupted before the first model was done. Continue with: aurist resume {run.folder}"
        )
        logger.warning("interrupted: finishing with what there is")
    _check_any(
        fitted, "No model could be fitted in the time; the reasons are above. Give more time (time_limit=)."
    )
    write_results(run, data, learn, [*fitted, *fitted_students(run, learn)])
    write_event_scores(run, data, learn)
    without_files(run)
    best = run.leaderboard().set_index("model")["score"]
    run.log("finished", {"best": ENSEMBLE, "score": float(best[ENSEMBLE])})
    logger.info(f"run written to {run.folder}")
    del sound  # kept until here: the store does not drop audio that is in use


def _check_any(fitted: Sequence[CrossValidationResult], message: str) -> None:
    if not fitted:
        raise RunError(message) from None


def _fit_next(
    run: RunFolder, learn: TrainingData, plan: FitPlan, index: int, left: float, clock: Clock
) -> CrossValidationResult | None:
    """Fit a member in its share of the time; a late member may use the time of the next ones."""
    seconds = seconds_of_step(plan, index, left, clock.limit)
    return _fit_or_skip(run, learn, plan.steps[index].member, seconds, max(left, seconds), clock)


def _in_time_left(
    run: RunFolder,
    learn: TrainingData,
    plan: FitPlan,
    fitted: Sequence[CrossValidationResult],
    blending: float,
    clock: Clock,
) -> Iterator[CrossValidationResult]:
    """Fit models that were never begun, as their share of the time was over: later steps may have needed less.

    Not if models learn from those before them: these would then be fitted to the results of a smaller plan.
    """
    if math.isinf(clock.limit) or any(step.round or step.member.level > 1 for step in plan.steps):
        return
    members = [step.member for step in plan.steps if not (run.models / step.member.name).exists()]
    for number, member in enumerate(members):
        left = clock.left() - reserve(learn, len(fitted) + number + 1, blending)
        seconds = share(left, len(members) - number)
        if seconds < seconds_needed(run, learn, member):
            continue  # as was said when it was skipped
        result = _fit_or_skip(run, learn, member, seconds, left, clock)
        if result is not None:
            yield result


def _fit_first(
    run: RunFolder, learn: TrainingData, plan: FitPlan, index: int, left: float, clock: Clock
) -> CrossValidationResult | None:
    """Fit the first member in a part of the time; if it fails, fit the fallback in the rest."""
    member = plan.steps[index].member
    # networks stop in time by themselves
    cells = learn.examples.targets.size + learn.examples.features.size
    fallback_seconds = _SURE_SECONDS + _SURE_SECONDS_A_CELL * cells * len(learn.splits)
    seconds = left if member.engine == ENGINE else max(_FIRST_SHARE * left, left - fallback_seconds)
    fitted = _fit_or_skip(run, learn, member, seconds, seconds, clock)
    no_features = not learn.examples.features.shape[1]
    if fitted is not None or index or math.isinf(left) or no_features or FALLBACK in plan.members:
        return fitted
    # as the first step, for `aurist resume` and `aurist prune`
    write_plan(run.plan_path, FitPlan((Step(FALLBACK), *plan.steps), plan.notes))
    return _logged(
        run, FALLBACK, partial(fit_member_in_process, run.models / FALLBACK.name, learn, FALLBACK), clock
    )


def _reported(
    run: RunFolder, data: RunData, learn: TrainingData, result: CrossValidationResult, clock: Clock
) -> CrossValidationResult:
    """Give a member its best pooling, print its score, and add the comparisons of the forest if there is time."""
    result = with_best_pooling(result, learn)
    logger.info(_score_line(result, learn))
    if result.member == FOREST and result.fit_time < 0.2 * clock.limit:
        mixed = bool(learn.added)
        result = with_not_mixed(run, learn, result) if mixed else with_other_level(run, data, learn, result)
    if result.member == FOREST and result.fit_time < 0.4 * clock.limit:
        # the forest of the random split learns from no mixture
        alike = replace(result, oof=result.variants.get(NOT_MIXED, result.oof))
        if not learn.added or NOT_MIXED in result.variants:
            compare_with_random_split(run, learn, alike)
    return result


def _second_level_data(
    run: RunFolder, learn: TrainingData, fitted: list[CrossValidationResult], member: ModelSpec
) -> TrainingData | None:
    """Make the training data of a second-level member; log the reason and return None if it cannot be fitted."""
    reason = reason_against(learn, member)
    below = [result for result in fitted if not result.base_models]
    if reason is None and not any(beats_constant(learn, result) for result in below):
        reason = (
            "a second level needs other models, and one of them must be clearly better than the class shares"
        )
    if reason is not None:
        logger.warning(f"skipped: {member.name}: {reason}")
        run.log("skipped", {"model": member.name, "why": reason})
        return None
    return second_level(learn, fitted)


def _is_fitted_anew(run: RunFolder, member: ModelSpec, training_set: TrainingData) -> bool:
    folder = run.models / member.name
    return folder.exists() and base_models_of(folder) != training_set.base_models


def _pseudo_label_round(
    run: RunFolder,
    data: RunData,
    learn: TrainingData,
    fitted: list[CrossValidationResult],
    number: int,
) -> TrainingData:
    unlabelled = unlabelled_inputs(run, data)
    labelled = with_pseudo_labels(run, learn, fitted, unlabelled, run.config().pseudo_threshold)
    logger.info(pseudo_label_message(labelled, len(unlabelled), number))
    if not learn.added:
        return labelled
    both = {fold: learn.added[fold].concat(examples) for fold, examples in labelled.added.items()}
    return replace(labelled, added=both)


def decode_for(planned: list[ModelSpec], learn: TrainingData) -> list[Waves]:
    """Decode the clips for networks once, with all cores, before the networks' time begins."""
    rates_and_margins = {
        (recipe.front.sample_rate, recipe.window.margin)
        for recipe in (recipe_of(member) for member in planned if member.engine == ENGINE)
    }
    inputs = learn.examples.inputs
    if inputs.clips is None:
        return []
    return [
        store_waves(
            inputs.clips, rate, margin=margin, cache_dir=inputs.cache_dir, jobs=learn.task.jobs, progress=True
        )
        for rate, margin in sorted(rates_and_margins)
    ]


def _fit_or_skip(
    run: RunFolder,
    learn: TrainingData,
    member: ModelSpec,
    seconds: float,
    at_most: float,
    clock: Clock,
) -> CrossValidationResult | None:
    folder = run.models / member.name
    needed = seconds_needed(run, learn, member)
    if seconds < needed:
        logger.info(
            f"skipped: {member.name}: it needs about {needed:.0f} s, and {max(seconds, 0):.0f} s are left for it"
        )
        run.log("skipped", {"model": member.name, "why": "not enough time", "used": clock.used()})
        return None

    def fit() -> CrossValidationResult:
        # a late member may finish its last folds in the time of the next members, so that it is not lost
        with watched(folder):
            return fit_member(folder, learn, member, seconds, at_most)

    return _logged(run, member, fit, clock)


def _logged(
    run: RunFolder, member: ModelSpec, fit: Callable[[], CrossValidationResult], clock: Clock
) -> CrossValidationResult | None:
    """Fit a member, and write the result to the journal; None if it cannot be fitted."""
    try:
        with interrupts_kept():
            fitted = fit()
    except (ConfigError, FitFailedError, MissingExtraError) as error:
        logger.warning(f"skipped: {error}")
        run.log("skipped", {"model": member.name, "why": str(error), "used": clock.used()})
        return None
    run.log("fitted", {"model": member.name, "seconds": round(fitted.fit_time, 2), "used": clock.used()})
    return fitted


def _score_line(result: CrossValidationResult, learn: TrainingData) -> str:
    scored = np.flatnonzero(learn.folds >= 0)
    proba = result.oof.aligned(learn.clip_ids[scored].tolist())
    value = metric(learn.task.metric)(learn.examples.targets[scored], proba, multilabel=learn.task.multilabel)
    return f"{result.member.name:<18} {learn.task.metric} {value:.4f}   fitted in {result.fit_time:.0f} s"
