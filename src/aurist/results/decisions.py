"""Choose the thresholds of every row of the leaderboard, and score the decisions that follow from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from aurist.crossval import TrainingData
from aurist.ensemble.thresholds import Thresholds, f1_thresholds, nested_decisions
from aurist.files import write_json
from aurist.inference.thresholds import FILE
from aurist.plan import ENSEMBLE
from aurist.results.bootstrap import bootstrap
from aurist.results.out_of_fold import OutOfFold
from aurist.run import RunFolder

#: Metrics of decisions that are shown beside the run's own.
METRICS = ("f1_macro", "f1_micro")
_DIGITS = 6


def write_thresholds(run: RunFolder, learn: TrainingData, scored: OutOfFold) -> None:
    """Choose the thresholds of every row of the leaderboard for the best F1, on what it said out of fold."""
    weight = learn.examples.weight[scored.rows]
    chosen = {name: f1_thresholds(proba, scored.truth, weight) for name, proba in scored.probas.items()}
    write_json(
        run.folder / FILE,
        {name: _by_class(learn.task.classes, found) for name, found in chosen.items()},
    )


def _by_class(classes: Sequence[str], thresholds: Thresholds) -> dict[str, float]:
    return {name: round(float(t), _DIGITS) for name, t in zip(classes, thresholds, strict=True)}


def decision_scores(
    learn: TrainingData, scored: OutOfFold, part: npt.NDArray[np.int64]
) -> dict[str, dict[str, dict[str, float]]]:
    """What the ensemble scores by `METRICS`: from one half on, and by thresholds chosen on the other parts."""
    proba, weight = scored.probas[ENSEMBLE], learn.examples.weight[scored.rows]
    named = {"at_0.5": proba, "thresholds": nested_decisions(proba, scored.truth, part, row_weight=weight)}

    def score(metric: str, said: npt.NDArray[np.float64]) -> dict[str, Any]:
        return asdict(
            bootstrap(
                scored.truth,
                said,
                scored.groups,
                metric,
                seed=learn.task.seed,
                multilabel=True,
                weight=weight,
            )
        )

    return {metric: {way: score(metric, said) for way, said in named.items()} for metric in METRICS}
