"""A fitted run, to predict and to look at."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from aurist.api.inputs import Data, Inputs, clips_of, labelled
from aurist.api.messages import errors_in_python, warn
from aurist.api.reading import read_options
from aurist.api.results import RunResults
from aurist.errors import about
from aurist.openset import DEFAULT_SHARE, UNKNOWN_LABEL
from aurist.run.remote import local_folder

if TYPE_CHECKING:
    from aurist.clips.read import ReadOptions
    from aurist.inference.clip_predictions import ClipPredictions
    from aurist.inference.predictor import Predictor
    from aurist.results.evaluation import Evaluation


def load(folder: str | Path, *, trust: bool = False) -> Run:
    """Open a run that `aurist.fit` or the command line made, or a model folder that was exported from it.

    Parameters
    ----------
    folder
        The folder; or the URL of a model folder: ``hf://owner/name``, or one that fsspec opens.
    trust
        True: load pickles that were fitted elsewhere, from now on. They may run any command on this machine. Model
        folders, and most models of runs, hold none.

    Raises
    ------
    RunError
        If there is none, or one that this version cannot read.

    Examples
    --------
    >>> import aurist
    >>> aurist.load("run")
    Run('run': drone, whistle)
    """
    if trust:
        os.environ["AURIST_TRUST"] = "1"
    with errors_in_python():
        return Run(local_folder(str(folder)))


class Run(RunResults):
    """A fitted run: predicts, evaluates, and says how good it is.

    Parameters
    ----------
    folder
        The run folder, or an exported model folder: it predicts and evaluates, and has no training data to look at.

    Raises
    ------
    RunError
        If there is no run, or one that this version cannot read.

    Examples
    --------
    >>> import aurist
    >>> run = aurist.load("run")
    >>> run.predict("new").tolist()
    ['drone', 'whistle']
    """

    def __init__(self, folder: str | Path) -> None:
        super().__init__(folder)
        self._predictors: dict[tuple[str | None, float | None, float | None], Predictor] = {}

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

    def evaluate(
        self,
        data: Data,
        *,
        label: str | None = None,
        group: str | None = None,
        model: str | None = None,
        path: str | None = None,
        start: str | None = None,
        end: str | None = None,
        id: str | None = None,
        label_from: str | None = None,
        audio_root: str | Path | None = None,
        label_separator: str | None = None,
        jobs: int = 0,
        cache_dir: str | Path | None = None,
    ) -> Evaluation:
        """Score the run on labelled data that it was not fitted on; the parameters are those of `predict` and `fit`.

        Returns
        -------
        Evaluation
            ``scores`` (tables of metrics with intervals; of new rows apart where others stand in the training data),
            ``per_class``, ``confusion``.

        Raises
        ------
        DataError
            If the data has no labels, or labels that the run was not fitted on.

        Examples
        --------
        >>> import aurist
        >>> evaluation = aurist.load("run").evaluate("more")
        >>> evaluation.per_class["class"].tolist()
        ['drone', 'whistle']
        """
        from aurist.results.evaluation import evaluate_run

        with errors_in_python():
            options = read_options(
                label,
                path,
                group,
                start=start,
                end=end,
                id=id,
                label_from=label_from,
                audio_root=audio_root,
                label_separator=label_separator,
            )
            source = labelled(data, "data")
            folder = None if cache_dir is None else Path(cache_dir)
            return evaluate_run(
                self._model_files, source, options=options, model=model, jobs=jobs, cache_dir=folder
            )

    def detect(
        self,
        recordings: Data | Sequence[str | Path],
        output: str | Path | None = None,
        *,
        window: float | None = None,
        overlap: float | None = None,
        channel: int | None = None,
        min_score: float | None = None,
        precision: float | None = None,
        unknown: float | None = None,
        labels: Sequence[str] | None = None,
        formats: Sequence[str] = ("csv",),
        model: str | None = None,
        path: str | None = None,
        audio_root: str | Path | None = None,
        jobs: int = 0,
    ) -> pd.DataFrame:
        """Detect events in recordings, hours long if need be, in memory that does not grow.

        Parameters
        ----------
        recordings
            A folder, a recording, several of them, or a table that lists them.
        output
            Folder for scores and events; a call with the same folder continues where an interrupted one stopped. None:
            events are only returned.
        window, overlap
            Seconds; None: the windows that the run was fitted on, and half of that.
        channel
            Of the recordings, from 0; None: the mean of all.
        min_score
            Lowest score of an event, 0 to 1; None: the threshold of its class, else 0.5.
        precision
            As in `predict`.
        unknown
            Windows that are unlike all that was learnt count for no event: the share of windows like the training clips
            that may be left out so. None: all windows count.
        labels
            Classes to look for; None: all.
        formats
            Files to write into ``output``: "csv", "raven", "audacity", "jsonl", "windows".
        model, path, audio_root, jobs
            As in `predict`.

        Returns
        -------
        pandas.DataFrame
            The events: ``path``, ``start`` and ``end`` in seconds, ``label``, ``score``.

        Raises
        ------
        ConfigError
            If no window is known, or a setting makes no sense.
        DataError
            If none of the recordings can be read; one that cannot is logged as a warning.

        Examples
        --------
        >>> import aurist
        >>> events = aurist.load("run").detect("new", window=1.0, min_score=0.5)
        >>> events["label"].tolist()
        ['drone', 'whistle']
        """
        from aurist.api.detecting import detect

        with errors_in_python():
            options = read_options(path=path, audio_root=audio_root)
            grid = (window, overlap, channel)
            export_options = (formats, min_score, precision, labels, unknown)
            return detect(self._model_files, recordings, output, options, grid, export_options, model, jobs)

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
            predictor = self._predictor(model, precision, unknown)
            with clips_of(
                data, sample_rate, lambda source: read_inputs(source, options, predictor.spec)
            ) as inputs:
                clips, index = inputs
                applied = predictor.predict(clips, jobs=jobs, cache_dir=folder)
        for note in applied.notes:
            warn(note)
        for row, message in applied.failures.items():
            name = str(index[row]) if applied.clips.has_audio else applied.clips.display_name(row)
            warn(f"not predicted: {about(name, message)}")
        return applied, index

    def _predictor(self, model: str | None, precision: float | None, unknown: float | None) -> Predictor:
        """Load the models of a row once; later calls find them in memory."""
        from aurist.inference.predictor import Predictor

        key = (model, precision, unknown)
        if key not in self._predictors:
            self._predictors[key] = Predictor(self._model_files, model, precision, unknown)
        return self._predictors[key]
