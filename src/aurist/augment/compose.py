"""Combine several transforms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from aurist.augment.base import Drawn, Transform, Wave, check_p
from aurist.errors import ConfigError


@dataclass(frozen=True)
class Compose:
    """Transforms one after the other, each with its own probability.

    Parameters
    ----------
    transforms
        In the order in which they are applied.
    p
        Probability of the whole, inside another one.

    Examples
    --------
    >>> from aurist.augment import Gain, Polarity, clip_rng
    >>> compose = Compose((Gain((6, 6), p=1), Polarity(p=0)))
    >>> drawn = compose.draw(clip_rng(0, 0, 0), 4, 4)
    >>> drawn
    [Drawn(step=0, params=Decibels(db=6.0))]
    >>> compose.apply(np.ones(4, np.float32), 4, drawn).round(2).tolist()
    [2.0, 2.0, 2.0, 2.0]
    """

    transforms: tuple[Transform[Any], ...] = ()
    p: float = 1.0

    def __post_init__(self) -> None:
        check_p(self.p)

    def draw(self, rng: np.random.Generator, n_samples: int, sample_rate: int) -> list[Drawn]:
        """Draw the transforms for a clip, with their parameters."""
        chosen_transforms = []
        for step, transform in enumerate(self.transforms):
            if rng.random() < transform.p:
                chosen_transforms.append(Drawn(step, transform.draw(rng, n_samples, sample_rate)))
        return chosen_transforms

    def apply(self, y: Wave, sample_rate: int, params: list[Drawn]) -> Wave:
        """Apply the drawn transforms. Always return a new array."""
        out = y
        for drawn in params:
            out = self.transforms[drawn.step].apply(out, sample_rate, drawn.params)
        return out.copy() if out is y else out


@dataclass(frozen=True)
class OneOf:
    """Exactly one of several transforms.

    Parameters
    ----------
    of
        The transforms to choose from, each in proportion to its own ``p``.
    p
        Probability that any is applied.
    """

    of: tuple[Transform[Any], ...]
    p: float = 0.5

    def __post_init__(self) -> None:
        check_p(self.p)
        if not sum(transform.p for transform in self.of) > 0:
            raise ConfigError("There is nothing to choose from: 'of' needs a transform whose p is above 0.")

    def draw(self, rng: np.random.Generator, n_samples: int, sample_rate: int) -> Drawn:
        shares = np.array([transform.p for transform in self.of])
        chosen = int(rng.choice(len(self.of), p=shares / shares.sum()))
        return Drawn(chosen, self.of[chosen].draw(rng, n_samples, sample_rate))

    def apply(self, y: Wave, sample_rate: int, params: Drawn) -> Wave:
        return self.of[params.step].apply(y, sample_rate, params.params)
