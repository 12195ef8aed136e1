"""Score windows of sound in memory with a model of a run."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from aurist.arrays import Proba
from aurist.detection.event_times import times_of
from aurist.errors import ConfigError, DataError
from aurist.features.part_levels import levels_of_waves
from aurist.features.waves import WavesInMemory
from aurist.features.windows import Block
from aurist.inference.embedding import margin_of, rate_of
from aurist.inference.frames import PARTS
from aurist.inference.predictor import Predictor
from aurist.run import ModelFiles


class BlockScores(NamedTuple):
    """The answers for the n windows of a block.

    Parameters
    ----------
    proba
        (n, n_classes).
    when
        (n, PARTS, n_classes): the probability of a class in equal parts of a window, divided by its maximum; None if no
        model gives times.
    likeness
        (n,): the share of training clips that are at least as unlike the others; None if no features are computed.
    levels
        (n, n_parts, n_classes): see `aurist.features.call_spectra.CallSpectra.levels`; None if events are not trimmed.
    """

    proba: Proba
    when: Proba | None
    likeness: npt.NDArray[np.float64] | None
    levels: npt.NDArray[np.uint8] | None = None


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
    unknown
        The likeness up to which windows will be taken for unknown; it is only checked.
    times
        What tells when in a window a class is: see `aurist.detection.event_times.times_of`.

    Attributes
    ----------
    rates
        Sample rates of the sound that it needs, in Hz.
    margin
        Seconds around a window that it needs.
    parts
        Equal parts of a window, each with its own answer of networks that score frames; 1: windows alone tell when.

    Raises
    ------
    ConfigError
        If the run has no such model, or it cannot tell what is unknown.
    DataError
        If the model needs columns of a table, which recordings do not have.
    """

    def __init__(
        self,
        files: ModelFiles,
        model: str | None,
        jobs: int,
        unknown: float | None = None,
        *,
        times: str = "auto",
    ) -> None:
        self._jobs = jobs
        self._predictor = Predictor(files, model, jobs=jobs)
        self._predictor.check(unknown=unknown)
        made_of = times_of(files, self._predictor.name, times)
        self.parts = PARTS if made_of == "frames" else 1
        self._spectra = files.call_spectra() if made_of == "sound" else None
        spec, models = self._predictor.spec, self._predictor.models
        pipeline = self._predictor.pipeline
        recipes = list(models.recipes)
        if len(models.listeners) == len(models.members):
            pipeline = replace(pipeline, summary=None, embedders=())
            if unknown is not None:
                raise ConfigError(
                    f"{self._predictor.name} uses no features of windows, so that it cannot tell what is unknown. "
                    "Leave unknown= or model= out."
                )
        elif spec.summary is None:
            raise DataError(
                f"{files.folder} was fitted on a table of features and cannot predict recordings. Fit a run "
                f"on recordings, or name a network with model=."
            )
        self._pipeline = pipeline
        rates = {recipe.front.sample_rate for recipe in recipes} | set(map(rate_of, pipeline.embedders))
        if self._spectra is not None:
            rates |= {self._spectra.config.sample_rate}
        self.rates = tuple(sorted(rates | ({pipeline.summary.sample_rate} if pipeline.summary else set())))
        margins = [recipe.window.margin for recipe in recipes] + list(map(margin_of, pipeline.embedders))
        self.margin = max(margins, default=0.0)

    @property
    def classes(self) -> tuple[str, ...]:
        """The columns of the scores."""
        return self._predictor.spec.task.classes

    @property
    def trims(self) -> bool:
        """True if events are trimmed to the sound of their class."""
        return self._spectra is not None

    def expect(self, windows: int) -> None:
        """Announce a number of windows, before they are scored in blocks."""
        self._predictor.models.expect(windows)

    def score(self, block: Block) -> BlockScores:
        """Predict the windows of a block, with times in each window if the run gives them.

        A window of digital silence has the probability 0 for all classes.
        """
        if not len(block):
            return BlockScores(np.zeros((0, len(self.classes))), None, None)
        inputs = self._pipeline.transform_windows(block, jobs=self._jobs)
        likeness = None if self._pipeline.summary is None else self._predictor.likeness(inputs)
        when = levels = None
        if self.parts == 1:
            proba = self._predictor.proba_windows(inputs)
        else:
            proba, when = self._predictor.proba_and_when(inputs, self.parts)
        if self._spectra is not None:
            config = self._spectra.config
            of_bands = levels_of_waves(block.waves[config.sample_rate], config, jobs=self._jobs)
            levels = self._spectra.levels(of_bands)
        # a gap of a recorder holds no call, whatever models say of a sound that nobody recorded
        silent = _is_silent(block.waves[self.rates[0]])
        return BlockScores(np.where(silent[:, None], 0.0, proba), when, likeness, levels)


def _is_silent(waves: WavesInMemory) -> npt.NDArray[np.bool_]:
    """Tell which windows are digital silence, (n_windows,)."""
    return np.array([not waves.window(row).any() for row in range(len(waves))])
