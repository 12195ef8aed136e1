"""Fit a member on every fold and collect what it says of the rows that it never saw.

Each fold is a unit: its folder is whole once ``unit.json`` is there, and is then never fitted again.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.files import atomic_path, write_json
from aurist.models.base import Examples, FitFailedError, Member, Model, Proba, Task, engine
from aurist.predictions import PredictionPart, Predictions, from_frame
from aurist.splits import Rows, Split
from aurist.workers import OutOfTimeError, side_by_side

UNIT_FILE = "unit.json"
PREDICTIONS_FILE = "predictions.parquet"
#: Of a fold's even share of the time, what it is given even after the others were late.
_LEAST = 0.3
#: Seconds that a member may be late at the most where nothing else is said.
_GRACE = 10.0


@dataclass(frozen=True)
class TrainingData:
    """The rows to learn from, ready for every model: the same folds for all.

    ``prescribed`` says that the folds came with the data.
    """

    task: Task
    examples: Examples
    clip_ids: npt.NDArray[np.object_]
    groups: npt.NDArray[np.int64]
    folds: npt.NDArray[np.int64]
    splits: list[Split]
    prescribed: bool = False


@dataclass(frozen=True)
class FoldsFitted:
    """What came of a member: its predictions of every fold, and its times in seconds.

    ``pred_time`` is that of predicting all the scored rows by the average of the fold models.
    """

    member: Member
    oof: Predictions
    inner: Predictions
    fit_time: float
    pred_time: float


def fit_member(
    folder: Path, data: TrainingData, member: Member, seconds: float, at_most: float | None = None
) -> FoldsFitted:
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
        Seconds after which what still runs is killed; None: a little after ``seconds``.

    Raises
    ------
    FitFailedError
        Where a fold could not be fitted in its share, or the first folds show that the rest will not fit.
    """
    todo = [split for split in data.splits if not is_done(folder, split.fold)]
    if todo:
        late = seconds + min(0.05 * seconds, _GRACE)
        _fit_side_by_side(folder, data, member, todo, seconds, max(late, at_most or 0.0))
    return read_member(folder, data, member)


def _fit_side_by_side(
    folder: Path, data: TrainingData, member: Member, todo: list[Split], seconds: float, at_most: float
) -> None:
    """A fold a worker process, each with its share of the cores: small fits do not fill several cores alone."""
    until = time.time() + seconds
    workers = min(data.task.jobs, len(todo))
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
        side_by_side(calls, workers, at_most)
    except OutOfTimeError:
        done = sum(is_done(folder, split.fold) for split in data.splits)
        raise FitFailedError(
            f"{member.name}: stopped after {at_most:.0f} s, with {done} of {len(data.splits)} folds done."
        ) from None
    finally:
        for half_made in folder.glob(".fold*"):
            shutil.rmtree(half_made, ignore_errors=True)


def _fit_fold(
    folder: Path, data: TrainingData, member: Member, split: Split, until: float, rounds: int, least: float
) -> None:
    """Fit one fold in a folder of its own, which takes its place when it is whole.

    ``until`` is when all rounds should be over, by the clock on the wall, so that starting a process counts; where
    those before were late, ``least`` seconds are given all the same.
    """
    folder.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix=f".fold{split.fold}.", dir=folder))
    try:
        _fit_into(place, data, member, split, max((until - time.time()) / rounds, least))
        _take_place(place, folder, split.fold)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _take_place(place: Path, folder: Path, fold: int) -> None:
    """Rename, unless another process was first: a worker outlives a run that was killed for a moment."""
    final = fold_folder(folder, fold)
    try:
        place.rename(final)
    except OSError:
        if not is_done(folder, fold):
            shutil.rmtree(final)
            place.rename(final)


def _fit_into(place: Path, data: TrainingData, member: Member, split: Split, seconds: float) -> None:
    train, inner = data.examples.take(split.train), data.examples.take(split.inner)
    started = time.monotonic()
    model, inner_proba = engine(member.engine).fit(place, data.task, member, train, inner, seconds)
    fitted = time.monotonic()
    scored_proba = model.predict_proba(data.examples.inputs.take(split.scored))
    predicted = time.monotonic()
    told: list[tuple[Rows, Proba, PredictionPart]] = [
        (split.scored, scored_proba, "oof"),
        (split.inner, inner_proba, "inner"),
    ]
    frames = [
        Predictions(
            member.name,
            data.clip_ids[rows],
            proba,
            data.task.classes,
            np.full(len(rows), split.fold, dtype=np.int64),
            part,
        ).to_frame()
        for rows, proba, part in told
    ]
    with atomic_path(place / PREDICTIONS_FILE) as file:
        pd.concat(frames, ignore_index=True).to_parquet(file)
    write_json(
        place / UNIT_FILE,
        {
            "fit_time": fitted - started,
            "pred_time": predicted - fitted,
            "n_scored": len(split.scored),
        },
    )


def read_member(folder: Path, data: TrainingData, member: Member) -> FoldsFitted:
    """What the finished folds of a member say."""
    frames, fit_time, pred_time = [], 0.0, 0.0
    n_scored = int((data.folds >= 0).sum())
    for split in data.splits:
        place = fold_folder(folder, split.fold)
        frames.append(pd.read_parquet(place / PREDICTIONS_FILE))
        unit = json.loads((place / UNIT_FILE).read_text())
        fit_time += unit["fit_time"]
        pred_time += unit["pred_time"] / max(unit["n_scored"], 1) * n_scored
    told = {p.part: p for p in from_frame(pd.concat(frames, ignore_index=True), data.task.classes)}
    return FoldsFitted(member, told["oof"], told["inner"], fit_time, pred_time)


def is_done(folder: Path, fold: int) -> bool:
    """Whether this fold was fitted to its end."""
    return (fold_folder(folder, fold) / UNIT_FILE).exists()


def fold_folder(folder: Path, fold: int) -> Path:
    """Where the model of a fold is kept."""
    return folder / f"fold{fold}"


def load_folds(folder: Path, task: Task, member: Member) -> list[Model]:
    """The fold models of a member, in order, to predict with."""
    made = engine(member.engine)
    count = sum(1 for place in folder.glob("fold*") if (place / UNIT_FILE).exists())
    return [made.load(fold_folder(folder, fold), task) for fold in range(count)]
