"""The results of a finished run: classes, scores, leaderboard, importance, report and pictures."""

from __future__ import annotations

from dataclasses import asdict
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from aurist.api.messages import errors_in_python
from aurist.api.plots import Plots
from aurist.errors import RunError
from aurist.plan import ENSEMBLE
from aurist.run import ModelFiles, RunFolder, open_model, open_run
from aurist.run.model_files import MODEL
from aurist.run.model_folder import read_description

if TYPE_CHECKING:
    from aurist.metrics import Interval
    from aurist.run.description import RunDescription


class RunResults:
    """The results of a finished run, or of an exported model; `aurist.Run` also predicts.

    Examples
    --------
    >>> import aurist
    >>> run = aurist.load("run")
    >>> run.classes, run.metric, run.score.low <= run.score.score
    (('drone', 'whistle'), 'accuracy', True)
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder).absolute()  # a notebook may change its folder
        self._exported = (self.folder / MODEL).exists()
        with errors_in_python():
            if self._exported:
                _ = self._model_files
            else:
                self._run = open_run(self.folder)

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names, in the order of the columns of `predict_proba`."""
        return self._model_files.spec.task.classes if self._exported else self._description.classes

    @property
    def metric(self) -> str:
        """The metric of `score` and of the leaderboard."""
        return self._model_files.spec.task.metric if self._exported else self._description.metric

    @property
    def score(self) -> Interval:
        """The ensemble's score on clips that its models were not fitted on: ``score, low, high``, the bounds at 95%."""
        with errors_in_python():
            if self._exported:
                return read_description(self.folder).scores.rows[ENSEMBLE]
            return self._files.scores().score

    def leaderboard(self) -> pd.DataFrame:
        """Give every model's score with its interval and times: the ensemble first, then the best first.

        Examples
        --------
        >>> import aurist
        >>> aurist.load("run").leaderboard()["model"].tolist()
        ['Ensemble', 'LDA']
        """
        with errors_in_python():
            if self._exported:
                rows = read_description(self.folder).scores.rows
                return pd.DataFrame([{"model": name, **asdict(score)} for name, score in rows.items()])
            return self._files.leaderboard()

    def importance(self, *, model: str | None = None, repeats: int = 5) -> pd.DataFrame:
        """Measure by how much the score falls when a feature is shuffled, on clips that models were not fitted on.

        Returns
        -------
        pandas.DataFrame
            ``feature, importance, low, high``, the most important first.

        Examples
        --------
        >>> import aurist
        >>> aurist.load("run").importance(repeats=1).columns.tolist()
        ['feature', 'importance', 'low', 'high']
        """
        from aurist.results.importance import permutation_importance

        with errors_in_python():
            return permutation_importance(self._files, model=model, repeats=repeats)

    def report(
        self, path: str | Path | None = None, *, model: str | None = None, with_sound: bool = True
    ) -> Path:
        """Write one HTML page about the run, and give its path.

        Parameters
        ----------
        path
            The file; None: ``report.html`` in the run folder.
        model
            A row of the leaderboard to look at; None: the ensemble.
        with_sound
            Include the sound of the worst mistakes.

        Examples
        --------
        >>> import aurist
        >>> aurist.load("run").report("page.html").name
        'page.html'
        """
        from aurist.report import write_report

        target = self.folder / "report.html" if path is None else Path(path)
        with errors_in_python():
            write_report(self._files, target, model=model, with_sound=with_sound)
        return target

    def compare(self, other: RunResults, path: str | Path | None = None, *, with_sound: bool = True) -> Path:
        """Write one HTML page that compares another run with this one on the clips that both have scored.

        Parameters
        ----------
        other
            The run to compare: differences are its score minus that of this run.
        path
            The file; None: ``comparison.html`` in the folder of the other run.
        with_sound
            Include the sound of clips that one run has right and the other wrong.

        Examples
        --------
        >>> import aurist
        >>> run = aurist.load("run")
        >>> run.compare(run, "comparison.html").name
        'comparison.html'
        """
        from aurist.report import write_comparison

        target = other.folder / "comparison.html" if path is None else Path(path)
        with errors_in_python():
            write_comparison(self._files, other._files, target, with_sound=with_sound)
        return target

    @cached_property
    def plot(self) -> Plots:
        """Pictures: ``run.plot.confusion()``, ``run.plot.leaderboard()``, ``run.plot.importance()``."""
        return Plots(self._files)

    @property
    def _files(self) -> RunFolder:
        if self._exported:
            with errors_in_python():
                raise RunError(
                    f"{self.folder} is an exported model, without the data that it was fitted on. Look at the run that "
                    "it was exported from."
                )
        return self._run

    @cached_property
    def _model_files(self) -> ModelFiles:
        return open_model(self.folder)

    @cached_property
    def _description(self) -> RunDescription:
        with errors_in_python():
            return self._files.description()

    def __repr__(self) -> str:
        """Name the folder and the first classes."""
        more = ", ..." if len(self.classes) > 5 else ""
        return f"Run({self.folder.name!r}: {', '.join(self.classes[:5])}{more})"

    def _repr_html_(self) -> str:
        if self._exported:
            return (
                f"<b>{escape(self.folder.name)}</b>: {self.metric} {self.score}, {len(self.classes)} classes"
            )
        stated = self._files.scores()
        board = self.leaderboard().head(10).to_html(index=False, float_format="{:.4g}".format, border=0)
        return (
            f"<b>{escape(self.folder.name)}</b>: {self.metric} {self.score} on {stated.n_scored:,} clips, "
            f"{len(self.classes)} classes{board}"
        )
