"""Noise at a signal-to-noise ratio."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from aurist.augment.base import Range, Wave, check_p, check_range, new_seed, uniform
from aurist.errors import check_one_of

SNR_OF = ("power", "peak")


class Noise(NamedTuple):
    """The ratio in dB, and the seed of the noise."""

    snr_db: float
    seed: int


@dataclass(frozen=True)
class GaussianNoise:
    """Add white noise.

    Parameters
    ----------
    snr_db
        Level of the signal over the noise in dB, from and to; drawn uniformly.
    snr_of
        The quantity of the ratio: mean "power", or the highest absolute sample, "peak", as in published notebooks for
        Kaggle's bird and rainforest contests.
    p
        Probability.
    """

    snr_db: Range = (5.0, 20.0)
    snr_of: str = "power"
    p: float = 0.5

    def __post_init__(self) -> None:
        _check(self.p, self.snr_db, self.snr_of)

    def draw(self, rng: np.random.Generator, n_samples: int, sample_rate: int) -> Noise:
        return Noise(uniform(rng, self.snr_db), new_seed(rng))

    def apply(self, y: Wave, sample_rate: int, params: Noise) -> Wave:
        return mixed(y, white(len(y), params.seed), params.snr_db, self.snr_of)


@dataclass(frozen=True)
class PinkNoise:
    """Add noise whose power falls by 3 dB per octave, approximately like wind, rain and streams.

    The parameters are those of `GaussianNoise`.
    """

    snr_db: Range = (5.0, 20.0)
    snr_of: str = "power"
    p: float = 0.5

    def __post_init__(self) -> None:
        _check(self.p, self.snr_db, self.snr_of)

    def draw(self, rng: np.random.Generator, n_samples: int, sample_rate: int) -> Noise:
        return Noise(uniform(rng, self.snr_db), new_seed(rng))

    def apply(self, y: Wave, sample_rate: int, params: Noise) -> Wave:
        return mixed(y, pink(len(y), params.seed), params.snr_db, self.snr_of)


def white(n_samples: int, seed: int) -> Wave:
    """Return Gaussian noise of variance 1, (n_samples,)."""
    return np.random.default_rng(seed).standard_normal(n_samples, dtype=np.float32)


def pink(n_samples: int, seed: int) -> Wave:
    """Return Gaussian noise of power 1/f and mean 0, (n_samples,): a random spectrum, transformed once.

    J. Timmer and M. König, "On generating power law noise", 1995.
    """
    import scipy.fft

    size = scipy.fft.next_fast_len(max(2, n_samples), real=True)
    n_freq = size // 2 + 1
    spectrum = white(2 * n_freq, seed).view(np.complex64)
    spectrum[1:] /= np.sqrt(np.arange(1, n_freq, dtype=np.float32))
    spectrum[0] = 0
    wave: Wave = scipy.fft.irfft(spectrum, n=size, overwrite_x=True)[:n_samples]
    return wave


def mixed(y: Wave, noise: Wave, snr_db: float, snr_of: str) -> Wave:
    """Add noise scaled to the ratio. If ``y`` or the noise is silent, ``y`` does not change."""
    level = _peak if snr_of == "peak" else _rms
    loudness = level(noise)
    scale = level(y) / loudness * 10 ** (-snr_db / 20) if loudness > 0 else 0.0
    out = noise * np.float32(scale)
    out += y
    return out


def _rms(y: Wave) -> float:
    if not len(y):
        return 0.0
    # in blocks: a dot product of millions of float32 would lose precision
    power = sum(float(np.dot(part, part)) for part in np.array_split(y, 1 + len(y) // 4096))
    return float(np.sqrt(power / len(y)))


def _peak(y: Wave) -> float:
    return float(max(y.max(), -y.min())) if len(y) else 0.0


def _check(p: float, snr_db: Range, snr_of: str) -> None:
    check_p(p)
    check_range("snr_db", snr_db, -60, 120)
    check_one_of("snr_of", snr_of, SNR_OF)
