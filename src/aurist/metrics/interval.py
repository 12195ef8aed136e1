"""A score with its interval."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Interval:
    """A score and its bounds. The bounds are NaN if they cannot be computed.

    Examples
    --------
    >>> print(Interval(0.67712, 0.66504, 0.68901))
    0.677 [0.665, 0.689]
    >>> print(Interval(0.0, -0.0001, 0.2))
    0.000 [0.000, 0.200]
    """

    score: float
    low: float
    high: float

    def __str__(self) -> str:
        # z: no minus before a zero
        return f"{self.score:z.3f} [{self.low:z.3f}, {self.high:z.3f}]"
