"""A run that listens to windows of sound in memory."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from aurist.arrays import Proba
from aurist.errors import DataError
from aurist.features.windows import Block
from aurist.inference.predictor import Predictor
from aurist.run import RunFolder

#: Equal parts of a window, for which networks that tell when answer apart: an even number, so that those of windows
#: that overlap by half fall together.
PARTS = 20


class WindowModel:
    """A model of a run, loaded once, for the windows of recordings.

    Summary features are computed only where a model in use looks at features.

    Parameters
    ----------
    run
        The run.
    model
        Of the leaderboard; None: the ensemble.
    jobs
        Cores.

    Attributes
    ----------
    rates
        Sample rates of the sound that it wants, in Hz.
    margin
        Seconds around a window that it wants.

    Raises
    ------
    ConfigError
        Where the run has no such model.
    DataError
        Where the model looks at columns of a table, which recordings do not have.
    """

    def __init__(self, run: RunFolder, model: str | None, jobs: int) -> None:
        self._jobs = jobs
        self._predictor = Predictor(run, model, jobs=jobs)
        spec, models = self._predictor.spec, self._predictor.models
        pipeline = self._predictor.pipeline
        recipes = list(models.recipes)
        if len(models.listeners) == len(models.members):
            pipeline = replace(pipeline, summary=None, embedders=())
        elif spec.summary is None:
            raise DataError(
                f"{run.folder} was fitted on a table of features, which recordings do not have: it cannot listen. "
                "Fit a run on recordings, or give model= the name of a network."
            )
        self._pipeline = pipeline
        recipes += pipeline.embedders
        rates = {recipe.front.sample_rate for recipe in recipes}
        self.rates = tuple(sorted(rates | ({pipeline.summary.sample_rate} if pipeline.summary else set())))
        self.margin = max([recipe.window.margin for recipe in recipes], default=0.0)

    @property
    def classes(self) -> tuple[str, ...]:
        """The columns of the answer."""
        return self._predictor.spec.task.classes

    def score(self, block: Block) -> tuple[Proba, Proba | None]:
        """Predict the windows of a block, and when in each, if the run can tell.

        Returns
        -------
        proba : (n_windows, n_classes)
        when : (n_windows, PARTS, n_classes)
            How sure a class is in equal parts of a window, the surest part 1; None if no model can tell.
        """
        if not len(block):
            return np.zeros((0, len(self.classes))), None
        inputs = self._pipeline.transform_windows(block, jobs=self._jobs)
        return self._predictor.proba_and_when(inputs, PARTS)
