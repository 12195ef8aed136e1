"""Prune the ensemble: keep fewer models, to predict faster, and measure the loss of score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from aurist.config import write_config
from aurist.crossval import CrossValidationResult, TrainingData, read_member
from aurist.ensemble.blend import NestedBlend
from aurist.ensemble.stacking import can_answer
from aurist.errors import ConfigError, RunError, plural
from aurist.fold_files import is_done
from aurist.models.base import ModelSpec
from aurist.results.event_scores import write_event_scores
from aurist.results.out_of_fold import blendable, out_of_fold, with_base_models
from aurist.results.pooling_choice import with_best_pooling
from aurist.results.write import write_results
from aurist.run import RunFolder, read_data, training_data

CURVE_COLUMNS = ("models", "score", "low", "high", "loss", "loss_low", "loss_high", "pred_time", "kept")


def prune_curve(run: RunFolder) -> pd.DataFrame:
    """Score the ensemble with fewer models; each size makes its own choice, for each fold by the other folds.

    Returns
    -------
    pandas.DataFrame
        `CURVE_COLUMNS`, the largest ensemble first. ``loss`` is the loss of score against the largest, with its 95%
        interval; ``pred_time`` is the seconds to predict the scored clips; ``kept`` lists the models by weight.
    """
    learn = training_data(read_data(run))
    fitted = fitted_members(run, learn)
    seconds = {result.member.name: result.pred_time for result in fitted}
    oof = out_of_fold(learn, fitted)
    all_names = blendable(fitted, None)
    full = oof.blend(all_names, None)
    largest = len(with_base_models(_by_weight(all_names, full), fitted))
    out = []
    for size in range(largest, 0, -1):
        names = all_names if size == largest else blendable(fitted, size)
        smaller = full if size == largest else oof.blend(names, size)
        members = _by_weight(names, smaller)
        needed = [*members, *(name for name in with_base_models(members, fitted) if name not in members)]
        score = oof.interval(smaller.proba)
        gap = oof.paired(full.proba, smaller.proba)
        out.append(
            (
                len(needed),
                score.score,
                score.low,
                score.high,
                gap.score,
                gap.low,
                gap.high,
                sum(seconds[name] for name in needed),
                ", ".join(needed),
            )
        )
    return pd.DataFrame(out, columns=list(CURVE_COLUMNS)).drop_duplicates("models", ignore_index=True)


def _by_weight(names: list[str], nested: NestedBlend) -> list[str]:
    """List the models with a weight above zero, the heaviest first."""
    weights = nested.blend.weights
    return [names[i] for i in np.argsort(-weights, kind="stable") if weights[i] > 0]


def prune(run: RunFolder, size: int) -> None:
    """Limit the ensemble to ``size`` models, then score and write it again; no model is deleted.

    Raises
    ------
    ConfigError
        If the size is below 1 or above the number of models.
    RunError
        If the run is not finished.
    """
    if size < 1:
        raise ConfigError(f"{size} models were asked for, but an ensemble needs at least 1.")
    data = read_data(run)
    learn = training_data(data)
    fitted = fitted_members(run, learn)
    if size > len(fitted):
        raise ConfigError(f"{plural(size, 'model')} were asked for, but {run.folder} has {len(fitted)}.")
    write_config(run.folder / "config.toml", replace(run.config(), ensemble_size=size))
    write_results(run, data, learn, fitted)
    write_event_scores(run, data, learn)


def fitted_members(run: RunFolder, learn: TrainingData) -> list[CrossValidationResult]:
    """Read the members of the plan with all folds fitted, if their base models are fitted too.

    Raises
    ------
    RunError
        If there is no such member.
    """
    if not run.plan_path.exists():
        raise RunError(f"The run in {run.folder} has no plan yet. Continue with: aurist resume {run.folder}")
    out = _fitted(run, learn, run.plan().members)
    if not out:
        raise RunError(f"No model of {run.folder} is fitted yet. Continue with: aurist resume {run.folder}")
    return [*out, *fitted_students(run, learn)]


def fitted_students(run: RunFolder, learn: TrainingData) -> list[CrossValidationResult]:
    """Read the networks that learnt what the ensemble predicts."""
    return _fitted(run, learn, run.students())


def _fitted(run: RunFolder, learn: TrainingData, members: Sequence[ModelSpec]) -> list[CrossValidationResult]:
    out: list[CrossValidationResult] = []
    for member in members:
        folder = run.models / member.name
        if all(is_done(folder, split.fold) for split in learn.splits):
            result = with_best_pooling(read_member(folder, learn, member), learn)
            if can_answer(result, out):
                out.append(result)
    return out
