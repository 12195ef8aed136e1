"""The time of folds: none is started that cannot end in time."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from aurist.crossval import CrossValidationResult
from aurist.plan import Clock

#: Seconds for the comparison at the end: to load models and to write.
_ENDING = 8.0
#: Share of the limit that the last fold may be late before it is stopped.
_GRACE = 0.05


@dataclass
class Budget:
    """The clock of a command, and the times of its folds.

    Parameters
    ----------
    clock
        Wall time.
    n_predictions
        Predictions of single clips at the end: folds of two models times the clips of the holdout.
    fold_seconds
        Seconds of the folds fitted so far.
    """

    clock: Clock
    n_predictions: int
    fold_seconds: list[float] = field(default_factory=list)
    _predict_seconds: float = 0.0

    def record(self, result: CrossValidationResult, n_scored: int, seconds: float) -> None:
        """Record the time of a fold, and of its predictions."""
        self.fold_seconds.append(seconds)
        self._predict_seconds = max(self._predict_seconds, result.pred_time / max(1, n_scored))

    def left(self) -> float:
        """Return the seconds left for trials."""
        reserve = min(_ENDING + self.n_predictions * self._predict_seconds, 0.3 * self.clock.limit)
        return self.clock.left() - reserve

    def has_room(self, of_this_trial: list[float]) -> bool:
        """Return True if one more fold can end in time, by the slowest of this trial, else of all."""
        return self.left() > max(of_this_trial or self.fold_seconds, default=0.0)

    def at_most(self) -> float:
        """Return the seconds after which a fold is stopped."""
        left = self.left()
        return left if math.isinf(left) else max(1.0, left + _GRACE * self.clock.limit)

    def at_the_end(self) -> float:
        """Return the seconds after which the comparison at the end is stopped."""
        left = self.clock.left()
        return left if math.isinf(left) else max(_ENDING, left + _GRACE * self.clock.limit)
