"""Wall time: the time left, and the share of the next model."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from aurist.config import FitConfig

#: Seconds of wall time of a preset without a time limit. The models of "instant" end by themselves.
DEFAULT_TIME = {"instant": math.inf, "quick": 60.0, "good": 600.0, "best": 3600.0}
#: The largest share of the time left that one model may take.
LARGEST_SHARE = 0.4


@dataclass(frozen=True)
class Clock:
    """Wall time of the whole command; ``limit`` is infinite if a written plan is followed."""

    started: float
    limit: float

    def left(self) -> float:
        """Return the seconds left until the limit."""
        return self.limit - (time.monotonic() - self.started)

    def used(self) -> float:
        """Return the seconds since the start."""
        return round(time.monotonic() - self.started, 2)


def time_limit(config: FitConfig) -> float:
    """Return the seconds for the whole command; infinite with a written plan or the preset "instant"."""
    if config.plan is not None:
        return math.inf
    return config.time_limit if config.time_limit is not None else DEFAULT_TIME[config.preset]


def share(seconds_left: float, members_left: int) -> float:
    """Return the seconds for the next model: its equal part, or more while many models follow.

    Examples
    --------
    >>> share(100.0, 5), share(100.0, 2), share(100.0, 1)
    (40.0, 50.0, 100.0)
    """
    return seconds_left * min(1.0, max(LARGEST_SHARE, 1 / members_left)) if members_left > 1 else seconds_left
