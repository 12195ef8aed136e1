"""Score windows of sound in memory with a model of a run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from aurist.arrays import Proba
from aurist.errors import DataError
from aurist.features.windows import Block
from aurist.inference.embedding import margin_of, rate_of
from aurist.inference.predictor import Predictor
from aurist.run import ModelFiles

#: Equal parts of a window, each with its own answer of a network that gives times. The number is even, so that the
#: parts of windows that overlap by half coincide.
PARTS = 20


class WindowModel:
    """A model of a run that scores windows of recordings; it is loaded once.

    Summary features are computed only if a model needs features.

    Parameters
    ----------
    files
        Of a run, or of a model folder.
    model
        A row of the leaderboard; None: the ensemble.
    jobs
        Cores.

    Attributes
    ----------
    rates
        Sample rates of the sound that it needs, in Hz.
    margin
        Seconds around a window that it needs.

    Raises
    ------
    ConfigError
        If the run has no such model.
    DataError
        If the model needs columns of a table, which recordings do not have.
    """

    def __init__(self, files: ModelFiles, model: str | None, jobs: int) -> None:
        self._jobs = jobs
        self._predictor = Predictor(files, model, jobs=jobs)
        spec, models = self._predictor.spec, self._predictor.models
        pipeline = self._predictor.pipeline
        recipes = list(models.recipes)
        if len(models.listeners) == len(models.members):
            pipeline = replace(pipeline, summary=None, embedders=())
        elif spec.summary is None:
            raise DataError(
                f"{files.folder} was fitted on a table of features and cannot predict recordings. Fit a run "
                f"on recordings, or name a network with model=."
            )
        self._pipeline = pipeline
        rates = {recipe.front.sample_rate for recipe in recipes} | set(map(rate_of, pipeline.embedders))
        self.rates = tuple(sorted(rates | ({pipeline.summary.sample_rate} if pipeline.summary else set())))
        margins = [recipe.window.margin for recipe in recipes] + list(map(margin_of, pipeline.embedders))
        self.margin = max(margins, default=0.0)

    @property
    def classes(self) -> tuple[str, ...]:
        """The columns of the scores."""
        return self._predictor.spec.task.classes

    def score(self, block: Block) -> tuple[Proba, Proba | None]:
        """Predict the windows of a block, with times in each window if the run gives them.

        Returns
        -------
        proba : (n_windows, n_classes)
        when : (n_windows, PARTS, n_classes)
            The probability of a class in equal parts of a window, divided by its maximum; None if no model gives times.
        """
        if not len(block):
            return np.zeros((0, len(self.classes))), None
        inputs = self._pipeline.transform_windows(block, jobs=self._jobs)
        return self._predictor.proba_and_when(inputs, PARTS)
