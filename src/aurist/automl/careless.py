"""What a careless random split would have claimed, beside the honest score of the same model."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from aurist.crossval import FoldsFitted, TrainingData
from aurist.evaluate import Interval, bootstrap
from aurist.files import write_json
from aurist.models.base import Proba, Task
from aurist.models.forest import forest_proba
from aurist.run import Run
from aurist.run.shapes import CARELESS
from aurist.splits import Groups, assign_folds, cross_splits

CARELESS_FILE = "careless.json"


def compare_with_careless(run: Run, learn: TrainingData, forest: FoldsFitted) -> None:
    """Score the forest by as many random folds, and write both scores, unless that was done before.

    Nothing is done where a random split is honest: where no group has two rows and no folds are prescribed.
    """
    task, targets, weight = learn.task, learn.examples.targets, learn.examples.weight
    scored = np.flatnonzero(learn.folds >= 0)
    alone = np.arange(len(targets))
    prescribed = learn.prescribed and len(learn.splits) > 1
    nothing_shared = len(np.unique(learn.groups)) == len(targets)
    if (nothing_shared and not prescribed) or len(learn.splits) < 2 or (run.folder / CARELESS_FILE).exists():
        return
    folds = assign_folds(targets, alone, len(learn.splits), task.seed)
    random = np.zeros(targets.shape)
    for split in cross_splits(folds, targets, alone, task.seed):
        rows = np.sort(np.concatenate([split.train, split.inner]))
        inputs = learn.examples.inputs.take(split.scored)
        random[split.scored] = forest_proba(task, learn.examples.take(rows), inputs)
    honest = forest.oof.aligned(learn.clip_ids[scored].tolist())

    write_json(
        run.folder / CARELESS_FILE,
        {
            "model": forest.member.name,
            "honest": asdict(interval(task, targets[scored], honest, learn.groups[scored], weight[scored])),
            "random": asdict(interval(task, targets, random, alone, weight)),
        },
    )


def interval(
    task: Task,
    truth: npt.NDArray[np.int8],
    proba: Proba,
    groups: Groups,
    weight: npt.NDArray[np.float64] | None = None,
) -> Interval:
    """The task's score of some rows, with its interval over groups."""
    return bootstrap(
        truth, proba, groups, task.metric, weight=weight, seed=task.seed, multilabel=task.multilabel
    )


def read_careless(run: Run) -> dict[str, Any] | None:
    """Both scores with their intervals, or None where they were not compared."""
    path = run.folder / CARELESS_FILE
    return dict(run.read_json(CARELESS_FILE, CARELESS)) if path.exists() else None
