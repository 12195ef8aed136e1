"""The data of a run, and its training part."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.clips import Clips
from aurist.crossval import TrainingData
from aurist.features.schema import Schema
from aurist.features.summary_config import SummaryConfig
from aurist.models.base import Examples, Inputs, Task
from aurist.run.spec import RunSpec
from aurist.splits import cross_splits

#: The fold of clips of the part "test". They are used only at the very end.
HELD_OUT = -2


@dataclass(frozen=True)
class RunData:
    """The data of a run, as stored in its folder.

    Parameters
    ----------
    spec
        The task and the features.
    clips
        The clips in use, without their features.
    features
        (n_clips, n_features), prepared by the schema.
    folds, groups
        (n_clips,): the scored fold (-1 never scored, -2 held out) and the group of each clip.
    test_keys
        (n_test,): row keys of the test table that the fit was given, or None.
    notes
        Notes for people: guesses, omissions, decisions.
    cache_dir
        Folder of decoded sound; None: the default folder.
    level
        (n_clips,): level of the recordings in dB (`aurist.features.level`), even if models do not see it. None for a
        table of features.
    """

    spec: RunSpec
    clips: Clips
    features: pd.DataFrame
    folds: npt.NDArray[np.int64]
    groups: npt.NDArray[np.int64]
    test_keys: npt.NDArray[np.uint64] | None
    notes: tuple[str, ...]
    cache_dir: Path | None = None
    level: npt.NDArray[np.float32] | None = None

    @property
    def task(self) -> Task:
        """The task: classes, metric, seed, cores."""
        return self.spec.task

    @property
    def schema(self) -> Schema:
        """The feature columns."""
        return self.spec.schema

    @property
    def summary(self) -> SummaryConfig | None:
        """Settings of the summary features; None for a table of features."""
        return self.spec.summary

    def inputs(self) -> Inputs:
        """Give the inputs of models."""
        return Inputs(self.features, self.clips if self.clips.has_audio else None, self.cache_dir)

    def take(self, rows: npt.NDArray[np.intp]) -> RunData:
        """Select the data of some clips."""
        return replace(
            self,
            clips=self.clips.take(rows),
            features=self.features.iloc[rows].reset_index(drop=True),
            folds=self.folds[rows],
            groups=self.groups[rows],
            level=None if self.level is None else self.level[rows],
        )


def training_data(data: RunData) -> TrainingData:
    """Select the rows to learn from: all but the rows held out."""
    rows = np.flatnonzero(data.folds != HELD_OUT)
    clips = data.clips.take(rows)
    targets = clips.targets(data.task.classes)
    weight = clips.table["weight"].to_numpy(dtype=float)
    folds, groups = data.folds[rows], data.groups[rows]
    return TrainingData(
        task=data.task,
        examples=Examples(data.inputs().take(rows), targets, weight),
        clip_ids=clips.table["clip_id"].to_numpy(dtype=object),
        groups=groups,
        folds=folds,
        splits=cross_splits(folds, targets, groups, data.task.seed),
        prescribed=bool(clips.table["fold"].notna().any()),
    )


def held_out(data: RunData) -> RunData | None:
    """Select the clips of the part "test"; None if there are none."""
    rows = np.flatnonzero(data.folds == HELD_OUT)
    return data.take(rows) if len(rows) else None
