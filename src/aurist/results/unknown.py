"""Learn how unlike clips may be, and measure how many clips of a class that was never learnt are noticed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.crossval import TrainingData
from aurist.features.matrix import float_matrix
from aurist.models.views import embedded_by
from aurist.openset import DEFAULT_SHARE, MOST_ROWS, Floats, OpenSet, fit_open_set, likeness
from aurist.run.scores_file import UnknownScores

#: The most classes that are left out in turn.
_MOST_LEFT_OUT = 10


@dataclass(frozen=True)
class _Rows:
    """The rows to learn from, and the folds that are scored, as positions among them; with embeddings or not."""

    matrix: Floats
    targets: npt.NDArray[np.int8]
    folds: Sequence[npt.NDArray[np.intp]]
    embedded: bool

    def fit(self, rows: npt.NDArray[np.intp], seed: int) -> OpenSet | None:
        return fit_open_set(self.matrix[rows], self.targets[rows], seed, embedded=self.embedded)

    def out_of_fold(self, left_out: npt.NDArray[np.bool_], seed: int) -> Floats:
        """Score the rows of each fold by the other folds, ascending; rows that are left out are in neither."""
        parts = []
        for fold in self.folds:
            others = ~left_out
            others[fold] = False
            fitted = self.fit(np.flatnonzero(others), seed)
            if fitted is not None:
                parts.append(fitted.scores(self.matrix[fold[~left_out[fold]]]))
        return np.sort(np.concatenate(parts)) if parts else np.zeros(0, dtype=np.float32)


def learn_open_set(
    learn: TrainingData, networks: Collection[str] = ()
) -> tuple[OpenSet, UnknownScores | None] | None:
    """Learn from all training clips; the typical scores are out of fold.

    Parameters
    ----------
    learn
        The training data.
    networks
        Embeddings of these networks are used, too. New clips need them.

    Returns
    -------
    open_set
        With typical scores.
    scores
        How many clips of a class that was left out are called unknown; None if there are too few classes.

    None if there are too few rows, or no feature is a number.
    """
    rows, seed = _rows_of(learn, networks), learn.task.seed
    nothing = np.zeros(len(rows.matrix), dtype=bool)
    open_set, typical = rows.fit(np.arange(len(rows.matrix)), seed), rows.out_of_fold(nothing, seed)
    if open_set is None or not len(typical):
        return None
    return replace(open_set, typical=typical), _unknown_scores(rows, learn.task.classes, seed)


def _rows_of(learn: TrainingData, networks: Collection[str]) -> _Rows:
    features = learn.examples.features
    unused = [
        isinstance(kind, pd.CategoricalDtype) or not set(embedded_by([str(name)])) <= set(networks)
        for name, kind in features.dtypes.items()
    ]
    chosen = np.arange(len(features))
    if len(chosen) > MOST_ROWS:
        drawn = np.random.default_rng(learn.task.seed).choice(len(features), MOST_ROWS, replace=False)
        chosen = np.sort(drawn)
    matrix = float_matrix(features.iloc[chosen])
    matrix[:, unused] = np.nan  # codes of categories are no distances
    position = np.full(len(features), -1)
    position[chosen] = np.arange(len(chosen))
    folds = [position[split.scored] for split in learn.splits]
    return _Rows(matrix, learn.examples.targets[chosen], [fold[fold >= 0] for fold in folds], bool(networks))


def _unknown_scores(rows: _Rows, classes: Sequence[str], seed: int) -> UnknownScores | None:
    """Leave each class out of all folds in turn, and score its clips as those of a class that was never learnt."""
    present = rows.targets == 1
    scored = np.flatnonzero(present.any(axis=0) & ~present.all(axis=0))
    if len(scored) > _MOST_LEFT_OUT:
        scored = np.sort(np.random.default_rng(seed).choice(scored, _MOST_LEFT_OUT, replace=False))
    called, ranks = {}, []
    for column in scored.tolist():
        left_out = present[:, column]
        fitted = rows.fit(np.flatnonzero(~left_out), seed)
        typical = rows.out_of_fold(left_out, seed)
        if fitted is None or not len(typical):
            continue
        scores = fitted.scores(rows.matrix[left_out])
        called[classes[column]] = float((likeness(scores, typical) <= DEFAULT_SHARE).mean())
        ranks.append(_auc(scores, typical))
    if len(called) < 2:
        return None
    return UnknownScores(DEFAULT_SHARE, float(np.mean(ranks)), float(np.mean(list(called.values()))), called)


def _auc(scores: Floats, typical: Floats) -> float:
    """Compute the probability that an unknown clip has a higher score than a typical one; ties count half."""
    low = np.searchsorted(typical, scores, side="left")
    high = np.searchsorted(typical, scores, side="right")
    return float((low + high).mean() / 2 / len(typical))
