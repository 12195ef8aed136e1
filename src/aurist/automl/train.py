"""Fit the plan's members on the run's folds, one after the other, within the time."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np

from aurist.automl.bands import hearing
from aurist.automl.level import with_other_level
from aurist.automl.planning import plan_of
from aurist.automl.pseudo import told, unlabelled_inputs, with_pseudo_labels
from aurist.automl.training_progress import watched
from aurist.crossval import CrossValidationResult, TrainingData, fit_member, fit_member_in_process, unfinished
from aurist.ensemble.blend import seconds_a_model
from aurist.ensemble.stacking import beats_constant, reason_against, second_level
from aurist.errors import ConfigError, MissingExtraError, RunError
from aurist.features.waves import Waves, store_waves
from aurist.fold_files import base_models_of
from aurist.metrics import metric
from aurist.models.base import FitFailedError, ModelSpec
from aurist.models.network_member import ENGINE, recipe_of
from aurist.plan import ENSEMBLE, FALLBACK, FOREST, Clock, FitPlan, Step, share, write_plan
from aurist.progress import logger
from aurist.results.pooling_choice import with_best_pooling
from aurist.results.random_split import compare_with_random_split
from aurist.results.write import write_results
from aurist.run import RunData, RunFolder, read_data, training_data

#: Of the time that is left, what the first member is given at the least: where that is too little for it, one that
#: surely ends is fitted in the rest, as a run without any model is of no use.
_FIRST_SHARE = 0.5
#: Seconds that this one needs: to begin with, and for each number that it learns from, about as measured.
_SURE_SECONDS, _SURE_SECONDS_A_CELL = 3.0, 1e-6
#: What is blended and written before the end costs at the most this share of the time, each time that this share of it
#: has passed.
_WRITING, _WRITE_EVERY = 0.03, 0.1


def train(run: RunFolder, clock: Clock) -> None:
    """Fit every member of the plan that the time allows, then blend, score and write.

    What there is is blended and written now and then before the end, too, so that a killed run can be used.

    Raises
    ------
    RunError
        Where not even the first member could be fitted.
    """
    data = read_data(run)
    learn = training_data(data)
    plan = plan_of(run, learn, clock)
    for note in (*plan.notes, *hearing(data, plan.members, run.audit())):
        logger.info(f"plan: {note}")
    sound: list[Waves] = []
    fitted: list[CrossValidationResult] = []
    written, blending = 0.0, _blending_seconds(learn)
    now_from, number = learn, 0
    try:
        for place, step in enumerate(plan.steps):
            if fitted and _worth_writing(_reserve(learn, len(fitted), blending), clock, written):
                write_results(run, data, learn, fitted)
                written = clock.used()
            if step.round > number and fitted:
                teachers = [found for found in fitted if not found.base_models]
                now_from, number = _next_round(run, data, learn, teachers, step.round), step.round
            if step.member.engine == ENGINE and not sound:
                sound = decode_for(plan.members, learn)
            shown = now_from if step.member.level == 1 else _above(run, learn, fitted, step.member)
            if shown is None:
                continue
            if fitted and _is_fitted_anew(run, step.member, shown):
                # a run that is killed meanwhile must not need what it was
                write_results(run, data, learn, fitted)
            left = clock.left() - _reserve(learn, len(fitted) + 1, blending)
            fit_step = _fit_next if fitted else _fit_first
            found = fit_step(run, shown, plan, place, left, clock)
            if found is not None:
                fitted.append(_with_ways_to_answer(run, data, learn, found, clock))
                _tell(run, learn, fitted[-1], clock)
    except KeyboardInterrupt:
        if not fitted:
            raise RunError(
                f"Interrupted before the first model was done. Go on with: aurist resume {run.folder}"
            ) from None
        logger.warning("interrupted: finishing with what there is")
    if not fitted:
        raise RunError(
            "No model could be fitted in the time; the reasons are above. Give more time (time_limit=)."
        )
    write_results(run, data, learn, fitted)
    best = run.leaderboard().set_index("model")["score"]
    run.log("finished", {"best": ENSEMBLE, "score": float(best[ENSEMBLE])})
    logger.info(f"run written to {run.folder}")
    del sound  # held until here: what is in use is not dropped from the store


def _fit_next(
    run: RunFolder, learn: TrainingData, plan: FitPlan, place: int, left: float, clock: Clock
) -> CrossValidationResult | None:
    """Fit a member in its share of the time; one that is late may use what the next ones would have."""
    seconds = _seconds(plan, place, left, clock.limit)
    return _fit_or_skip(run, learn, plan.steps[place].member, seconds, max(left, seconds), clock)


def _fit_first(
    run: RunFolder, learn: TrainingData, plan: FitPlan, place: int, left: float, clock: Clock
) -> CrossValidationResult | None:
    """Fit a member while there is none yet: in a part of the time, so that one which surely ends can follow."""
    member = plan.steps[place].member
    # networks stop in time by themselves
    cells = learn.examples.targets.size + learn.examples.features.size
    sure = _SURE_SECONDS + _SURE_SECONDS_A_CELL * cells * len(learn.splits)
    seconds = left if member.engine == ENGINE else max(_FIRST_SHARE * left, left - sure)
    fitted = _fit_or_skip(run, learn, member, seconds, seconds, clock)
    no_features = not learn.examples.features.shape[1]
    if fitted is not None or place or math.isinf(left) or no_features or FALLBACK in plan.members:
        return fitted
    # as its first, for `aurist resume` and `aurist prune`
    write_plan(run.plan_path, FitPlan((Step(FALLBACK), *plan.steps), plan.notes))
    return _logged(
        run, FALLBACK, partial(fit_member_in_process, run.models / FALLBACK.name, learn, FALLBACK), clock
    )


def _with_ways_to_answer(
    run: RunFolder, data: RunData, learn: TrainingData, found: CrossValidationResult, clock: Clock
) -> CrossValidationResult:
    """The member by the best of its ways to answer, and what others are to be compared with it."""
    if found.member == FOREST and found.fit_time < 0.2 * clock.limit:
        return with_other_level(run, data, learn, found)
    return with_best_pooling(found, learn)


def _tell(run: RunFolder, learn: TrainingData, found: CrossValidationResult, clock: Clock) -> None:
    logger.info(_line(found, learn))
    if found.member == FOREST and found.fit_time < 0.4 * clock.limit:
        compare_with_random_split(run, learn, found)


def _above(
    run: RunFolder, learn: TrainingData, fitted: list[CrossValidationResult], member: ModelSpec
) -> TrainingData | None:
    """What a member of the second level learns from: all that is fitted below it; None, and said, where it may not."""
    why = reason_against(learn, member)
    below = [one for one in fitted if not one.base_models]
    if why is None and not any(beats_constant(learn, one) for one in below):
        why = "a second level needs models below it, one of them surely better than the shares of the classes"
    if why is not None:
        logger.warning(f"skipped: {member.name}: {why}")
        run.log("skipped", {"model": member.name, "why": why})
        return None
    return second_level(learn, fitted)


def _is_fitted_anew(run: RunFolder, member: ModelSpec, shown: TrainingData) -> bool:
    folder = run.models / member.name
    return folder.exists() and base_models_of(folder) != shown.base_models


def _next_round(
    run: RunFolder,
    data: RunData,
    learn: TrainingData,
    fitted: list[CrossValidationResult],
    number: int,
) -> TrainingData:
    unlabelled = unlabelled_inputs(run, data)
    found = with_pseudo_labels(run, learn, fitted, unlabelled, run.config().pseudo_threshold)
    logger.info(told(found, len(unlabelled), number))
    return found


def _seconds(plan: FitPlan, place: int, left: float, limit: float) -> float:
    """What the step at this place may take: its share of what is left until the last of its kind should be done."""
    if math.isinf(left):
        return left
    own = plan.steps[place]
    rivals = sum((step.until, step.spare) == (own.until, own.spare) for step in plan.steps[place:])
    kept = (1 - own.until) * limit
    return share(left - kept, rivals)


def _worth_writing(costs: float, clock: Clock, written: float) -> bool:
    """Whether enough time has passed since the last writing, or none was, for what it costs, or twice that."""
    due = not written or clock.used() - written > _WRITE_EVERY * clock.limit
    return 2 * costs < _WRITING * clock.limit and due


def decode_for(planned: list[ModelSpec], learn: TrainingData) -> list[Waves]:
    """Decode the clips that networks will hear, before their time begins to count: with all cores, and once."""
    wanted = {
        (r.front.sample_rate, r.window.margin) for r in (recipe_of(m) for m in planned if m.engine == ENGINE)
    }
    inputs = learn.examples.inputs
    if inputs.clips is None:
        return []
    return [
        store_waves(
            inputs.clips, rate, margin=around, cache_dir=inputs.cache_dir, jobs=learn.task.jobs, progress=True
        )
        for rate, around in sorted(wanted)
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
    todo = unfinished(folder, learn)
    rounds = -(-len(todo) // learn.task.jobs)
    needed = rounds * max(1.0, member.seconds_per_row * len(learn.folds))
    if todo and seconds < needed:
        logger.info(
            f"skipped: {member.name}: it needs about {needed:.0f} s, and {max(seconds, 0):.0f} s are left for it"
        )
        run.log("skipped", {"model": member.name, "why": "not enough time", "used": clock.used()})
        return None

    def fit() -> CrossValidationResult:
        # a member that is late may finish its last folds in the time of the next ones: better than to lose it
        with watched(folder):
            return fit_member(folder, learn, member, seconds, at_most)

    return _logged(run, member, fit, clock)


def _logged(
    run: RunFolder, member: ModelSpec, fit: Callable[[], CrossValidationResult], clock: Clock
) -> CrossValidationResult | None:
    """Fit a member, and write into the journal what came of it; None where it cannot be fitted."""
    try:
        fitted = fit()
    except (ConfigError, FitFailedError, MissingExtraError) as error:
        logger.warning(f"skipped: {error}")
        run.log("skipped", {"model": member.name, "why": str(error), "used": clock.used()})
        return None
    run.log("fitted", {"model": member.name, "seconds": round(fitted.fit_time, 2), "used": clock.used()})
    return fitted


def _blending_seconds(learn: TrainingData) -> float:
    """For each member, as measured here and now."""
    task, truth = learn.task, learn.examples.targets[learn.folds >= 0]
    return seconds_a_model(truth, len(learn.splits), task.metric, multilabel=task.multilabel)


def _reserve(learn: TrainingData, n_members: int, blending: float) -> float:
    """Seconds for blending, scoring and writing; all but the blending about as measured on two cores."""
    cells = learn.examples.targets.size * n_members * (len(learn.splits) + 1)
    return 4.0 + blending * n_members + 0.7e-6 * cells


def _line(found: CrossValidationResult, learn: TrainingData) -> str:
    scored = np.flatnonzero(learn.folds >= 0)
    proba = found.oof.aligned(learn.clip_ids[scored].tolist())
    value = metric(learn.task.metric)(learn.examples.targets[scored], proba, multilabel=learn.task.multilabel)
    return f"{found.member.name:<18} {learn.task.metric} {value:.4f}   fitted in {found.fit_time:.0f} s"
