"""Pitch and tempo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from aurist.augment.base import Range, Wave, check_p, check_range, log_uniform, uniform
from aurist.augment.vocoder import fitted, pitch_shift, time_stretch


class Semitones(NamedTuple):
    """The shift of the pitch."""

    semitones: float


class Rate(NamedTuple):
    """The factor of the speed."""

    rate: float


@dataclass(frozen=True)
class PitchShift:
    """Shift the pitch and keep the tempo.

    Parameters
    ----------
    semitones
        The shift, from and to; drawn uniformly.
    p
        Probability.

    Examples
    --------
    >>> PitchShift((-5, 5)).draw(np.random.default_rng(0), 48000, 48000)
    Semitones(semitones=1.369616873214543)
    """

    semitones: Range = (-2.0, 2.0)
    p: float = 0.5

    def __post_init__(self) -> None:
        check_p(self.p)
        check_range("semitones", self.semitones, -24, 24)

    def draw(self, rng: np.random.Generator, n_samples: int, sample_rate: int) -> Semitones:
        return Semitones(uniform(rng, self.semitones))

    def apply(self, y: Wave, sample_rate: int, params: Semitones) -> Wave:
        return pitch_shift(y, sample_rate, params.semitones)


@dataclass(frozen=True)
class TimeStretch:
    """Play faster or slower at the same pitch; the end is cut off, or filled with zeros.

    Parameters
    ----------
    rate
        The factor of the speed, from and to, above 0; 2 is twice as fast. Drawn uniformly in the logarithm.
    p
        Probability.
    """

    rate: Range = (0.8, 1.25)
    p: float = 0.5

    def __post_init__(self) -> None:
        check_p(self.p)
        check_range("rate", self.rate, 0.25, 4)

    def draw(self, rng: np.random.Generator, n_samples: int, sample_rate: int) -> Rate:
        return Rate(log_uniform(rng, self.rate))

    def apply(self, y: Wave, sample_rate: int, params: Rate) -> Wave:
        return fitted(time_stretch(y, params.rate), len(y))
