"""Level: a constant gain, a gain that changes over the clip, and the sign."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from aurist.augment.base import Range, Wave, check_p, check_range, uniform
from aurist.errors import check_one_of

CURVES = ("uniform", "fade", "cosine", "sine")


class Decibels(NamedTuple):
    """A gain in dB."""

    db: float


class Nothing(NamedTuple):
    """No parameters."""


@dataclass(frozen=True)
class Gain:
    """Make the whole clip louder or softer.

    Parameters
    ----------
    db
        The gain in dB, from and to; drawn uniformly.
    p
        Probability.
    """

    db: Range = (-6.0, 6.0)
    p: float = 0.5

    def __post_init__(self) -> None:
        check_p(self.p)
        check_range("db", self.db, -120, 60)

    def draw(self, rng: np.random.Generator, n_samples: int, sample_rate: int) -> Decibels:
        return Decibels(uniform(rng, self.db))

    def apply(self, y: Wave, sample_rate: int, params: Decibels) -> Wave:
        return y * np.float32(10 ** (params.db / 20))


@dataclass(frozen=True)
class Volume:
    """Change the level over the clip.

    Parameters
    ----------
    db
        The gain in dB at a value of 1 of the curve, from and to; drawn uniformly.
    curve
        The course of the gain in dB: "uniform", "fade" (from ``db`` down to 0), "cosine" or "sine" (one period). These
        are the curves of H. Arai's published notebooks on Kaggle's bird and rainforest contests.
    p
        Probability.
    """

    db: Range = (-10.0, 10.0)
    curve: str = "sine"
    p: float = 0.5

    def __post_init__(self) -> None:
        check_p(self.p)
        check_range("db", self.db, -120, 60)
        check_one_of("curve", self.curve, CURVES)

    def draw(self, rng: np.random.Generator, n_samples: int, sample_rate: int) -> Decibels:
        return Decibels(uniform(rng, self.db))

    def apply(self, y: Wave, sample_rate: int, params: Decibels) -> Wave:
        gain = volume_curve(self.curve, len(y))
        gain *= np.float32(params.db / 20 * np.log(10))
        np.exp(gain, out=gain)
        gain *= y
        return gain


@dataclass(frozen=True)
class Polarity:
    """Invert the wave: it sounds the same."""

    p: float = 0.5

    def __post_init__(self) -> None:
        check_p(self.p)

    def draw(self, rng: np.random.Generator, n_samples: int, sample_rate: int) -> Nothing:
        return Nothing()

    def apply(self, y: Wave, sample_rate: int, params: Nothing) -> Wave:
        return -y


def volume_curve(curve: str, n: int) -> Wave:
    """Return the course of a gain over ``n`` samples or frames, in [-1, 1].

    Examples
    --------
    >>> volume_curve("fade", 5).tolist()
    [1.0, 0.75, 0.5, 0.25, 0.0]
    """
    if curve == "uniform":
        return np.ones(n, np.float32)
    if curve == "fade":
        return np.linspace(1, 0, n, dtype=np.float32)
    angle = np.arange(n, dtype=np.float32)
    angle *= np.float32(2 * np.pi / max(1, n))
    return np.cos(angle, out=angle) if curve == "cosine" else np.sin(angle, out=angle)
