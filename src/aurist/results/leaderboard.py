"""Make the leaderboard: one row for each model, with its honest score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import pandas as pd

from aurist.crossval import CrossValidationResult, TrainingData
from aurist.metrics import metric
from aurist.plan import ENSEMBLE
from aurist.results.out_of_fold import OutOfFold, with_base_models

LEADERBOARD_COLUMNS = (
    "model",
    "score",
    "low",
    "high",
    "metric",
    "score_val",
    "fit_time",
    "pred_time",
    "stack_level",
    "can_infer",
    "n_scored",
    "params",
    "train_speed",
    "pred_speed",
)


@dataclass(frozen=True)
class Score:
    """Score of a model.

    Parameters
    ----------
    model
        Its name.
    metric
        The metric's name.
    score, low, high
        The score and its interval; higher is better.
    n_scored
        Number of clips that are scored.
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
    score_val
        Its score on the rows that its settings or weights were chosen on. The more it is above the honest score, the
        more the choice overfitted. NaN if nothing was chosen.
    fit_time
        Seconds to fit it, all folds together; for a stacked model also the time of its base models.
    pred_time
        Seconds to predict the clips that it is scored on.
    stack_level
        1 for a model on the features, 2 for one on the predictions of others, and so on.
    can_infer
        Whether it can predict new clips.
    params
        Number of learnt parameters of one network; NaN for other models.
    train_speed, pred_speed
        Clips per second, in training (NaN if it has no meaning) and in prediction by the models of all folds.
    """

    score: Score
    score_val: float = float("nan")
    fit_time: float = float("nan")
    pred_time: float = float("nan")
    stack_level: int = 1
    can_infer: bool = True
    params: float = float("nan")
    train_speed: float = float("nan")
    pred_speed: float = float("nan")


def leaderboard(rows: Sequence[LeaderboardRow], first: str | None = None) -> pd.DataFrame:
    """Make the leaderboard: best first, models without a score last.

    Parameters
    ----------
    rows
        One for each model.
    first
        The model that predicts. It stands above the others, whatever its score: the best of many scores is also the
        luckiest, and would be read as the result.

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
    table = table.sort_values("score", ascending=False, kind="stable")
    return table.sort_values("model", key=lambda names: names != first, kind="stable", ignore_index=True)


def run_leaderboard(
    learn: TrainingData,
    fitted: list[CrossValidationResult],
    oof: OutOfFold,
    weights: dict[str, Sequence[Mapping[str, float]]],
    chosen_on: dict[str, float],
) -> pd.DataFrame:
    """Make the rows of all models: first the ensemble, which predicts, then the others, best first.

    Parameters
    ----------
    learn, fitted, oof
        The training data, the fitted members, and their predictions for the scored rows.
    weights
        Weights of the ensembles, by fold and member.
    chosen_on
        Scores of ensembles on the same rows that their weights were chosen on.
    """
    times = {result.member.name: (result.fit_time, result.pred_time) for result in fitted}
    chosen_on = chosen_on | {result.member.name: _validation_score(result, learn) for result in fitted}
    facts = {result.member.name: result.facts for result in fitted}
    levels = {result.member.name: 2 if result.base_models else 1 for result in fitted}
    rows = []
    for name, proba in oof.probas.items():
        members = set().union(*weights[name]) if name in weights else {name}
        used = with_base_models(members, fitted)
        # the weights of the ensembles were chosen on the predictions of all members
        fit = sum(times[member][0] for member in (times if name in weights else used))
        interval = oof.interval(proba)
        rows.append(
            LeaderboardRow(
                Score(name, learn.task.metric, interval.score, interval.low, interval.high, len(oof.rows)),
                score_val=chosen_on.get(name, float("nan")),
                fit_time=round(fit, 2),
                pred_time=round(sum(times[member][1] for member in used), 3),
                stack_level=max(levels[member] for member in members) + (name in weights),
                params=facts.get(name, {}).get("params", float("nan")),
                train_speed=round(facts.get(name, {}).get("train_speed", float("nan")), 1),
                pred_speed=round(len(oof.rows) / max(1e-9, sum(times[member][1] for member in used)), 1),
            )
        )
    return leaderboard(rows, ENSEMBLE)


def _validation_score(result: CrossValidationResult, learn: TrainingData) -> float:
    """Score a member on the validation parts of all folds, where it chose its settings; NaN if it chose nothing."""
    if result.validation is None:
        return float("nan")
    rows = pd.Index(learn.clip_ids).get_indexer(pd.Index(result.validation.clip_id))
    task = learn.task
    return float(
        metric(task.metric)(learn.examples.targets[rows], result.validation.proba, multilabel=task.multilabel)
    )
