"""Filters: distance, walls and microphones remove high or low frequencies."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from aurist.augment.base import Range, Wave, check_p, check_range, log_uniform
from aurist.errors import ConfigError

Kind = Literal["low", "high", "band"]

#: order of the Butterworth filters: 12 dB per octave for each two
_ORDER = 4
#: the highest cutoff of a filter, as a share of the sample rate
_HIGHEST = 0.49
#: frequency of the lowest node of an equaliser, in Hz
_LOWEST = 50.0


class Cutoff(NamedTuple):
    """The cutoff frequency, with a loss of 3 dB."""

    hz: float


class Band(NamedTuple):
    """The lower and the upper edge of a band."""

    low_hz: float
    high_hz: float


@dataclass(frozen=True)
class LowPass:
    """Remove frequencies above a cutoff, by 24 dB per octave.

    Parameters
    ----------
    hz
        The cutoff, from and to; drawn uniformly in the logarithm. Cutoffs near half the sample rate do nothing.
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
    """Remove frequencies below a cutoff; the parameters are those of `LowPass`."""

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
    """Keep only a band of frequencies.

    Parameters
    ----------
    hz
        The centre of the band, from and to; drawn uniformly in the logarithm.
    octaves
        The width of the band, from and to; drawn uniformly in the logarithm.
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
    """Gains at the nodes of `Equalizer`, in dB."""

    db: tuple[float, ...]


@dataclass(frozen=True)
class Equalizer:
    """Apply gains that vary smoothly with frequency, like microphones, rooms and codecs.

    The linear kind of FilterAugment (H. Nam and others, "FilterAugment: An acoustic environmental data augmentation
    method", 2022), over the logarithm of the frequency.

    Parameters
    ----------
    db
        The gain, from and to; drawn for every node, and linear between nodes.
    nodes
        The number of nodes, evenly spaced from 50 Hz to half the sample rate in the logarithm.
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
            raise ConfigError(f"nodes is {self.nodes!r}, but must be a whole number of at least 2.")

    def draw(self, rng: np.random.Generator, n_samples: int, sample_rate: int) -> Curve:
        return Curve(tuple(float(db) for db in rng.uniform(*self.db, size=self.nodes)))

    def apply(self, y: Wave, sample_rate: int, params: Curve) -> Wave:
        """Apply the gains; phases do not change."""
        import scipy.fft

        if not len(y):
            return y.copy()
        n = scipy.fft.next_fast_len(len(y), real=True)
        spectrum = scipy.fft.rfft(y, n)
        freqs = np.fft.rfftfreq(n, 1 / sample_rate).astype(np.float64)
        gain = equalizer_gain(freqs, sample_rate, params)
        changed: npt.NDArray[np.float64] = scipy.fft.irfft(spectrum * gain, n)[: len(y)]
        return changed.astype(np.float32)


def equalizer_gain(freqs: npt.NDArray[np.float64], sample_rate: int, curve: Curve) -> npt.NDArray[np.float32]:
    """Return the factors of the amplitudes at frequencies in Hz, (n,).

    Examples
    --------
    >>> equalizer_gain(np.array([50.0, 8000.0]), 16000, Curve((0.0, 3.0, -20.0))).tolist()
    [1.0, 0.10000000149011612]
    """
    nodes = np.geomspace(_LOWEST, sample_rate / 2, len(curve.db))
    db = np.interp(np.log(np.maximum(freqs, _LOWEST)), np.log(nodes), curve.db)
    return np.asarray(10 ** (db / 20), dtype=np.float32)


def cutoff_gain(
    freqs: npt.NDArray[np.float64], sample_rate: int, kind: Kind, hz: float
) -> npt.NDArray[np.float32]:
    """Return the factors of the amplitudes at frequencies in Hz, (n,), of `LowPass` ("low") or `HighPass` ("high").

    S. Butterworth, "On the theory of filter amplifiers", 1930, with the frequencies of the bilinear transform.

    Examples
    --------
    >>> cutoff_gain(np.array([250.0, 1000.0, 8000.0]), 16000, "low", 1000.0).round(3).tolist()
    [1.0, 0.7070000171661377, 0.0]
    """
    highest = _HIGHEST * sample_rate
    if kind == "low" and hz > highest:
        return np.ones(len(freqs), dtype=np.float32)
    with np.errstate(divide="ignore"):
        ratio = np.tan(np.pi * np.minimum(freqs / sample_rate, 0.5)) / np.tan(
            np.pi * min(hz, highest) / sample_rate
        )
        powers = (ratio if kind == "low" else 1 / ratio) ** (2 * _ORDER)
    return np.asarray((1 + powers) ** -0.5, dtype=np.float32)


def _filtered(y: Wave, sample_rate: int, kind: Kind, *edges: float) -> Wave:
    import scipy.signal

    if not len(y):
        return y.copy()
    filtered: npt.NDArray[np.float64] = scipy.signal.sosfilt(_sections(kind, edges, sample_rate), y)
    return filtered.astype(np.float32)


@lru_cache(maxsize=64)
def _sections(kind: Kind, edges: tuple[float, ...], sample_rate: int) -> npt.NDArray[np.float64]:
    import scipy.signal

    order = _ORDER // 2 if kind == "band" else _ORDER
    sections: npt.NDArray[np.float64] = scipy.signal.butter(
        order, edges if len(edges) > 1 else edges[0], kind, fs=sample_rate, output="sos"
    )
    return sections
