"""Predict with a run that is loaded once and used many times."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np

from aurist.arrays import Proba
from aurist.clips import Clips
from aurist.ensemble.duplicates import Duplicates
from aurist.features.matrix import row_keys
from aurist.inference.clip_predictions import ClipPredictions
from aurist.inference.features import pipeline_of
from aurist.inference.fold_models import FoldModels
from aurist.inference.thresholds import never_named, thresholds_of
from aurist.loops import job_of_clips
from aurist.models.base import Inputs
from aurist.plan import ENSEMBLE
from aurist.run import ModelFiles
from aurist.stored import stored


class Predictor:
    """Features, models and corrections of one row of a leaderboard: from clips to predictions.

    Parameters
    ----------
    files
        Of a finished run, or of a model folder.
    model
        A row of its leaderboard; None: the ensemble.
    precision
        The share of predicted labels that should be right, for clips with several labels; None: the thresholds of
        the best F1.
    jobs
        Cores of the models; 0: as many as the run was fitted with.

    Raises
    ------
    ConfigError
        If the run has no such model, or no such precision.
    RunError
        If the run is not finished, or files of it are damaged.
    """

    def __init__(
        self, files: ModelFiles, model: str | None = None, precision: float | None = None, *, jobs: int = 0
    ) -> None:
        self.files, self.name, self.precision = files, model or ENSEMBLE, precision
        spec = files.spec
        self.spec = replace(spec, task=replace(spec.task, jobs=jobs)) if jobs else spec
        self.ensemble = files.ensemble
        self.ensemble.check_row(self.name)
        self.pipeline = pipeline_of(files, self.name)
        self.thresholds = thresholds_of(files, model, precision)

    @cached_property
    def models(self) -> FoldModels:
        """The fold models, read at their first use."""
        return FoldModels(self.files, self.spec.task, self.name)

    @cached_property
    def duplicates(self) -> Duplicates:
        """The rows of the training data, to recognise rows that come again."""
        return self.files.duplicates()

    def predict(self, clips: Clips, *, jobs: int = 0, cache_dir: Path | None = None) -> ClipPredictions:
        """Predict clips; a clip that cannot be used gets NaN and its reason.

        Raises
        ------
        DataError
            If the clips are of another kind than the run's, or feature columns are missing or are not numbers.
        """
        classes = self.spec.task.classes
        with self._loops(len(clips)):
            features = self.pipeline.transform(clips, jobs=jobs or self.spec.task.jobs, cache_dir=cache_dir)
        notes = (*never_named(classes, self.thresholds, self.precision), *features.notes)
        proba = np.full((len(clips), len(classes)), np.nan)
        seen = np.zeros(len(clips), dtype=bool)
        keys = row_keys(features.inputs.features)
        seen[features.rows] = self.duplicates.contains(keys)
        if len(features.rows):
            with stored(self.files.models, self.files.remedy):
                blended = self.models.proba(features.inputs)
            proba[features.rows] = self.ensemble.correct(self.name, blended, self.duplicates, keys)
        multilabel = self.spec.task.multilabel
        return ClipPredictions(
            clips, classes, multilabel, proba, seen, features.failures, notes, self.thresholds
        )

    def _loops(self, n_clips: int) -> AbstractContextManager[None]:
        """Allow features of few clips to be computed without a compiler, if no row is recognised by their last bits."""
        return nullcontext() if len(self.duplicates.keys) else job_of_clips(n_clips)

    def proba(self, inputs: Inputs) -> Proba:
        """Predict prepared inputs, (n, n_classes); seen rows are answered from their twins."""
        keys = row_keys(inputs.features)
        return self.ensemble.correct(self.name, self.models.proba(inputs), self.duplicates, keys)

    def proba_and_when(self, inputs: Inputs, n_parts: int) -> tuple[Proba, Proba | None]:
        """Predict windows; none of them is taken for a seen row: see `FoldModels.proba_and_when`."""
        blended, when = self.models.proba_and_when(inputs, n_parts)
        return self.ensemble.correct(self.name, blended), when
