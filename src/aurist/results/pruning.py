"""Fewer models in the ensemble, so that it predicts faster: what each of them is worth, and which to keep."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from aurist.config import write_config
from aurist.crossval import CrossValidationResult, TrainingData, read_member
from aurist.ensemble.blend import NestedBlend
from aurist.ensemble.stacking import can_answer
from aurist.errors import ConfigError, RunError, plural
from aurist.fold_files import is_done
from aurist.results.out_of_fold import blendable, out_of_fold, with_base_models
from aurist.results.pooling_choice import with_best_pooling
from aurist.results.write import write_results
from aurist.run import RunFolder, read_data, training_data

CURVE_COLUMNS = ("models", "score", "low", "high", "loss", "loss_low", "loss_high", "pred_time", "kept")


def prune_curve(run: RunFolder) -> pd.DataFrame:
    """What the ensemble would score with fewer models; for each size they are chosen anew, for each fold by the others.

    Returns
    -------
    pandas.DataFrame
        `CURVE_COLUMNS`, the largest ensemble first: ``loss`` is the score lost against it, with its 95% interval;
        ``pred_time`` the seconds to predict the scored clips; ``kept`` the models, by weight.
    """
    learn = training_data(read_data(run))
    fitted = fitted_members(run, learn)
    seconds = {found.member.name: found.pred_time for found in fitted}
    oof = out_of_fold(learn, fitted)
    everything = blendable(fitted, None)
    whole = oof.blend(everything, None)
    largest = len(with_base_models(_by_weight(everything, whole), fitted))
    out = []
    for size in range(largest, 0, -1):
        names = everything if size == largest else blendable(fitted, size)
        smaller = whole if size == largest else oof.blend(names, size)
        members = _by_weight(names, smaller)
        kept = [*members, *(name for name in with_base_models(members, fitted) if name not in members)]
        score = oof.interval(smaller.proba)
        gap = oof.paired(whole.proba, smaller.proba)
        out.append(
            (
                len(kept),
                score.score,
                score.low,
                score.high,
                gap.score,
                gap.low,
                gap.high,
                sum(seconds[name] for name in kept),
                ", ".join(kept),
            )
        )
    return pd.DataFrame(out, columns=list(CURVE_COLUMNS)).drop_duplicates("models", ignore_index=True)


def _by_weight(names: list[str], nested: NestedBlend) -> list[str]:
    """Those of the models that have a weight, the heaviest first."""
    weights = nested.blend.weights
    return [names[i] for i in np.argsort(-weights, kind="stable") if weights[i] > 0]


def prune(run: RunFolder, size: int) -> None:
    """Let the ensemble hold so many models, and score and write it anew; no model is deleted.

    Raises
    ------
    ConfigError
        Where the size is below 1, or there are fewer models.
    RunError
        Where the run was not finished.
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


def fitted_members(run: RunFolder, learn: TrainingData) -> list[CrossValidationResult]:
    """The members of the plan all of whose folds are fitted, and what they ask, too.

    Raises
    ------
    RunError
        Where there are none.
    """
    if not run.plan_path.exists():
        raise RunError(f"The run in {run.folder} has no plan yet. Go on with: aurist resume {run.folder}")
    out: list[CrossValidationResult] = []
    for member in run.plan().members:
        folder = run.models / member.name
        if all(is_done(folder, split.fold) for split in learn.splits):
            found = with_best_pooling(read_member(folder, learn, member), learn)
            if can_answer(found, out):
                out.append(found)
    if not out:
        raise RunError(f"No model of {run.folder} is fitted yet. Go on with: aurist resume {run.folder}")
    return out
