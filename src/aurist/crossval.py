"""Fit a model on every fold, and collect its predictions of the rows that it did not learn from.

A fitted fold is never fitted again, except for a stacked model whose base models changed. The files of the folds are in
`aurist.fold_files`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.arrays import Proba
from aurist.cluster import Cluster, run_on_cluster
from aurist.fold_files import (
    FoldFacts,
    base_models_of,
    clear_folds,
    clear_partial_folds,
    finish_fold,
    is_done,
    lock_fold,
    partial_folder,
    read_fold,
    write_base_models,
    write_fold,
)
from aurist.folders import remove_folder
from aurist.killed import note_killed, was_killed
from aurist.models.base import Examples, FitFailedError, ModelSpec, ModelWithVariants, Task, fit_again
from aurist.models.engines import engine, engine_of
from aurist.predictions import PredictionPart, Predictions, from_frame
from aurist.splits import Rows, Split
from aurist.stored import stored
from aurist.workers import OutOfTimeError, WorkerDiedError, run_in_processes

#: The least share of a fold's even part of the time that it gets after earlier folds were late.
_LEAST = 0.3
#: The most seconds that a model may be late, if ``at_most`` is not given.
_GRACE = 10.0
#: These engines fit up to this size of training data in this process if this much time is left: a fold takes about a
#: second, and a worker process as long to import its libraries.
_QUICK = ("forest", "classic", "kernel")
SMALL_CELLS, SMALL_FEATURES, SMALL_SECONDS = 300_000, 2000, 15.0
_NO_MEMORY = "there was not enough memory"


@dataclass(frozen=True)
class TrainingData:
    """The rows to learn from, with the same folds for every model.

    ``prescribed`` is True if the folds came with the data. ``added`` has more examples to learn from by fold,
    for when that fold is scored (mixtures, pseudo-labels); they are never scored themselves. ``base_models`` are the
    models whose predictions a stacked model gets as features: their names, each with the key of its predictions.
    ``cluster`` fits the folds; None: this machine.
    """

    task: Task
    examples: Examples
    clip_ids: npt.NDArray[np.object_]
    groups: npt.NDArray[np.int64]
    folds: npt.NDArray[np.int64]
    splits: list[Split]
    prescribed: bool = False
    added: Mapping[int, Examples] = field(default_factory=dict)
    base_models: Mapping[str, str] = field(default_factory=dict)
    cluster: Cluster | None = None

    @property
    def machines(self) -> tuple[int, ...]:
        """The cores of each machine that fits folds."""
        return (self.task.jobs,) if self.cluster is None else self.cluster.machines


@dataclass(frozen=True)
class CrossValidationResult:
    """The predictions of a model from every fold, and its times in seconds.

    ``pred_time`` is the time to predict all scored rows with the models of all folds. ``validation`` is None for a
    model that chose nothing on the validation part. ``variants`` are its other out-of-fold predictions by name.
    ``facts`` are means over the folds. ``base_models`` are as in `TrainingData`.
    """

    member: ModelSpec
    oof: Predictions
    validation: Predictions | None
    fit_time: float
    pred_time: float
    variants: Mapping[str, Predictions] = field(default_factory=dict)
    facts: Mapping[str, float] = field(default_factory=dict)
    base_models: Mapping[str, str] = field(default_factory=dict)


def fit_member(
    folder: Path, data: TrainingData, member: ModelSpec, seconds: float, at_most: float | None = None
) -> CrossValidationResult:
    """Fit a model on all folds that are not done yet.

    Parameters
    ----------
    folder
        ``models/<name>`` of the run; each fold gets a folder in it.
    data
        The rows to learn from, and the folds.
    member
        The model.
    seconds
        Wall time for all of its folds together; engines keep it approximately.
    at_most
        Seconds after which running folds are killed; None: a little after ``seconds``. With infinite ``seconds`` no
        fold is shortened, and those that are not done by then are stopped.

    Raises
    ------
    FitFailedError
        If a fold could not be fitted in its share of the time, or failed.
    """
    todo = unfinished(folder, data)
    if base_models_of(folder) != data.base_models:
        clear_folds(folder)
        write_base_models(folder, data.base_models)
    if todo and _is_small(data, member, seconds) and not was_killed(folder, member.name):
        _fit_here(folder, data, member, todo)
    elif todo:
        late = seconds + min(0.05 * seconds, _GRACE) if math.isfinite(seconds) else 0.0
        _fit_in_processes(folder, data, member, todo, seconds, max(late, at_most or 0.0) or math.inf)
    return read_member(folder, data, member)


def fit_member_in_process(folder: Path, data: TrainingData, member: ModelSpec) -> CrossValidationResult:
    """Fit a model that needs only seconds on all folds that are not done yet, without starting processes."""
    _fit_here(folder, data, member, unfinished(folder, data))
    return read_member(folder, data, member)


def _is_small(data: TrainingData, member: ModelSpec, seconds: float) -> bool:
    """Return True if a fold surely takes less time than a worker process needs to start and to import libraries."""
    n_rows, n_features = data.examples.features.shape
    n_fits = len(data.task.classes) if data.task.multilabel else 1
    return (
        member.engine in _QUICK
        and n_rows * n_features * n_fits <= SMALL_CELLS
        and n_features <= SMALL_FEATURES
        and seconds >= SMALL_SECONDS
    )


def _fit_here(folder: Path, data: TrainingData, member: ModelSpec, todo: list[Split]) -> None:
    """Fit folds one after another in this process, with all cores; no time limit stops them."""
    try:
        for split in todo:
            _fit_fold(folder, data, member, split, math.inf, 1, 0.0)
    except MemoryError:
        note_killed(folder, _NO_MEMORY, 1)
        raise FitFailedError(f"{member.name}: {_NO_MEMORY}") from None
    finally:
        clear_partial_folds(folder)


def _fit_in_processes(
    folder: Path, data: TrainingData, member: ModelSpec, todo: list[Split], seconds: float, at_most: float
) -> None:
    """Fit each fold in a worker process, here or on a cluster, with its share of the cores."""
    until = time.time() + seconds
    fold_engine = engine(member.engine)
    before = was_killed(folder, member.name)
    cores = _cores_of_fold(data.machines, len(data.splits), alone=fold_engine.alone or before)
    workers = min(len(data.splits), sum(machine // cores for machine in data.machines))
    rounds = -(-len(todo) // workers)
    worker_data = replace(data, task=replace(data.task, jobs=cores), cluster=None)
    calls = [
        partial(
            _fit_fold,
            folder.absolute(),
            worker_data,
            member,
            split,
            until,
            rounds - index // workers,
            _LEAST * seconds / rounds,
        )
        for index, split in enumerate(todo)
    ]
    try:
        if data.cluster is None:
            run_in_processes(calls, workers, at_most)
        else:
            run_on_cluster(calls, data.cluster, cores=cores, seconds=at_most)
    except OutOfTimeError:
        done = sum(is_done(folder, split.fold) for split in data.splits)
        raise FitFailedError(
            f"{member.name}: stopped after {max(0.0, at_most):.0f} s, with {done} of {len(data.splits)} folds done."
        ) from None
    except (WorkerDiedError, MemoryError) as error:
        why = str(error) if isinstance(error, WorkerDiedError) else _NO_MEMORY
        note_killed(folder, why, min(workers, max(data.machines) // cores))
        raise FitFailedError(f"{member.name}: {why}") from None
    finally:
        if not fold_engine.resumes:
            clear_partial_folds(folder)


def _cores_of_fold(machines: Sequence[int], n_folds: int, *, alone: bool) -> int:
    """Return the cores of each fold: small fits do not use several, unless there are more cores than folds.

    It depends on the number of all folds, not of those to do: a network that resumes must have the cores it began with.

    Examples
    --------
    >>> _cores_of_fold([2], 5, alone=False), _cores_of_fold([16], 5, alone=False), _cores_of_fold([16], 5, alone=True)
    (1, 3, 16)
    >>> _cores_of_fold([8, 4, 8], 5, alone=False), _cores_of_fold([8, 4, 8], 5, alone=True)
    (4, 4)
    """
    smallest = min(machines)
    return smallest if alone else min(smallest, max(1, sum(machines) // n_folds))


def _fit_fold(
    folder: Path, data: TrainingData, member: ModelSpec, split: Split, until: float, rounds: int, least: float
) -> None:
    """Fit one fold in a hidden folder, and move it to its final one when it is complete.

    ``until`` is the end of all rounds by ``time.time``, so that the start of a process counts. If earlier folds were
    late, the fold still gets ``least`` seconds.
    """
    partly_fitted = partial_folder(folder, split.fold)
    with lock_fold(folder, split.fold):
        if is_done(folder, split.fold):
            return
        if not engine(member.engine).resumes:
            remove_folder(partly_fitted)
        partly_fitted.mkdir(parents=True, exist_ok=True)
        _fit_into(partly_fitted, data, member, split, max((until - time.time()) / rounds, least))
        finish_fold(folder, split.fold)


def _fit_into(folder: Path, data: TrainingData, member: ModelSpec, split: Split, seconds: float) -> None:
    train, validation = data.examples.take(split.train), data.examples.take(split.validation)
    if split.fold in data.added:
        train = train.concat(data.added[split.fold])
    started = time.monotonic()
    fitted = engine_of(member).fit(folder, data.task, member, train, validation, seconds)
    fitted_at = time.monotonic()
    scored = data.examples.inputs.take(split.scored)
    variants = fitted.model.variants(scored) if isinstance(fitted.model, ModelWithVariants) else {}
    scored_proba = next(iter(variants.values())) if variants else fitted.model.predict_proba(scored)
    predicted_at = time.monotonic()

    def predictions(name: str, rows: Rows, proba: Proba, part: PredictionPart) -> Predictions:
        fold = np.full(len(rows), split.fold, dtype=np.int64)
        return Predictions(name, data.clip_ids[rows], proba, data.task.classes, fold, part)

    parts = [predictions(member.name, split.scored, scored_proba, "oof")]
    if fitted.validation_proba is not None:
        parts.append(predictions(member.name, split.validation, fitted.validation_proba, "validation"))
    write_fold(
        folder,
        parts,
        [predictions(name, split.scored, proba, "oof") for name, proba in variants.items()],
        FoldFacts(fitted_at - started, predicted_at - fitted_at, len(split.scored), dict(fitted.facts)),
    )


def read_member(folder: Path, data: TrainingData, member: ModelSpec) -> CrossValidationResult:
    """Read the predictions and times of a model from its fitted folds."""
    folds = [read_fold(folder, split.fold) for split in data.splits]
    n_scored = int((data.folds >= 0).sum())
    facts = [fold.facts for fold in folds]
    variant_tables = [fold.variants for fold in folds if fold.variants is not None]
    with stored(folder, fit_again(folder)):
        tables = pd.concat([fold.predictions for fold in folds], ignore_index=True)
        by_part = {predictions.part: predictions for predictions in from_frame(tables, data.task.classes)}
        variants = (
            from_frame(pd.concat(variant_tables, ignore_index=True), data.task.classes)
            if variant_tables
            else []
        )
        scored = np.concatenate([split.scored for split in data.splits])
        by_part["oof"].aligned(data.clip_ids[scored].tolist())  # checks that no row is missing
        return CrossValidationResult(
            member,
            by_part["oof"],
            by_part.get("validation"),
            sum(fact.fit_time for fact in facts),
            sum(fact.pred_time / max(fact.n_scored, 1) * n_scored for fact in facts),
            {
                variant.model: variant
                for variant in variants
                if len(np.unique(variant.fold)) == len(data.splits)
            },
            {name: float(np.mean([fact.facts[name] for fact in facts])) for name in facts[0].facts},
            base_models_of(folder),
        )


def unfinished(folder: Path, data: TrainingData) -> list[Split]:
    """Return the folds that are still to fit: all, if the fitted ones learnt from other base models."""
    same = base_models_of(folder) == data.base_models
    return [split for split in data.splits if not (same and is_done(folder, split.fold))]
