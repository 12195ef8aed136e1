"""A run that listens to windows of sound in memory."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from aurist.arrays import Proba
from aurist.errors import DataError
from aurist.features.store import summary_of_waves
from aurist.features.summary import SummaryConfig
from aurist.features.windows import Block
from aurist.inference.embedding import with_embeddings
from aurist.inference.predictor import Predictor
from aurist.models.base import Inputs
from aurist.plan import ENSEMBLE
from aurist.run import RunData, RunFolder

#: Equal parts of a window, for which networks that tell when answer apart: an even number, so that those of windows
#: that overlap by half fall together.
PARTS = 20


class WindowModel:
    """A model of a run, loaded once, for the windows of recordings.

    Summary features are computed only where a model in use looks at features.

    Parameters
    ----------
    run, data
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

    def __init__(self, run: RunFolder, data: RunData, model: str | None, jobs: int) -> None:
        self._run, self._jobs = run, jobs
        self._data = replace(data, task=replace(data.task, jobs=jobs))
        self.answers = Predictor(run, self._data, model or ENSEMBLE)
        blender = self.answers.blender
        recipes = list(blender.recipes)
        self._summary: SummaryConfig | None = None
        self._embedders = []
        if len(blender.listeners) < len(blender.members):
            if data.summary is None:
                raise DataError(
                    f"{run.folder} was fitted on a table of features, which recordings do not have: it cannot listen. "
                    "Fit a run on recordings, or give model= the name of a network."
                )
            self._summary = SummaryConfig(**data.summary)
            self._embedders = run.embedders()
            recipes += self._embedders
        rates = {recipe.front.sample_rate for recipe in recipes}
        self.rates = tuple(sorted(rates | ({self._summary.sample_rate} if self._summary else set())))
        self.margin = max([recipe.window.margin for recipe in recipes], default=0.0)

    @property
    def classes(self) -> tuple[str, ...]:
        """The columns of the answer."""
        return self._data.task.classes

    def hear(self, block: Block) -> tuple[Proba, Proba | None]:
        """What is said of the windows, and when in each, where the run can tell.

        Returns
        -------
        proba : (n_windows, n_classes)
        when : (n_windows, PARTS, n_classes)
            How sure a class is in equal parts of a window, the surest part 1; None where no model can tell.
        """
        if not len(block):
            return np.zeros((0, len(self.classes))), None
        inputs = Inputs(pd.DataFrame(index=range(len(block))), in_memory=block.waves)
        if self._summary is not None:
            made = summary_of_waves(block.waves[self._summary.sample_rate], self._summary, jobs=self._jobs)
            made = with_embeddings(made, inputs, self._run.folder, self._embedders, self._jobs)
            ready, _ = self._data.schema.apply(made)
            inputs = replace(inputs, features=ready)
        return self.answers.proba_and_when(inputs, PARTS)
