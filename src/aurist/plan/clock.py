"""Wall time: how much there is, and how much of it the next member may take."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from aurist.config import FitConfig

#: Seconds of wall time of a preset where no limit is given.
DEFAULT_TIME = {"quick": 60.0, "good": 600.0, "best": 3600.0}
#: No member may take more than this share of the time that is left when it begins.
LARGEST_SHARE = 0.4


@dataclass(frozen=True)
class Clock:
    """Wall time of the whole command; ``limit`` is infinite where a written plan is followed to its end."""

    started: float
    limit: float

    def left(self) -> float:
        """Seconds left until the limit."""
        return self.limit - (time.monotonic() - self.started)

    def used(self) -> float:
        """Seconds since it began."""
        return round(time.monotonic() - self.started, 2)


def time_limit(config: FitConfig) -> float:
    """Seconds for the whole command; with a written plan as many as it needs."""
    if config.plan is not None:
        return math.inf
    return config.time_limit if config.time_limit is not None else DEFAULT_TIME[config.preset]


def share(seconds_left: float, members_left: int) -> float:
    """Seconds that the next member may take: its part, but room to grow while there is much left.

    Examples
    --------
    >>> share(100.0, 5), share(100.0, 2), share(100.0, 1)
    (40.0, 50.0, 100.0)
    """
    return seconds_left * min(1.0, max(LARGEST_SHARE, 1 / members_left)) if members_left > 1 else seconds_left
