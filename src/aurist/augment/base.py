"""Shared by all transforms of sound: the protocol, random numbers, checks of settings."""

from __future__ import annotations

import math
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from aurist.errors import ConfigError

Wave = npt.NDArray[np.float32]
Range = tuple[float, float]
Params = TypeVar("Params")


class Transform(Protocol[Params]):
    """A change of sound; `draw` chooses its parameters, `apply` uses them.

    Attributes
    ----------
    p
        Probability that `Compose` applies it, in [0, 1]; in `OneOf`, its share among the others.
    """

    @property
    def p(self) -> float: ...

    def draw(self, rng: np.random.Generator, n_samples: int, sample_rate: int) -> Params:
        """Draw the parameters for one clip: a small tuple that can be printed, stored and applied again."""
        ...

    def apply(self, y: Wave, sample_rate: int, params: Params) -> Wave:
        """Apply it to ``y`` (n_samples,), float32. Return a new array of the same length; ``y`` does not change."""
        ...


class Drawn(NamedTuple):
    """The choice of `Compose`: the index of the transform, and its parameters."""

    step: int
    params: Any


def clip_rng(seed: int, epoch: int, index: int) -> np.random.Generator:
    """Return the random generator of one clip in one epoch: the same in any worker and any order.

    Examples
    --------
    >>> [int(clip_rng(0, epoch, 17).integers(1000)) for epoch in (3, 3, 4)]
    [272, 272, 934]
    """
    return np.random.default_rng([seed, epoch, index])


def uniform(rng: np.random.Generator, bounds: Range) -> float:
    """Draw a number between two bounds."""
    return float(rng.uniform(*bounds))


def log_uniform(rng: np.random.Generator, bounds: Range) -> float:
    """Draw a number between two bounds above 0, uniform in its logarithm."""
    return math.exp(rng.uniform(math.log(bounds[0]), math.log(bounds[1])))


def new_seed(rng: np.random.Generator) -> int:
    """Draw a seed for something too large to draw now, such as noise."""
    return int(rng.integers(2**63))


def check_p(p: float) -> None:
    """Raise ConfigError if ``p`` is not a probability."""
    if not _is_number(p) or not 0 <= p <= 1:
        raise ConfigError(f"p is {p!r}, but must be a probability: a number from 0 to 1.")


def check_range(name: str, bounds: Range, low: float = -math.inf, high: float = math.inf) -> None:
    """Raise ConfigError if ``bounds`` are not two ascending numbers within [low, high]."""
    two = isinstance(bounds, tuple) and len(bounds) == 2 and all(_is_number(value) for value in bounds)
    if not two or not bounds[0] <= bounds[1]:
        value_text = list(bounds) if isinstance(bounds, tuple) else bounds
        raise ConfigError(
            f"{name} is {value_text!r}, but must be the lowest and the highest value, such as [5, 20]."
        )
    if not (low <= bounds[0] and bounds[1] <= high):
        raise ConfigError(f"{name} is {list(bounds)}, but must lie within {low:g} and {high:g}.")


def check_count(name: str, value: int) -> None:
    """Raise ConfigError if ``value`` is not a whole number of at least 1."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ConfigError(f"{name} is {value!r}, but must be a whole number of at least 1.")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
