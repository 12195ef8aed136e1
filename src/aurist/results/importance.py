"""Permutation importance: how much worse the score gets when a feature is shuffled.

Source: L. Breiman, "Random forests", Machine Learning 45, 2001; here on each fold's scored rows, by the
models that had not seen them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.arrays import Proba
from aurist.errors import ConfigError
from aurist.inference.fold_models import FoldModels
from aurist.metrics import metric
from aurist.models.base import Inputs
from aurist.plan import ENSEMBLE
from aurist.run import RunData, RunFolder, read_data, read_ensemble, training_data

#: Rows predicted in all, over features and repeats: keeps a wide table to minutes.
MOST_PREDICTIONS = 300_000
LEAST_ROWS = 200
#: Rows predicted at a time, about: to ask the models of few clips once a feature takes far longer than what they do.
_AT_A_TIME = 10_000
ROUNDS = 200


def permutation_importance(run: RunFolder, *, model: str | None = None, repeats: int = 5) -> pd.DataFrame:
    """Importance of each feature with a 95% interval, bootstrapped over groups.

    Networks of an ensemble hear the recordings themselves: they say of a clip what they always say, whatever is
    shuffled.

    Parameters
    ----------
    run
        A finished run.
    model
        A row of its leaderboard; the ensemble by default.
    repeats
        How often each feature is shuffled.

    Returns
    -------
    pandas.DataFrame
        ``feature, importance, low, high``, the most important first; importance is the loss of the run's
        metric.

    Raises
    ------
    ConfigError
        Where the model has no features to shuffle.
    """
    data = read_data(run)
    learn = training_data(data)
    scored = np.flatnonzero(learn.folds >= 0)
    rng = np.random.default_rng(data.task.seed)
    rows = _sample(scored, len(data.schema.columns) * repeats, rng)
    features = learn.examples.features.iloc[rows].reset_index(drop=True)
    folds = learn.folds[rows]
    models = FoldModels(run, data.task, read_ensemble(run), model or ENSEMBLE)
    if len(models.listeners) == len(models.members):
        raise ConfigError(
            f"{model or 'This run'} listens to the recordings and does not look at features: none is important to it."
        )
    said = _said(run, data, models, learn.clip_ids[rows].tolist())
    chosen = metric(data.task.metric)
    truth = learn.examples.targets[rows]
    drawn = _resamples(learn.groups[rows], data.task.seed)

    def scores(proba: Proba) -> npt.NDArray[np.float64]:
        return np.asarray(chosen.scorer(truth, proba, data.task.multilabel)(drawn))

    whole = scores(_out_of_fold(models, features, folds, said))
    found = []
    for names in _together(features.columns.tolist(), len(rows) * repeats):
        shuffled = [_shuffled(features, name, folds, rng) for name in names for _ in range(repeats)]
        n = len(shuffled)
        again = {listener: np.tile(proba, (n, 1)) for listener, proba in said.items()}
        proba = _out_of_fold(models, pd.concat(shuffled, ignore_index=True), np.tile(folds, n), again)
        parts = np.split(proba, n)
        for place, name in enumerate(names):
            own = parts[place * repeats : (place + 1) * repeats]
            lost = whole - np.mean([scores(part) for part in own], axis=0)
            low, high = np.nanquantile(lost[1:], [0.025, 0.975])
            found.append((name, lost[0], low, high))
    table = pd.DataFrame(found, columns=["feature", "importance", "low", "high"])
    return table.sort_values("importance", ascending=False, kind="stable", ignore_index=True)


def _together(names: list[str], rows: int) -> list[list[str]]:
    """Split features into lots whose rows are predicted at a time, where each has so many rows.

    Examples
    --------
    >>> _together(["a", "b", "c"], 5_000), _together(["a", "b"], 60_000)
    ([['a', 'b'], ['c']], [['a'], ['b']])
    """
    size = max(1, _AT_A_TIME // max(rows, 1))
    return [names[start : start + size] for start in range(0, len(names), size)]


def _sample(rows: npt.NDArray[np.intp], times: int, rng: np.random.Generator) -> npt.NDArray[np.intp]:
    most = max(LEAST_ROWS, MOST_PREDICTIONS // max(times, 1))
    return rows if len(rows) <= most else np.sort(rng.choice(rows, most, replace=False))


def _resamples(groups: npt.NDArray[np.int64], seed: int) -> npt.NDArray[np.float64]:
    """(n_rows, 1 + rounds): how often each row counts; the first column is the data as it is."""
    names, member = np.unique(groups, return_inverse=True)
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=ROUNDS).T
    return np.column_stack([np.ones(len(groups)), counts[member]])


def _shuffled(
    features: pd.DataFrame, name: str, folds: npt.NDArray[np.int64], rng: np.random.Generator
) -> pd.DataFrame:
    """The features with one column shuffled within each fold."""
    order = np.arange(len(features))
    for fold in np.unique(folds):
        here = np.flatnonzero(folds == fold)
        order[here] = rng.permutation(here)
    out = features.copy()
    out[name] = features[name].iloc[order].array
    return out


def _said(run: RunFolder, data: RunData, models: FoldModels, clip_ids: list[str]) -> dict[str, Proba]:
    """What each member that listens said of these clips out of fold, (n, n_classes)."""
    told = run.out_of_fold(data.task.classes)
    return {name: told[name].aligned(clip_ids) for name in models.listeners}


def _out_of_fold(
    models: FoldModels, features: pd.DataFrame, folds: npt.NDArray[np.int64], said: dict[str, Proba]
) -> Proba:
    """Each row by the models of its own fold."""
    out = np.zeros((len(features), models.n_classes))
    for fold in np.unique(folds):
        here = np.flatnonzero(folds == fold)
        known = {name: proba[here] for name, proba in said.items()}
        out[here] = models.fold_proba(int(fold), Inputs(features).take(here), known)
    return out
