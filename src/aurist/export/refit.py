"""One model of each kind, fitted on all clips, in the place of one for each fold: smaller and faster."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from aurist.automl.background import Mixtures
from aurist.crossval import CrossValidationResult, TrainingData
from aurist.ensemble.stacking import second_level
from aurist.errors import RunError
from aurist.fold_files import fold_folder
from aurist.models.base import FitFailedError, ModelSpec
from aurist.models.engines import engine, engine_of
from aurist.progress import logger
from aurist.splits import validation_split

#: Share of the clips on which early stopping and strengths are chosen, as in the folds.
_VALIDATION_SHARE = 0.1


def refit_members(
    folder: Path,
    learn: TrainingData,
    fitted: Sequence[CrossValidationResult],
    members: Mapping[str, ModelSpec],
    mixtures: Mixtures | None = None,
) -> list[Path]:
    """Fit each model once on all clips.

    A part of them chooses settings, as in every fold; the models that learn from that part in the folds do so here.

    Parameters
    ----------
    folder
        A folder to work in: each model gets ``models/<name>/fold0``.
    learn
        The training data.
    fitted
        The members of the run.
    members
        The members to fit.
    mixtures
        Mixtures of training clips to learn from, too, as the members of the run did.

    Returns
    -------
    The files that predictions need.

    Raises
    ------
    RunError
        If a model cannot be fitted.
    """
    rows = np.arange(len(learn.clip_ids))
    train, validation = validation_split(
        rows, learn.examples.targets, learn.groups, learn.task.seed, _VALIDATION_SHARE
    )
    results = {result.member.name: result for result in fitted}
    files: list[Path] = []
    for name, member in members.items():
        result = results[name]
        data = second_level(learn, fitted) if result.base_models else learn
        assert data is not None
        path = fold_folder(folder / "models" / name, 0)
        path.mkdir(parents=True, exist_ok=True)
        logger.info(f"{name}: fitted on all {len(rows):,} clips")
        learnt = data.examples.take(train)
        if mixtures is not None and not result.base_models:
            learnt = learnt.concat(mixtures.within(train))
        try:
            engine_of(member).fit(
                path,
                data.task,
                member,
                learnt,
                data.examples.take(validation),
                _seconds(result, learn),
            )
        except FitFailedError as error:
            raise RunError(
                f"The run cannot be exported with refit=True: {error} Export it without."
            ) from error
        files += engine(member.engine).portable_files(path, learn.task)
    return files


def _seconds(result: CrossValidationResult, learn: TrainingData) -> float:
    """Give a network the time of a fold, for more clips; other models stop by themselves."""
    if result.member.engine != "network":
        return math.inf
    return result.fit_time / max(1, len(learn.splits) - 1)
