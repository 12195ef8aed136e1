"""Shift in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from aurist.augment.base import Range, Wave, check_p, check_range, uniform
from aurist.errors import check_one_of

FILLS = ("roll", "zero")


class Shift(NamedTuple):
    """The delay in seconds."""

    seconds: float


@dataclass(frozen=True)
class TimeShift:
    """Move the sound within the clip.

    Parameters
    ----------
    seconds
        The delay (negative: earlier), from and to; drawn uniformly.
    fill
        The filling of the gap: the sound that left at the other end ("roll"), or silence ("zero").
    p
        Probability.

    Examples
    --------
    >>> TimeShift((-1, 1)).apply(np.arange(4, dtype=np.float32), 1, Shift(1.0)).tolist()
    [3.0, 0.0, 1.0, 2.0]
    """

    seconds: Range = (-1.0, 1.0)
    fill: str = "roll"
    p: float = 0.5

    def __post_init__(self) -> None:
        check_p(self.p)
        check_range("seconds", self.seconds)
        check_one_of("fill", self.fill, FILLS)

    def draw(self, rng: np.random.Generator, n_samples: int, sample_rate: int) -> Shift:
        return Shift(uniform(rng, self.seconds))

    def apply(self, y: Wave, sample_rate: int, params: Shift) -> Wave:
        shift = round(params.seconds * sample_rate)
        if self.fill == "roll":
            return np.roll(y, shift)
        out = np.zeros_like(y)
        if 0 <= shift < len(y):
            out[shift:] = y[: len(y) - shift]
        elif -len(y) < shift < 0:
            out[:shift] = y[-shift:]
        return out
