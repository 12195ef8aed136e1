"""Choose the thresholds of every row of the leaderboard, and score the decisions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from aurist.ensemble.thresholds import Thresholds, default_decisions, default_thresholds
from aurist.plan import ENSEMBLE
from aurist.results.out_of_fold import OutOfFold
from aurist.run.scores_file import Decisions

#: Metrics of decisions, shown in addition to the run's own metric.
METRICS = ("f1_macro", "f1_micro")
_DIGITS = 6


def choose_thresholds(oof: OutOfFold, part: npt.NDArray[np.int64]) -> dict[str, dict[str, float]]:
    """Choose the thresholds of every row of the leaderboard on its out-of-fold predictions."""
    chosen = {
        name: default_thresholds(proba, oof.truth, oof.groups, part, oof.weight)
        for name, proba in oof.probas.items()
    }
    return {name: _by_class(oof.task.classes, thresholds) for name, thresholds in chosen.items()}


def _by_class(classes: Sequence[str], thresholds: Thresholds) -> dict[str, float]:
    return {name: round(float(t), _DIGITS) for name, t in zip(classes, thresholds, strict=True)}


def decision_scores(oof: OutOfFold, part: npt.NDArray[np.int64]) -> dict[str, Decisions]:
    """Score the ensemble's decisions by `METRICS`: at 0.5, and at thresholds chosen on the other parts."""
    proba = oof.probas[ENSEMBLE]
    nested = default_decisions(proba, oof.truth, oof.groups, part, oof.weight)
    return {
        metric: Decisions(oof.interval(proba, metric), oof.interval(nested, metric)) for metric in METRICS
    }
