"""Filters: distance, walls and microphones take away highs or lows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from aurist.augment.base import Range, Wave, check_p, check_range, log_uniform
from aurist.errors import ConfigError

Kind = Literal["low", "high", "band"]

#: of the Butterworth filters: 12 dB an octave for each two
_ORDER = 4
#: the highest edge that a filter may have, as a share of the sample rate
_HIGHEST = 0.49
#: of an equaliser's nodes, in Hz
_LOWEST = 50.0


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


class Curve(NamedTuple):
    """Gains at frequencies `Equalizer.nodes` apart, in dB."""

    db: tuple[float, ...]


@dataclass(frozen=True)
class Equalizer:
    """Colour the sound as microphones, rooms and codecs do: gains that vary smoothly with frequency.

    The linear kind of FilterAugment (H. Nam and others, "FilterAugment: An acoustic environmental data augmentation
    method", 2022), over the logarithm of the frequency.

    Parameters
    ----------
    db
        From and to; drawn for every node, with straight lines between.
    nodes
        How many, evenly spaced from 50 Hz to half the sample rate in the logarithm.
    p
        Probability.
    """

    db: Range = (-6.0, 6.0)
    nodes: int = 5
    p: float = 0.5

    def __post_init__(self) -> None:
        check_p(self.p)
        check_range("db", self.db)
        if isinstance(self.nodes, bool) or not isinstance(self.nodes, int) or self.nodes < 2:
            raise ConfigError(f"nodes is {self.nodes!r}, but must be a whole number, 2 at least.")

    def draw(self, rng: np.random.Generator, n_samples: int, sample_rate: int) -> Curve:
        return Curve(tuple(float(db) for db in rng.uniform(*self.db, size=self.nodes)))

    def apply(self, y: Wave, sample_rate: int, params: Curve) -> Wave:
        """All frequencies keep their phase."""
        import scipy.fft

        if not len(y):
            return y.copy()
        n = scipy.fft.next_fast_len(len(y), real=True)
        spectrum = scipy.fft.rfft(y, n)
        freqs = np.fft.rfftfreq(n, 1 / sample_rate).astype(np.float64)
        gain = equalizer_gain(freqs, sample_rate, params)
        found: npt.NDArray[np.float64] = scipy.fft.irfft(spectrum * gain, n)[: len(y)]
        return found.astype(np.float32)


def equalizer_gain(freqs: npt.NDArray[np.float64], sample_rate: int, curve: Curve) -> npt.NDArray[np.float32]:
    """What amplitudes are multiplied by at frequencies in Hz, (n,).

    Examples
    --------
    >>> equalizer_gain(np.array([50.0, 8000.0]), 16000, Curve((0.0, 3.0, -20.0))).tolist()
    [1.0, 0.10000000149011612]
    """
    nodes = np.geomspace(_LOWEST, sample_rate / 2, len(curve.db))
    db = np.interp(np.log(np.maximum(freqs, _LOWEST)), np.log(nodes), curve.db)
    return np.asarray(10 ** (db / 20), dtype=np.float32)


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
