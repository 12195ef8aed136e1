"""What a run was fitted on, and which part of it is learnt from."""

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

#: The fold of clips of the part "test": kept out of everything until the very end.
HELD_OUT = -2


@dataclass(frozen=True)
class RunData:
    """What a run was fitted on, as it stands in its folder.

    Parameters
    ----------
    spec
        The task, and the features.
    clips
        The clips that were not left out, without their features.
    features
        (n_clips, n_features), prepared by the schema.
    folds, groups
        (n_clips,): the scored fold (-1 never scored, -2 held out) and the group of each clip.
    test_keys
        (n_test,): row keys of the test table that the fit was told of, or None.
    notes
        What was guessed, left out or decided, for people to read.
    cache_dir
        Where decoded sound is kept; None: the default place.
    level
        (n_clips,): at which clips were recorded, in dB (`aurist.features.level`), whether models see it or not; None
        where the features are not those of recordings.
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
        """What is learnt."""
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
        """What models may look at."""
        return Inputs(self.features, self.clips if self.clips.has_audio else None, self.cache_dir)

    def take(self, rows: npt.NDArray[np.intp]) -> RunData:
        """The data of these clips alone."""
        return replace(
            self,
            clips=self.clips.take(rows),
            features=self.features.iloc[rows].reset_index(drop=True),
            folds=self.folds[rows],
            groups=self.groups[rows],
            level=None if self.level is None else self.level[rows],
        )


def training_data(data: RunData) -> TrainingData:
    """The rows to learn from: all but those held out."""
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
    """The clips of the part "test" alone, or None where there are none."""
    rows = np.flatnonzero(data.folds == HELD_OUT)
    return data.take(rows) if len(rows) else None
