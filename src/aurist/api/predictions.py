"""Predict with a fitted run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from aurist.api.inputs import Inputs, clips_of
from aurist.api.messages import errors_in_python, warn
from aurist.api.reading import read_options
from aurist.api.results import RunResults
from aurist.errors import about
from aurist.openset import DEFAULT_SHARE, UNKNOWN_LABEL

if TYPE_CHECKING:
    from aurist.clips.read import ReadOptions
    from aurist.inference.clip_predictions import ClipPredictions
    from aurist.inference.predictor import Predictor


class RunPredictions(RunResults):
    """A fitted run that predicts clips.

    Parameters
    ----------
    folder
        The run folder, or an exported model folder.
    """

    def __init__(self, folder: str | Path) -> None:
        super().__init__(folder)
        self._predictors: dict[str | None, Predictor] = {}

    def predict(
        self,
        data: Inputs,
        *,
        sample_rate: int | None = None,
        model: str | None = None,
        precision: float | None = None,
        unknown: float | None = None,
        path: str | None = None,
        start: str | None = None,
        end: str | None = None,
        id: str | None = None,
        audio_root: str | Path | None = None,
        jobs: int = 0,
        cache_dir: str | Path | None = None,
    ) -> pd.Series[Any]:
        """Predict the label of each clip.

        Parameters
        ----------
        data
            The path of a folder, of a recording or of a table, several recordings, a DataFrame, clips, or samples:
            (n_samples,), (n_clips, n_samples) or a list of (n_samples,), float in [-1, 1] or whole numbers.
        sample_rate
            Of samples, in Hz.
        model
            A row of the leaderboard; None: the ensemble.
        precision
            The share of predicted labels that shall be right, such as 0.9, for clips with several labels.
        unknown
            Label clips "unknown" that are unlike all that was learnt: the share of clips like the training clips that
            may be called unknown, such as 0.05. None: never. See `likeness`.
        path, start, end, id, audio_root
            Columns of a table, and the folder of its paths, as in `aurist.fit`.
        jobs
            Cores to use; 0: as many as the run was fitted with.
        cache_dir
            As in `aurist.fit`.

        Returns
        -------
        pandas.Series
            The label of each clip, or a tuple of labels where there may be several; by the index of a DataFrame, by
            path or id. None for a clip that cannot be read, which is logged as a warning.

        Raises
        ------
        DataError, ConfigError
            If the data is of another kind than the run's, columns are missing, or there is no such model.

        Examples
        --------
        >>> import aurist, numpy as np
        >>> run = aurist.load("run")
        >>> run.predict(["new/a.wav"]).tolist()
        ['drone']
        >>> run.predict(np.sin(np.arange(8000) * 1.9), sample_rate=8000).tolist()
        ['whistle']
        """
        options = read_options(path=path, start=start, end=end, id=id, audio_root=audio_root)
        applied, index = self._apply(data, sample_rate, options, model, precision, unknown, jobs, cache_dir)
        labels: list[Any] = list(applied.labels())
        if applied.multilabel:
            names = np.asarray(applied.classes, dtype=object)
            labels = [tuple(names[row]) for row in applied.named()]
            for row in np.flatnonzero(applied.is_unknown()).tolist():
                labels[row] = (UNKNOWN_LABEL,)
        for row in applied.failures:
            labels[row] = None
        return pd.Series(labels, index=index, name="label", dtype=object)

    def predict_proba(
        self,
        data: Inputs,
        *,
        sample_rate: int | None = None,
        model: str | None = None,
        path: str | None = None,
        start: str | None = None,
        end: str | None = None,
        id: str | None = None,
        audio_root: str | Path | None = None,
        jobs: int = 0,
        cache_dir: str | Path | None = None,
    ) -> pd.DataFrame:
        """Predict the probability of each class; the parameters are those of `predict`.

        Returns
        -------
        pandas.DataFrame
            (n_clips, n_classes); NaN for a clip that cannot be read, which is logged as a warning.

        Examples
        --------
        >>> import aurist
        >>> aurist.load("run").predict_proba("new").round(1).columns.tolist()
        ['drone', 'whistle']
        """
        options = read_options(path=path, start=start, end=end, id=id, audio_root=audio_root)
        applied, index = self._apply(data, sample_rate, options, model, None, None, jobs, cache_dir)
        return pd.DataFrame(applied.proba, index=index, columns=list(applied.classes))

    def likeness(
        self,
        data: Inputs,
        *,
        sample_rate: int | None = None,
        path: str | None = None,
        start: str | None = None,
        end: str | None = None,
        id: str | None = None,
        audio_root: str | Path | None = None,
        jobs: int = 0,
        cache_dir: str | Path | None = None,
    ) -> pd.Series[float]:
        """Measure how like the training clips each clip is; the parameters are those of `predict`.

        Returns
        -------
        pandas.Series
            The share of training clips, out of fold, that are at least as unlike the others: 0.01 means one of a
            hundred. NaN for a clip that cannot be read.

        Raises
        ------
        ConfigError
            If the run cannot tell, as it was made by an older version.

        Examples
        --------
        >>> import aurist
        >>> bool((aurist.load("run").likeness("new") > 0.05).all())
        True
        """
        options = read_options(path=path, start=start, end=end, id=id, audio_root=audio_root)
        share = DEFAULT_SHARE  # an error tells why if this run has no measure
        applied, index = self._apply(data, sample_rate, options, None, None, share, jobs, cache_dir)
        return pd.Series(applied.likeness, index=index, name="likeness", dtype=float)

    def _apply(
        self,
        data: Inputs,
        sample_rate: int | None,
        options: ReadOptions,
        model: str | None,
        precision: float | None,
        unknown: float | None,
        jobs: int,
        cache_dir: str | Path | None,
    ) -> tuple[ClipPredictions, pd.Index[Any]]:
        from aurist.inference.inputs import read_inputs

        folder = None if cache_dir is None else Path(cache_dir)
        with errors_in_python():
            predictor = self._predictor(model)
            predictor.check(precision, unknown)
            with clips_of(
                data, sample_rate, lambda source: read_inputs(source, options, predictor.spec)
            ) as inputs:
                clips, index = inputs
                applied = predictor.predict(
                    clips, precision=precision, unknown=unknown, jobs=jobs, cache_dir=folder
                )
        for note in applied.notes:
            warn(note)
        for row, message in applied.failures.items():
            name = str(index[row]) if applied.clips.has_audio else applied.clips.display_name(row)
            warn(f"not predicted: {about(name, message)}")
        return applied, index

    def _predictor(self, model: str | None) -> Predictor:
        """Load the models of a row once; later calls find them in memory."""
        from aurist.inference.predictor import Predictor

        if model not in self._predictors:
            self._predictors[model] = Predictor(self._model_files, model)
        return self._predictors[model]
