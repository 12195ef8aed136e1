"""What it is worth to keep, or to leave out, the level that clips were recorded at."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from aurist.crossval import FoldsFitted, TrainingData
from aurist.features.level import COLUMNS
from aurist.files import atomic_path
from aurist.models.forest import forest_proba
from aurist.predictions import Predictions, from_frame
from aurist.run import HELD_OUT, Run, RunData

KEPT, LEFT_OUT = "level kept", "level left out"
_FILE = "level_variant.parquet"


def with_other_level(run: Run, data: RunData, learn: TrainingData, forest: FoldsFitted) -> FoldsFitted:
    """The forest with one more way to answer: fitted on the same folds with the level if it has none, else without.

    Nothing is done where the features are not those of recordings.
    """
    if data.level is None:
        return forest
    kept = set(COLUMNS) <= set(data.features.columns)
    name, path = (LEFT_OUT if kept else KEPT), run.folder / _FILE
    if path.exists():
        other = from_frame(pd.read_parquet(path), learn.task.classes)[0]
    else:
        other = _other(data, learn, name, kept=kept)
        with atomic_path(path) as part:
            other.to_frame().to_parquet(part)
    return replace(forest, variants={**forest.variants, name: other})


def _other(data: RunData, learn: TrainingData, name: str, *, kept: bool) -> Predictions:
    features = learn.examples.features
    if kept:
        features = features.drop(columns=list(COLUMNS))
    elif data.level is not None:
        rows = np.flatnonzero(data.folds != HELD_OUT)
        features = pd.concat([features, data.level.iloc[rows].reset_index(drop=True)], axis=1)
    examples = replace(learn.examples, inputs=replace(learn.examples.inputs, features=features))
    proba = np.zeros(learn.examples.targets.shape)
    for split in learn.splits:
        rows = np.sort(np.concatenate([split.train, split.inner]))
        inputs = examples.inputs.take(split.scored)
        proba[split.scored] = forest_proba(learn.task, examples.take(rows), inputs)
    scored = np.flatnonzero(learn.folds >= 0)
    return Predictions(name, learn.clip_ids[scored], proba[scored], learn.task.classes, learn.folds[scored])
