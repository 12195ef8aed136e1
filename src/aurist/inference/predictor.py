"""Predict with a run that is loaded once and used many times."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aurist.arrays import Proba
from aurist.clips import Clips
from aurist.ensemble.duplicates import Duplicates
from aurist.errors import ConfigError
from aurist.features.matrix import row_keys
from aurist.inference.clip_predictions import ClipPredictions
from aurist.inference.features import RawFeatures, pipeline_of
from aurist.inference.fold_models import FoldModels
from aurist.inference.thresholds import never_named, thresholds_of
from aurist.loops import job_of_clips
from aurist.models.base import Inputs
from aurist.models.network_member import ENGINE as NETWORK
from aurist.models.views import embedded_by
from aurist.openset import OpenSet, check_share, unlike_note
from aurist.plan import ENSEMBLE
from aurist.progress import Advance
from aurist.run import ModelFiles
from aurist.stored import stored

#: Recordings predicted at once, to limit memory: whole blocks of rows of all models, so that results do not change.
PART = 4096


class Predictor:
    """Features, models and corrections of one row of a leaderboard: from clips to predictions.

    Parameters
    ----------
    files
        Of a finished run, or of a model folder.
    model
        A row of its leaderboard; None: the ensemble.
    jobs
        Cores of the models; 0: as many as the run was fitted with.

    Raises
    ------
    ConfigError
        If the run has no such model.
    RunError
        If the run is not finished, or files of it are damaged.
    """

    def __init__(
        self,
        files: ModelFiles,
        model: str | None = None,
        *,
        jobs: int = 0,
    ) -> None:
        self.files, self.name = files, model or ENSEMBLE
        spec = files.spec
        self.spec = replace(spec, task=replace(spec.task, jobs=jobs)) if jobs else spec
        self.ensemble = files.ensemble
        self.ensemble.check_row(self.name)
        self.pipeline = pipeline_of(files, self.name)

    def check(self, precision: float | None = None, unknown: float | None = None) -> None:
        """Check that this row can reach a precision, and can tell what is unknown, before any sound is read.

        Raises
        ------
        ConfigError
            If it cannot; see `predict`.
        """
        thresholds_of(self.files, self.name, precision)
        self._check_unknown(unknown)

    def _check_unknown(self, unknown: float | None) -> None:
        check_share(unknown)
        if unknown is None or self.open_set is not None:
            return
        if self.files.open_set() is None:
            raise ConfigError(
                f"{self.files.folder} cannot tell what is unknown: it was made by an older version of aurist, from too "
                "few clips, or from categories alone. Leave unknown= out, or fit again."
            )
        raise ConfigError(
            f"{self.name} cannot tell what is unknown: it does not see all embeddings that {ENSEMBLE} sees. Leave "
            "unknown= or model= out."
        )

    @cached_property
    def models(self) -> FoldModels:
        """The fold models, read at their first use."""
        return FoldModels(self.files, self.spec.task, self.name)

    @cached_property
    def needs_sound(self) -> bool:
        """True if models or embedders listen to the recordings themselves, beyond the summary features."""
        members = (self.ensemble.members[name] for name in self.ensemble.members_of(self.name))
        return bool(self.pipeline.embedders) or any(spec.engine == NETWORK for spec in members)

    @cached_property
    def duplicates(self) -> Duplicates:
        """The rows of the training data, to recognise rows that come again."""
        return self.files.duplicates()

    @cached_property
    def open_set(self) -> OpenSet | None:
        """The measure of how unlike the training clips a clip is.

        None in folders of older versions, and for a row without some of the embeddings that the measure needs.
        """
        open_set = self.files.open_set()
        if open_set is None:
            return None
        names = self.spec.schema.names
        makers = embedded_by(names[column] for column in open_set.columns.tolist())
        return open_set if all(self.ensemble.sees(self.name, maker) for maker in makers) else None

    def likeness(self, inputs: Inputs) -> npt.NDArray[np.float64] | None:
        """Measure how like the training clips prepared inputs are, (n,); see `OpenSet.likeness`."""
        if self.open_set is None:
            return None
        return self.open_set.likeness(inputs.matrix(self.open_set.n_features))

    def predict(
        self,
        clips: Clips,
        *,
        precision: float | None = None,
        unknown: float | None = None,
        jobs: int = 0,
        cache_dir: Path | None = None,
        raw: RawFeatures | None = None,
    ) -> ClipPredictions:
        """Predict clips; a clip that cannot be used gets NaN and its reason.

        Parameters
        ----------
        clips
            The clips.
        precision
            The share of predicted labels that should be right, for clips with several labels; None: the thresholds of
            the best F1.
        unknown
            The likeness up to which a clip is labelled unknown: about this share of clips like the training clips is,
            too. None: never.
        jobs
            Cores; 0: as many as the run was fitted with.
        cache_dir
            Folder of stored features; None: the usual one.
        raw
            The features of the clips before the schema prepares them, if they are computed already.

        Raises
        ------
        ConfigError
            If the run has no such precision, or cannot tell what is unknown.
        DataError
            If the clips are of another kind than the run's, or feature columns are missing or are not numbers.
        """
        self._check_unknown(unknown)
        thresholds = thresholds_of(self.files, self.name, precision)
        classes, n = self.spec.task.classes, len(clips)
        proba, seen = np.full((n, len(classes)), np.nan), np.zeros(n, dtype=bool)
        likeness = None if self.open_set is None else np.full(n, np.nan)
        failures: dict[int, str] = {}
        notes = never_named(classes, thresholds, precision)
        parts = self._parts(clips) if raw is None else [np.arange(n)]
        with Advance(n, len(parts) > 1, "features") as advance:
            for part in parts:
                with self._loops(n):
                    features = self.pipeline.transform(
                        clips if len(parts) == 1 else clips.take(part),
                        jobs=jobs or self.spec.task.jobs,
                        cache_dir=cache_dir,
                        raw=raw,
                        progress=advance if len(parts) > 1 else True,
                    )
                rows = part[features.rows]
                proba[rows], seen[rows] = self._answer(features.inputs)
                if likeness is not None:
                    likeness[rows] = self.likeness(features.inputs)
                failures |= {int(part[row]): reason for row, reason in features.failures.items()}
                notes += features.notes
        if likeness is not None:
            note = unlike_note(likeness, "recording" if clips.has_audio else "row", unknown)
            notes += [note] if note else []
        return ClipPredictions(
            clips,
            classes,
            self.spec.task.multilabel,
            proba,
            seen,
            failures,
            tuple(notes),
            thresholds,
            likeness,
            unknown,
        )

    def _parts(self, clips: Clips) -> list[npt.NDArray[np.intp]]:
        """Divide recordings, to have the features of only some in memory. Tables stay whole, as their messages do."""
        rows = np.arange(len(clips))
        if self.spec.summary is None or len(clips) <= PART:
            return [rows]
        self.models.expect(len(clips))
        return np.split(rows, range(PART, len(clips), PART))

    def _answer(self, inputs: Inputs) -> tuple[Proba, npt.NDArray[np.bool_]]:
        """Predict prepared inputs, (n, n_classes), and tell which of them stand in the training data, (n,)."""
        keys = row_keys(inputs.features)
        seen = self.duplicates.contains(keys)
        if not len(inputs):
            return np.zeros((0, len(self.spec.task.classes))), seen
        with stored(self.files.models, self.files.remedy):
            blended = self.models.proba(inputs)
        return self.ensemble.correct(self.name, blended, self.duplicates, keys), seen

    def _loops(self, n_clips: int) -> AbstractContextManager[None]:
        """Allow features of few clips to be computed without a compiler, if no row is recognised by their last bits."""
        return nullcontext() if len(self.duplicates.keys) else job_of_clips(n_clips)

    def proba(self, inputs: Inputs) -> Proba:
        """Predict prepared inputs, (n, n_classes); seen rows are answered from their twins."""
        keys = row_keys(inputs.features)
        return self.ensemble.correct(self.name, self.models.proba(inputs), self.duplicates, keys)

    def proba_windows(self, inputs: Inputs) -> Proba:
        """Predict windows, (n, n_classes); none of them is taken for a seen row."""
        return self.ensemble.correct(self.name, self.models.proba(inputs))

    def proba_and_when(self, inputs: Inputs, n_parts: int) -> tuple[Proba, Proba | None]:
        """Predict windows; none of them is taken for a seen row: see `FoldModels.proba_and_when`."""
        blended, when = self.models.proba_and_when(inputs, n_parts)
        return self.ensemble.correct(self.name, blended), when
