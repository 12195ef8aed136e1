"""The leaderboard: one row a model, its honest score first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.clips import Clips
from aurist.errors import DataError, listing
from aurist.evaluate.bootstrap import bootstrap
from aurist.metrics import Metric
from aurist.metrics import metric as metric_of
from aurist.predictions import Predictions

LEADERBOARD_COLUMNS = (
    "model",
    "score",
    "low",
    "high",
    "metric",
    "fit_time",
    "pred_time",
    "stack_level",
    "can_infer",
    "n_scored",
)


@dataclass(frozen=True)
class Score:
    """What a model scored.

    Parameters
    ----------
    model
        Its name.
    metric
        The metric's name.
    score, low, high
        The score and its interval; higher is better.
    n_scored
        On how many clips.
    """

    model: str
    metric: str
    score: float
    low: float
    high: float
    n_scored: int


@dataclass(frozen=True)
class LeaderboardRow:
    """One model on the leaderboard.

    Parameters
    ----------
    score
        Its score.
    fit_time
        Seconds to fit it, all folds together; of a stacked model with what it stands on, if so measured.
    pred_time
        Seconds to predict the clips it was scored on.
    stack_level
        1 for a model on the features, 2 for one on the predictions of others, and so on.
    can_infer
        Whether it can predict new clips.
    """

    score: Score
    fit_time: float = float("nan")
    pred_time: float = float("nan")
    stack_level: int = 1
    can_infer: bool = True


def score_predictions(
    predictions: Predictions,
    clips: Clips,
    metric: Metric | str,
    *,
    groups: Sequence[object] | npt.NDArray[np.generic] | None = None,
    rounds: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Score:
    """Score what a model says of clips against their labels.

    The clips scored are those that were predicted. A label that the model does not know counts as a class
    of probability 0.

    Parameters
    ----------
    predictions
        One row a clip.
    clips
        Labelled; all the predicted clips must be among them.
    metric
        A metric or its name.
    groups
        (len(clips),), what to resample as one; the column ``group`` of the clips where not given.
    rounds, level, seed
        As in `bootstrap`.

    Raises
    ------
    DataError
        Where a clip is predicted twice or is not in the table.
    """
    chosen = metric_of(metric) if isinstance(metric, str) else metric
    rows = _rows(predictions, clips)
    known = set(predictions.classes)
    classes = [*predictions.classes, *(name for name in clips.classes if name not in known)]
    proba = np.zeros((len(rows), len(classes)))
    proba[:, : len(predictions.classes)] = predictions.proba
    within = clips.table["group"].to_numpy(dtype=object) if groups is None else np.asarray(groups)
    found = bootstrap(
        clips.targets(classes)[rows],
        proba,
        within[rows],
        chosen,
        rounds=rounds,
        level=level,
        seed=seed,
        multilabel=clips.multilabel,
    )
    return Score(predictions.model, chosen.name, found.score, found.low, found.high, len(rows))


def leaderboard(rows: Sequence[LeaderboardRow]) -> pd.DataFrame:
    """The leaderboard, best first; models without a score last.

    Returns
    -------
    pandas.DataFrame
        The columns of `LEADERBOARD_COLUMNS`; equal scores in the order given.

    Examples
    --------
    >>> rows = [
    ...     LeaderboardRow(Score("forest", "f1_macro", 0.61, 0.59, 0.63, 900), fit_time=2.0),
    ...     LeaderboardRow(Score("boosting", "f1_macro", 0.66, 0.64, 0.68, 900), fit_time=9.5),
    ... ]
    >>> leaderboard(rows)[["model", "score", "low", "high", "fit_time"]]
          model  score   low  high  fit_time
    0  boosting   0.66  0.64  0.68       9.5
    1    forest   0.61  0.59  0.63       2.0
    """
    records = [asdict(row.score) | {k: v for k, v in vars(row).items() if k != "score"} for row in rows]
    table = pd.DataFrame(records, columns=list(LEADERBOARD_COLUMNS))
    return table.sort_values("score", ascending=False, kind="stable", ignore_index=True)


def _rows(predictions: Predictions, clips: Clips) -> npt.NDArray[np.intp]:
    """The row of each prediction in the table of clips."""
    ids = pd.Index(predictions.clip_id)
    twice = ids[ids.duplicated()].unique()
    if len(twice):
        raise DataError(
            f"{predictions.model} has more than one prediction for {len(twice)} clips; pool its windows and "
            "average its repeats before scoring:\n" + listing([str(name) for name in twice])
        )
    rows = pd.Index(clips.table["clip_id"]).get_indexer(ids)
    strange = ids[rows < 0]
    if len(strange):
        raise DataError(
            f"{predictions.model} has predictions for {len(strange)} clips that are not in the table of "
            "labels:\n" + listing([str(name) for name in strange])
        )
    return np.asarray(rows, dtype=np.intp)
