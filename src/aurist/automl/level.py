"""Measure the effect of the recording level: fit with the level kept and with it left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.crossval import CrossValidationResult, TrainingData
from aurist.features.level import LEVEL, restore_level
from aurist.features.summary import summary_columns
from aurist.features.summary_config import SummaryConfig
from aurist.models.forest import forest_proba
from aurist.predictions import Predictions, from_frame
from aurist.run import HELD_OUT, RunData, RunFolder
from aurist.tables import read_table, table_path, write_table

KEPT, LEFT_OUT = "level kept", "level left out"
_FILE = "level_variant.parquet"


def with_other_level(
    run: RunFolder, data: RunData, learn: TrainingData, forest: CrossValidationResult
) -> CrossValidationResult:
    """Add a variant to the forest, fitted on the same folds: with the level if the forest has none, else without.

    Nothing is done if the features were not computed from recordings.
    """
    if data.level is None or data.summary is None:
        return forest
    config, path = data.summary, run.folder / _FILE
    name = LEFT_OUT if config.level == "keep" else KEPT
    if table_path(path).exists():
        other = from_frame(read_table(path), learn.task.classes)[0]
    else:
        rows = np.flatnonzero(data.folds != HELD_OUT)
        features = _other_features(learn.examples.features, data.level[rows], config)
        other = answers_of_forest(name, learn, features)
        write_table(other.to_frame(), path)
    return replace(forest, variants={**forest.variants, name: other})


def _other_features(
    features: pd.DataFrame, level: npt.NDArray[np.float32], config: SummaryConfig
) -> pd.DataFrame:
    """Add the level to the features if they have none, else remove it."""
    has_level = config.level == "keep"
    columns = list(summary_columns(replace(config, level="relative")))
    values = features[columns].to_numpy(dtype=np.float32)
    changed = restore_level(values, columns, config.n_mels, -level if has_level else level)
    others = features.drop(columns=[*columns, LEVEL] if has_level else columns)
    table = pd.concat([pd.DataFrame(changed, columns=columns), others], axis=1)
    return table if has_level else table.assign(**{LEVEL: level})


def answers_of_forest(name: str, learn: TrainingData, features: pd.DataFrame) -> Predictions:
    """Predict with a forest that learns from other features of the training data, out of fold."""
    examples = replace(learn.examples, inputs=replace(learn.examples.inputs, features=features))
    proba = np.zeros(learn.examples.targets.shape)
    for split in learn.splits:
        rows = np.sort(np.concatenate([split.train, split.validation]))
        inputs = examples.inputs.take(split.scored)
        proba[split.scored] = forest_proba(learn.task, examples.take(rows), inputs)
    scored = np.flatnonzero(learn.folds >= 0)
    return Predictions(name, learn.clip_ids[scored], proba[scored], learn.task.classes, learn.folds[scored])
