"""Compute permutation importance: the loss of score when a feature is shuffled.

Source: L. Breiman, "Random forests", Machine Learning 45, 2001; here on the scored rows of each fold, by the
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
from aurist.run import RunData, RunFolder, files_of_run, read_data, training_data

#: Rows predicted in total, over features and repeats: a wide table then takes minutes.
MOST_PREDICTIONS = 300_000
LEAST_ROWS = 200
#: Rows predicted at a time, about. With few clips, the overhead of one call for each feature would take far longer.
_AT_A_TIME = 10_000
ROUNDS = 200


def permutation_importance(run: RunFolder, *, model: str | None = None, repeats: int = 5) -> pd.DataFrame:
    """Importance of each feature with a 95% interval, bootstrapped over groups.

    Networks of an ensemble use the recordings and not the features: their predictions do not change.

    Parameters
    ----------
    run
        A finished run.
    model
        A row of its leaderboard; the ensemble by default.
    repeats
        Number of times that each feature is shuffled.

    Returns
    -------
    pandas.DataFrame
        ``feature, importance, low, high``, the most important first. Importance is the loss of score by the
        run's metric.

    Raises
    ------
    ConfigError
        If the model has no features to shuffle.
    """
    data = read_data(run)
    learn = training_data(data)
    scored = np.flatnonzero(learn.folds >= 0)
    rng = np.random.default_rng(data.task.seed)
    rows = _sample(scored, len(data.schema.columns) * repeats, rng)
    features = learn.examples.features.iloc[rows].reset_index(drop=True)
    folds = learn.folds[rows]
    models = FoldModels(files_of_run(run), data.task, model or ENSEMBLE)
    if len(models.listeners) == len(models.members):
        raise ConfigError(
            f"{model or 'This run'} uses the sound and no features, so there is no importance to measure."
        )
    network_proba = _network_proba(run, data, models, learn.clip_ids[rows].tolist())
    chosen = metric(data.task.metric)
    truth = learn.examples.targets[rows]
    weights = _resamples(learn.groups[rows], data.task.seed)

    def scores(proba: Proba) -> npt.NDArray[np.float64]:
        return np.asarray(chosen.scorer(truth, proba, data.task.multilabel)(weights))

    full_scores = scores(_out_of_fold(models, features, folds, network_proba))
    records = []
    for names in _batches(features.columns.tolist(), len(rows) * repeats):
        n = len(names) * repeats
        repeated = {listener: np.tile(proba, (n, 1)) for listener, proba in network_proba.items()}
        copies = _shuffled_copies(features, names, repeats, folds, rng)
        proba = _out_of_fold(models, copies, np.tile(folds, n), repeated)
        parts = np.split(proba, n)
        for index, name in enumerate(names):
            probas = parts[index * repeats : (index + 1) * repeats]
            losses = full_scores - np.mean([scores(part) for part in probas], axis=0)
            low, high = np.nanquantile(losses[1:], [0.025, 0.975])
            records.append((name, losses[0], low, high))
    table = pd.DataFrame(records, columns=["feature", "importance", "low", "high"])
    return table.sort_values("importance", ascending=False, kind="stable", ignore_index=True)


def _batches(names: list[str], rows: int) -> list[list[str]]:
    """Split features into batches to predict at a time; ``rows`` is the number of rows of each feature.

    Examples
    --------
    >>> _batches(["a", "b", "c"], 5_000), _batches(["a", "b"], 60_000)
    ([['a', 'b'], ['c']], [['a'], ['b']])
    """
    size = max(1, _AT_A_TIME // max(rows, 1))
    return [names[start : start + size] for start in range(0, len(names), size)]


def _sample(rows: npt.NDArray[np.intp], times: int, rng: np.random.Generator) -> npt.NDArray[np.intp]:
    most = max(LEAST_ROWS, MOST_PREDICTIONS // max(times, 1))
    return rows if len(rows) <= most else np.sort(rng.choice(rows, most, replace=False))


def _resamples(groups: npt.NDArray[np.int64], seed: int) -> npt.NDArray[np.float64]:
    """Weight of each row, (n_rows, 1 + rounds); the first column is the data without resampling."""
    names, member = np.unique(groups, return_inverse=True)
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=ROUNDS).T
    return np.column_stack([np.ones(len(groups)), counts[member]])


def _shuffled_copies(
    features: pd.DataFrame,
    names: list[str],
    repeats: int,
    folds: npt.NDArray[np.int64],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Stack copies of the features, ``repeats`` for each name, with the column of that name shuffled within each fold.

    It is built column by column: to join one table for each copy is slow with many features.
    """
    n = len(features)
    unchanged = np.tile(np.arange(n), len(names) * repeats)
    columns = {}
    for column in features.columns:
        order = unchanged
        if column in names:
            order = unchanged.copy()
            start = names.index(column) * repeats * n
            order[start : start + repeats * n] = np.concatenate(
                [_shuffled_rows(folds, rng) for _ in range(repeats)]
            )
        columns[column] = features[column].array.take(order)
    return pd.DataFrame(columns)


def _shuffled_rows(folds: npt.NDArray[np.int64], rng: np.random.Generator) -> npt.NDArray[np.intp]:
    """Shuffle the rows within each fold."""
    order = np.arange(len(folds))
    for fold in np.unique(folds):
        rows = np.flatnonzero(folds == fold)
        order[rows] = rng.permutation(rows)
    return order


def _network_proba(
    run: RunFolder, data: RunData, models: FoldModels, clip_ids: list[str]
) -> dict[str, Proba]:
    """Read the out-of-fold predictions of each network for these clips, (n, n_classes)."""
    predictions = run.out_of_fold(data.task.classes)
    return {name: predictions[name].aligned(clip_ids) for name in models.listeners}


def _out_of_fold(
    models: FoldModels, features: pd.DataFrame, folds: npt.NDArray[np.int64], network_proba: dict[str, Proba]
) -> Proba:
    """Predict each row by the models of its own fold."""
    out = np.zeros((len(features), models.n_classes))
    for fold in np.unique(folds):
        rows = np.flatnonzero(folds == fold)
        fold_proba = {name: proba[rows] for name, proba in network_proba.items()}
        out[rows] = models.fold_proba(int(fold), Inputs(features).take(rows), fold_proba)
    return out
