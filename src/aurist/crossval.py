"""Fit a member on every fold and collect what it says of the rows that it never saw.

Each fold is a unit: its folder is whole once ``unit.json`` is there, and is then never fitted again, but where a model
of the second level would learn from other answers than it did.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.arrays import Proba
from aurist.files import atomic_path, folder_lock, write_json
from aurist.folders import remove_folder
from aurist.killed import note_killed, was_killed
from aurist.models.base import Examples, FitFailedError, Model, ModelSpec, ModelWithVariants, Task, fit_again
from aurist.models.engines import engine
from aurist.predictions import COLUMNS as PREDICTION_COLUMNS
from aurist.predictions import PredictionPart, Predictions, from_frame
from aurist.splits import Rows, Split
from aurist.stored import read_frame, read_json, stored
from aurist.workers import OutOfTimeError, WorkerDiedError, run_in_processes

UNIT_FILE = "unit.json"
PREDICTIONS_FILE = "predictions.parquet"
VARIANTS_FILE = "variants.parquet"
ASKS_FILE = "asks.json"
_UNIT = {"fit_time": float, "pred_time": float, "n_scored": int, "facts?": {str: float}}
#: Of a fold's even share of the time, what it is given even after the others were late.
_LEAST = 0.3
#: Seconds that a member may be late at the most where nothing else is said.
_GRACE = 10.0
#: Seconds to wait for a fold that a worker of a killed run has still in hand.
_PATIENCE = 5.0


@dataclass(frozen=True)
class TrainingData:
    """The rows to learn from, ready for every model: the same folds for all.

    ``prescribed`` says that the folds came with the data. ``pseudo_labelled`` holds, by fold, further examples to
    learn from when that fold is scored; nothing is scored on them. ``base_models`` are the members whose answers stand
    beside the features, for a model of the second level: by name, by what these answers are known again.
    """

    task: Task
    examples: Examples
    clip_ids: npt.NDArray[np.object_]
    groups: npt.NDArray[np.int64]
    folds: npt.NDArray[np.int64]
    splits: list[Split]
    prescribed: bool = False
    pseudo_labelled: Mapping[int, Examples] = field(default_factory=dict)
    base_models: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class CrossValidationResult:
    """What came of a member: its predictions of every fold, and its times in seconds.

    ``pred_time`` is that of predicting all the scored rows by the average of the fold models. ``validation`` is None
    for a member that chose nothing on the validation part. ``variants`` are other ways to answer, out of fold, by
    name; ``facts`` the means over the folds of what the engine tells; ``base_models`` the members whose answers it
    needs, as `TrainingData` has them.
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
    """Fit a member on all folds that are not done yet.

    Parameters
    ----------
    folder
        ``models/<name>`` of the run; one folder a fold is made in it.
    data
        What to learn.
    member
        Which model.
    seconds
        Wall time for all of its folds together, which every engine keeps about.
    at_most
        Seconds after which what still runs is killed; None: a little after ``seconds``. With endless ``seconds``
        nothing is made shorter, and what is not done by then is stopped.

    Raises
    ------
    FitFailedError
        Where a fold could not be fitted in its share, or the first folds show that the rest will not fit.
    """
    todo = unfinished(folder, data)
    if base_models_of(folder) != data.base_models:
        clear_folds(folder)
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / ASKS_FILE, dict(data.base_models))
    if todo:
        late = seconds + min(0.05 * seconds, _GRACE) if math.isfinite(seconds) else 0.0
        _fit_side_by_side(folder, data, member, todo, seconds, max(late, at_most or 0.0) or math.inf)
    return read_member(folder, data, member)


def fit_member_here(folder: Path, data: TrainingData, member: ModelSpec) -> CrossValidationResult:
    """Fit a member that needs seconds on all folds that are not done yet, in this process: none has to start."""
    for split in unfinished(folder, data):
        _fit_fold(folder, data, member, split, time.time(), 1, 0.0)
    return read_member(folder, data, member)


def _fit_side_by_side(
    folder: Path, data: TrainingData, member: ModelSpec, todo: list[Split], seconds: float, at_most: float
) -> None:
    """A fold a worker process, each with its share of the cores: small fits do not fill several cores alone."""
    until = time.time() + seconds
    made_by = engine(member.engine)
    before = was_killed(folder, member.name)
    # by all the folds, not those still to do: a network that goes on must have the cores that it began with
    workers = 1 if made_by.alone or before else min(data.task.jobs, len(data.splits))
    rounds = -(-len(todo) // workers)
    alone = replace(data, task=replace(data.task, jobs=max(1, data.task.jobs // workers)))
    calls = [
        partial(
            _fit_fold,
            folder,
            alone,
            member,
            split,
            until,
            rounds - place // workers,
            _LEAST * seconds / rounds,
        )
        for place, split in enumerate(todo)
    ]
    try:
        run_in_processes(calls, workers, at_most)
    except OutOfTimeError:
        done = sum(is_done(folder, split.fold) for split in data.splits)
        raise FitFailedError(
            f"{member.name}: stopped after {max(0.0, at_most):.0f} s, with {done} of {len(data.splits)} folds done."
        ) from None
    except (WorkerDiedError, MemoryError) as error:
        why = str(error) if isinstance(error, WorkerDiedError) else "there was not enough memory"
        note_killed(folder, why, workers)
        raise FitFailedError(f"{member.name}: {why}") from None
    finally:
        if not made_by.resumes:
            for half_made in folder.glob(".fold*"):
                remove_folder(half_made)


def _fit_fold(
    folder: Path, data: TrainingData, member: ModelSpec, split: Split, until: float, rounds: int, least: float
) -> None:
    """Fit one fold in a folder of its own, which takes its place when it is whole.

    ``until`` is when all rounds should be over, by the clock on the wall, so that starting a process counts; where
    those before were late, ``least`` seconds are given all the same.
    """
    place = half_made(folder, split.fold)
    with _held(place):
        if is_done(folder, split.fold):
            return
        if not engine(member.engine).resumes:
            remove_folder(place)
        place.mkdir(parents=True, exist_ok=True)
        _fit_into(place, data, member, split, max((until - time.time()) / rounds, least))
        remove_folder(fold_folder(folder, split.fold))  # what is not whole
        place.rename(fold_folder(folder, split.fold))


@contextmanager
def _held(place: Path) -> Iterator[None]:
    """Hold a fold for this process: a worker outlives a run that was killed for a moment."""
    lock = place.with_name(f"{place.name}.lock")
    lock.mkdir(parents=True, exist_ok=True)
    with folder_lock(lock, _PATIENCE):
        yield
    remove_folder(lock)


def _fit_into(place: Path, data: TrainingData, member: ModelSpec, split: Split, seconds: float) -> None:
    train, validation = data.examples.take(split.train), data.examples.take(split.validation)
    if split.fold in data.pseudo_labelled:
        train = train.together(data.pseudo_labelled[split.fold])
    started = time.monotonic()
    found = engine(member.engine).fit(place, data.task, member, train, validation, seconds)
    fitted = time.monotonic()
    scored = data.examples.inputs.take(split.scored)
    variants = found.model.variants(scored) if isinstance(found.model, ModelWithVariants) else {}
    scored_proba = next(iter(variants.values())) if variants else found.model.predict_proba(scored)
    predicted = time.monotonic()

    def frame(name: str, rows: Rows, proba: Proba, part: PredictionPart) -> pd.DataFrame:
        fold = np.full(len(rows), split.fold, dtype=np.int64)
        return Predictions(name, data.clip_ids[rows], proba, data.task.classes, fold, part).to_frame()

    frames = [frame(member.name, split.scored, scored_proba, "oof")]
    if found.validation_proba is not None:
        frames.append(frame(member.name, split.validation, found.validation_proba, "validation"))
    _write_frames(place / PREDICTIONS_FILE, frames)
    if variants:
        _write_frames(
            place / VARIANTS_FILE,
            [frame(name, split.scored, proba, "oof") for name, proba in variants.items()],
        )
    write_json(
        place / UNIT_FILE,
        {
            "fit_time": fitted - started,
            "pred_time": predicted - fitted,
            "n_scored": len(split.scored),
            "facts": dict(found.facts),
        },
    )


def _write_frames(path: Path, frames: list[pd.DataFrame]) -> None:
    with atomic_path(path) as file:
        pd.concat(frames, ignore_index=True).to_parquet(file)


def read_member(folder: Path, data: TrainingData, member: ModelSpec) -> CrossValidationResult:
    """What the finished folds of a member say."""
    frames, variants, facts, fit_time, pred_time = [], [], [], 0.0, 0.0
    n_scored = int((data.folds >= 0).sum())
    for split in data.splits:
        place = fold_folder(folder, split.fold)
        frames.append(read_frame(place / PREDICTIONS_FILE, PREDICTION_COLUMNS, fit_again(place)))
        if (place / VARIANTS_FILE).exists():
            variants.append(read_frame(place / VARIANTS_FILE, PREDICTION_COLUMNS, fit_again(place)))
        unit = read_json(place / UNIT_FILE, _UNIT, fit_again(place))
        fit_time += unit["fit_time"]
        pred_time += unit["pred_time"] / max(unit["n_scored"], 1) * n_scored
        facts.append(unit.get("facts", {}))
    with stored(folder, fit_again(folder)):
        told = {p.part: p for p in from_frame(pd.concat(frames, ignore_index=True), data.task.classes)}
        ways = from_frame(pd.concat(variants, ignore_index=True), data.task.classes) if variants else []
        scored = np.concatenate([split.scored for split in data.splits])
        told["oof"].aligned(data.clip_ids[scored].tolist())  # all of them are there
        return CrossValidationResult(
            member,
            told["oof"],
            told.get("validation"),
            fit_time,
            pred_time,
            {way.model: way for way in ways if len(np.unique(way.fold)) == len(data.splits)},
            {name: float(np.mean([fact[name] for fact in facts])) for name in facts[0]},
            base_models_of(folder),
        )


def unfinished(folder: Path, data: TrainingData) -> list[Split]:
    """The folds of a member that are still to fit: all, where those that there are learnt from other answers."""
    same = base_models_of(folder) == data.base_models
    return [split for split in data.splits if not (same and is_done(folder, split.fold))]


def base_models_of(folder: Path) -> dict[str, str]:
    """The members whose answers a fitted one needs, as `TrainingData` has them; none for one of the first level."""
    path = folder / ASKS_FILE
    found: dict[str, str] = read_json(path, {str: str}, fit_again(folder)) if path.exists() else {}
    return found


def is_done(folder: Path, fold: int) -> bool:
    """Whether this fold was fitted to its end."""
    return (fold_folder(folder, fold) / UNIT_FILE).exists()


def fold_folder(folder: Path, fold: int) -> Path:
    """Where the model of a fold is kept."""
    return folder / f"fold{fold}"


def half_made(folder: Path, fold: int) -> Path:
    """Where a fold is while it is fitted."""
    return folder / f".fold{fold}"


def clear_folds(folder: Path) -> None:
    """Delete the folds of a member, and nothing else that may be in the folder."""
    for pattern in ("fold[0-9]*", ".fold[0-9]*"):
        for place in folder.glob(pattern):
            remove_folder(place)


def load_folds(folder: Path, task: Task, member: ModelSpec) -> list[Model]:
    """The fold models of a member, in order, to predict with."""
    count = sum(1 for place in folder.glob("fold*") if (place / UNIT_FILE).exists())
    return [load_fold(folder, task, member, fold) for fold in range(count)]


def load_fold(folder: Path, task: Task, member: ModelSpec, fold: int) -> Model:
    """One of them.

    Raises
    ------
    RunError
        Where its files are damaged.
    """
    place = fold_folder(folder, fold)
    with stored(place, fit_again(place)):
        return engine(member.engine).load(place, task, member)
