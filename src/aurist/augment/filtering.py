"""Filters: distance, walls and microphones take away highs or lows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from aurist.augment.base import Range, Wave, check_p, check_range, log_uniform

Kind = Literal["low", "high", "band"]

#: of the Butterworth filters: 12 dB an octave for each two
_ORDER = 4
#: the highest edge that a filter may have, as a share of the sample rate
_HIGHEST = 0.49


class Cutoff(NamedTuple):
    """Where a filter takes away 3 dB."""

    hz: float


class Band(NamedTuple):
    """Where a band begins and ends."""

    low_hz: float
    high_hz: float


@dataclass(frozen=True)
class LowPass:
    """Take away what is above a frequency, by 24 dB an octave.

    Parameters
    ----------
    hz
        The edge, from and to; drawn uniformly in the logarithm. Edges near half the sample rate do nothing.
    p
        Probability.
    """

    hz: Range = (2000.0, 8000.0)
    p: float = 0.5

    def __post_init__(self) -> None:
        check_p(self.p)
        check_range("hz", self.hz, low=1)

    def draw(self, rng: np.random.Generator, n_samples: int, sample_rate: int) -> Cutoff:
        return Cutoff(log_uniform(rng, self.hz))

    def apply(self, y: Wave, sample_rate: int, params: Cutoff) -> Wave:
        return y.copy() if params.hz > _HIGHEST * sample_rate else _filtered(y, sample_rate, "low", params.hz)


@dataclass(frozen=True)
class HighPass:
    """Take away what is below a frequency; the parameters are those of `LowPass`."""

    hz: Range = (50.0, 1000.0)
    p: float = 0.5

    def __post_init__(self) -> None:
        check_p(self.p)
        check_range("hz", self.hz, low=1)

    def draw(self, rng: np.random.Generator, n_samples: int, sample_rate: int) -> Cutoff:
        return Cutoff(log_uniform(rng, self.hz))

    def apply(self, y: Wave, sample_rate: int, params: Cutoff) -> Wave:
        return _filtered(y, sample_rate, "high", min(params.hz, _HIGHEST * sample_rate))


@dataclass(frozen=True)
class BandPass:
    """Leave a band only.

    Parameters
    ----------
    hz
        Its middle, from and to; drawn uniformly in the logarithm.
    octaves
        Its width, from and to; drawn uniformly in the logarithm.
    p
        Probability.
    """

    hz: Range = (500.0, 4000.0)
    octaves: Range = (1.0, 4.0)
    p: float = 0.5

    def __post_init__(self) -> None:
        check_p(self.p)
        check_range("hz", self.hz, low=1)
        check_range("octaves", self.octaves, 0.25, 12)

    def draw(self, rng: np.random.Generator, n_samples: int, sample_rate: int) -> Band:
        middle, half = log_uniform(rng, self.hz), 2 ** (log_uniform(rng, self.octaves) / 2)
        return Band(middle / half, middle * half)

    def apply(self, y: Wave, sample_rate: int, params: Band) -> Wave:
        high = min(params.high_hz, _HIGHEST * sample_rate)
        low = min(params.low_hz, high / 2**0.25)
        return _filtered(y, sample_rate, "band", low, high)


def _filtered(y: Wave, sample_rate: int, kind: Kind, *edges: float) -> Wave:
    import scipy.signal

    if not len(y):
        return y.copy()
    found: npt.NDArray[np.float64] = scipy.signal.sosfilt(_sections(kind, edges, sample_rate), y)
    return found.astype(np.float32)


@lru_cache(maxsize=64)
def _sections(kind: Kind, edges: tuple[float, ...], sample_rate: int) -> npt.NDArray[np.float64]:
    import scipy.signal

    order = _ORDER // 2 if kind == "band" else _ORDER
    found: npt.NDArray[np.float64] = scipy.signal.butter(
        order, edges if len(edges) > 1 else edges[0], kind, fs=sample_rate, output="sos"
    )
    return found
