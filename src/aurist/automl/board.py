"""The rows of a run's leaderboard."""

from __future__ import annotations

import pandas as pd

from aurist.automl.scored import Scored, asked_for, scored_interval
from aurist.crossval import FoldsFitted, TrainingData
from aurist.evaluate import LeaderboardRow, Score, leaderboard
from aurist.metrics import metric
from aurist.plan import ENSEMBLE


def run_leaderboard(
    learn: TrainingData,
    fitted: list[FoldsFitted],
    scored: Scored,
    weights: dict[str, list[dict[str, float]]],
    chosen_on: dict[str, float],
) -> pd.DataFrame:
    """Every model's row: the ensemble, which predicts, and then the others, best first.

    Parameters
    ----------
    learn, fitted, scored
        What was learnt from, by which members, and what they say of the rows that are scored.
    weights
        Of the ensembles, by fold and member.
    chosen_on
        The scores of ensembles on the very rows that their weights were chosen on.
    """
    times = {found.member.name: (found.fit_time, found.pred_time) for found in fitted}
    chosen_on = chosen_on | {found.member.name: _inner_score(found, learn) for found in fitted}
    facts = {found.member.name: found.facts for found in fitted}
    levels = {found.member.name: 2 if found.asks else 1 for found in fitted}
    rows = []
    for name, proba in scored.probas.items():
        voices = set().union(*weights[name]) if name in weights else {name}
        used = asked_for(voices, fitted)
        # the weights of the ensembles were chosen on what all members said
        fit = sum(times[member][0] for member in (times if name in weights else used))
        found = scored_interval(learn, scored, proba)
        rows.append(
            LeaderboardRow(
                Score(name, learn.task.metric, found.score, found.low, found.high, len(scored.rows)),
                score_val=chosen_on.get(name, float("nan")),
                fit_time=round(fit, 2),
                pred_time=round(sum(times[member][1] for member in used), 3),
                stack_level=max(levels[voice] for voice in voices) + (name in weights),
                params=facts.get(name, {}).get("params", float("nan")),
                train_speed=round(facts.get(name, {}).get("train_speed", float("nan")), 1),
                pred_speed=round(len(scored.rows) / max(1e-9, sum(times[member][1] for member in used)), 1),
            )
        )
    return leaderboard(rows, ENSEMBLE)


def _inner_score(found: FoldsFitted, learn: TrainingData) -> float:
    """On the inner parts of all folds, on which the member chose its settings; NaN where it chose nothing."""
    if found.inner is None:
        return float("nan")
    rows = pd.Index(learn.clip_ids).get_indexer(pd.Index(found.inner.clip_id))
    task = learn.task
    return float(
        metric(task.metric)(learn.examples.targets[rows], found.inner.proba, multilabel=task.multilabel)
    )
