"""A fitted run, to predict and to look at."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from aurist.api.inputs import Data, labelled
from aurist.api.messages import errors_in_python
from aurist.api.predictions import RunPredictions
from aurist.api.reading import read_options
from aurist.run.remote import local_folder

if TYPE_CHECKING:
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


class Run(RunPredictions):
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
        false_alarms: float | str | None = None,
        times: str = "auto",
        unknown: float | None = None,
        labels: Sequence[str] | None = None,
        prior: str | Path | None = None,
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
        false_alarms
            False alarms in an hour of background, all classes together, such as 1 or "10/day": one threshold for all
            classes, chosen out of fold.
        times
            What tells when an event is: "windows", "frames" of networks, the "sound" of the class, or "auto": what is
            shown, out of fold, to time events better.
        unknown
            Windows that are unlike all that was learnt count for no event: the share of windows like the training clips
            that may be left out so. None: all windows count.
        labels
            Classes to look for; None: all.
        prior
            A table of where and when classes are to be expected: `aurist.detection.priors.read_priors`. It weighs the
            scores.
        formats
            Files to write into ``output``: "csv", "raven", "audacity", "kaleidoscope", "jsonl", "parquet", "windows".
        model, path, audio_root, jobs
            As in `predict`.

        Returns
        -------
        pandas.DataFrame
            The events: ``path``, ``start`` and ``end`` in seconds, ``label``, ``score``; with ``prior`` this, too.

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
            grid = (window, overlap, channel, times)
            export_options = (formats, min_score, precision, false_alarms, labels, unknown, prior)
            return detect(self._model_files, recordings, output, options, grid, export_options, model, jobs)
