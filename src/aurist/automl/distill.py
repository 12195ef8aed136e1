"""Distil an ensemble: train one network that learns what the ensemble predicts, scored on the same folds.

Source: G. Hinton, O. Vinyals, J. Dean, "Distilling the knowledge in a neural network", 2015. The teacher of a fold are
the models of that fold: they and the clips of its mixtures have never been near the scored clips.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from aurist.arrays import Proba
from aurist.automl.mixtures import write_mixtures
from aurist.automl.pseudo import teacher_proba
from aurist.automl.train import decode_for
from aurist.automl.training_progress import watched
from aurist.crossval import CrossValidationResult, TrainingData, fit_member, unfinished
from aurist.errors import DataError, RunError
from aurist.features.waves import Waves
from aurist.files import folder_lock
from aurist.inference.features import FeaturePipeline
from aurist.metrics import Interval
from aurist.models.base import Examples, Inputs, ModelSpec
from aurist.models.network_member import ENGINE, TEACHER, recipe_member, recipe_of
from aurist.plan import ENSEMBLE, FitPlan, Step, write_plan
from aurist.progress import logger
from aurist.recipes import Recipe, read_recipe, with_settings
from aurist.results.differences import Difference
from aurist.results.event_scores import write_event_scores
from aurist.results.out_of_fold import out_of_fold
from aurist.results.pruning import fitted_members
from aurist.results.write import write_results
from aurist.run import RunData, RunFolder, read_data, training_data
from aurist.run.folder import STUDENTS

#: Mixtures of a fold: one for each of its training clips, but not more than this.
_MOST = 2000
#: Weight of a mixture against a labelled clip.
_WEIGHT = 0.5


@dataclass(frozen=True)
class Distilled:
    """The result of a distillation.

    Parameters
    ----------
    model
        The row of the student.
    score
        Its score, out of fold.
    against_ensemble
        Its difference to the ensemble.
    against_plain
        Its difference to the same network that learnt from labels alone; None if the run has none.
    """

    model: str
    score: Interval
    against_ensemble: Difference
    against_plain: Difference | None


def student_of(recipe: Recipe) -> ModelSpec:
    """Return the student of the ensemble with a recipe."""
    member = recipe_member(recipe)
    return replace(member, name=f"{recipe.name}-distilled", settings={**member.settings, TEACHER: ENSEMBLE})


def recipe_of_student(run: RunFolder, name: str, settings: Mapping[str, Any]) -> Recipe:
    """Return the recipe of a network of the run, so that both can be compared; else that of this name.

    Parameters
    ----------
    run
        The run.
    name
        The name of a recipe, or the path of a TOML file.
    settings
        Changes to it.

    Raises
    ------
    ConfigError
        If there is no such recipe or setting.
    """
    of_run = [recipe for recipe in run.networks() if recipe.name == name]
    return with_settings(of_run[0], settings) if of_run else read_recipe(name, settings)


def distill(run: RunFolder, recipe: Recipe, seconds: float) -> Distilled:
    """Train a network that learns what the ensemble predicts; a finished student is only read.

    For each fold it learns from the labels of the fold's training clips, and from the predictions of the fold's models
    for mixtures of these clips. It gets a row on the leaderboard, and is not in the ensemble.

    Parameters
    ----------
    run
        A finished run on recordings.
    recipe
        The network.
    seconds
        Wall time for the training of all folds.

    Raises
    ------
    DataError
        If the run was fitted on a table of features.
    RunError
        If the run is not finished.
    FitFailedError
        If the time is too short.
    """
    if not run.is_finished():
        raise RunError(f"{run.folder} is not finished. Continue with: aurist resume {run.folder}")
    with folder_lock(run.folder):
        data = read_data(run)
        learn = training_data(data)
        if learn.examples.inputs.clips is None:
            raise DataError(
                f"{run.folder} was fitted on a table of features: there is no sound that a network could learn from."
            )
        student = student_of(recipe)
        teachers = [result for result in fitted_members(run, learn) if _is_teacher(result)]
        _fit(run, data, learn, student, teachers, seconds)
        others = [member for member in run.students() if member.name != student.name]
        write_plan(run.folder / STUDENTS, FitPlan(tuple(Step(member) for member in [*others, student])))
        fitted = fitted_members(run, learn)
        write_results(run, data, learn, fitted)
        write_event_scores(run, data, learn)
    return _result(run, learn, fitted, student)


def _is_teacher(result: CrossValidationResult) -> bool:
    return not result.base_models and TEACHER not in result.member.settings


def _fit(
    run: RunFolder,
    data: RunData,
    learn: TrainingData,
    student: ModelSpec,
    teachers: Sequence[CrossValidationResult],
    seconds: float,
) -> None:
    folder = run.models / student.name
    todo = unfinished(folder, learn)
    if not todo:
        logger.info(f"{student.name} is fitted already; remove {folder} to fit it again")
        return
    sound = decode_for([student], learn)
    with tempfile.TemporaryDirectory(prefix="aurist-") as temporary:
        mixtures = {
            split.fold: _taught(run, data, learn, teachers, index, sound[0], Path(temporary) / str(index))
            for index, split in enumerate(learn.splits)
            if split in todo
        }
        n = min(len(examples.targets) for examples in mixtures.values())
        logger.info(
            f"{student.name}: learns from the labels, and from what the ensemble predicts for {n:,} mixtures"
        )
        with watched(folder):
            fit_member(folder, replace(learn, added=mixtures), student, seconds)
    run.log("distilled", {"model": student.name})


def _taught(
    run: RunFolder,
    data: RunData,
    learn: TrainingData,
    teachers: Sequence[CrossValidationResult],
    index: int,
    waves: Waves,
    folder: Path,
) -> Examples:
    """Mix training clips of a fold, and let its models predict the mixtures."""
    split, task = learn.splits[index], learn.task
    rows = np.concatenate([split.train, split.validation])
    clips = write_mixtures(
        folder,
        waves,
        rows,
        min(len(rows), _MOST),
        multilabel=task.multilabel,
        seed=task.seed + index,
    )
    pipeline = FeaturePipeline(run.folder, data.schema, data.summary, tuple(run.embedders()))
    inputs = pipeline.transform(clips, jobs=task.jobs).inputs
    proba = teacher_proba(run, learn, teachers, out_of_fold(learn, teachers), index, inputs)
    return _examples(learn, inputs, proba)


def _examples(learn: TrainingData, inputs: Inputs, proba: Proba) -> Examples:
    likely = proba >= 0.5 if learn.task.multilabel else proba == proba.max(axis=1, keepdims=True)
    clips = inputs.clips
    assert clips is not None
    names = np.asarray(learn.task.classes, dtype=object)
    labels = pd.Series([tuple(str(name) for name in names[row]) for row in likely], dtype=object)
    # they are joined with clips of another folder
    paths = [str(file.resolve()) for file in clips.files()]
    clips = replace(clips, table=clips.table.assign(labels=labels, path=paths))
    return Examples(
        replace(inputs, clips=clips),
        likely.astype(np.int8),
        np.full(len(proba), _WEIGHT),
        proba.astype(np.float32),
    )


def _result(
    run: RunFolder, learn: TrainingData, fitted: list[CrossValidationResult], student: ModelSpec
) -> Distilled:
    oof = out_of_fold(learn, fitted)
    ids = learn.clip_ids[oof.rows].tolist()
    proba = oof.probas[student.name]
    ensemble = run.out_of_fold(learn.task.classes)[ENSEMBLE].aligned(ids)
    plain = [
        result.member.name
        for result in fitted
        if result.member.engine == ENGINE
        and TEACHER not in result.member.settings
        and recipe_of(result.member) == replace(recipe_of(student), name=result.member.name)
    ]
    return Distilled(
        student.name,
        oof.interval(proba),
        oof.paired(proba, ensemble),
        oof.paired(proba, oof.probas[plain[0]]) if plain else None,
    )
