"""SpecAugment: mask bands and stretches of a spectrogram.

D. Park and others, "SpecAugment: A simple data augmentation method for automatic speech recognition", 2019.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aurist.augment.base import Range, Wave, check_count, check_p, check_range, uniform

#: The start and end of each mask, as shares of the image.
Spans = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class FrequencyMask:
    """Replace bands of an image (n_mels, n_frames) with its mean.

    Parameters
    ----------
    share
        Width of a mask as a share of the image, from and to; drawn uniformly.
    count
        The number of masks; they may overlap.
    p
        Probability.
    """

    share: Range = (0.0, 0.15)
    count: int = 1
    p: float = 0.5

    def __post_init__(self) -> None:
        _check(self.p, self.share, self.count)

    def draw(self, rng: np.random.Generator, n_samples: int, sample_rate: int) -> Spans:
        return _spans(rng, self.share, self.count)

    def apply(self, y: Wave, sample_rate: int, params: Spans) -> Wave:
        out = y.copy()
        for first, last in bounds(params, y.shape[0]):
            out[first:last] = y.mean()
        return out


@dataclass(frozen=True)
class TimeMask:
    """Replace stretches of time of an image; the parameters are those of `FrequencyMask`."""

    share: Range = (0.0, 0.15)
    count: int = 1
    p: float = 0.5

    def __post_init__(self) -> None:
        _check(self.p, self.share, self.count)

    def draw(self, rng: np.random.Generator, n_samples: int, sample_rate: int) -> Spans:
        return _spans(rng, self.share, self.count)

    def apply(self, y: Wave, sample_rate: int, params: Spans) -> Wave:
        out = y.copy()
        for first, last in bounds(params, y.shape[1]):
            out[:, first:last] = y.mean()
        return out


def bounds(spans: Spans, size: int) -> Sequence[tuple[int, int]]:
    """Return the masks as rows or columns, [first, last).

    Examples
    --------
    >>> bounds(((0.0, 0.25), (0.5, 1.0)), 128)
    [(0, 32), (64, 128)]
    """
    return [(round(first * size), round(last * size)) for first, last in spans]


def _spans(rng: np.random.Generator, share: Range, count: int) -> Spans:
    spans = []
    for _ in range(count):
        width = uniform(rng, share)
        first = uniform(rng, (0.0, 1 - width))
        spans.append((first, first + width))
    return tuple(spans)


def _check(p: float, share: Range, count: int) -> None:
    check_p(p)
    check_range("share", share, 0, 1)
    check_count("count", count)
