"""How long folds take, so that none is begun that cannot be finished in the time."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from aurist.crossval import CrossValidationResult
from aurist.plan import Clock

#: Seconds to load what is needed for the comparison at the end, and to write.
_ENDING = 8.0
#: Share of the limit by which the last fold may be late before it is stopped.
_GRACE = 0.05


@dataclass
class Budget:
    """The clock of a command, and how fast folds have been.

    Parameters
    ----------
    clock
        Wall time.
    n_answers
        How often a clip that is held out will be predicted at the end: for each fold of two models, times their number.
    known
        Seconds of folds that were fitted before.
    """

    clock: Clock
    n_answers: int
    known: list[float] = field(default_factory=list)
    _answer: float = 0.0

    def learnt(self, found: CrossValidationResult, n_scored: int, seconds: float) -> None:
        """Remember how long a fold took, and what predicting costs."""
        self.known.append(seconds)
        self._answer = max(self._answer, found.pred_time / max(1, n_scored))

    def left(self) -> float:
        """Seconds that are left for trials."""
        reserve = min(_ENDING + self.n_answers * self._answer, 0.3 * self.clock.limit)
        return self.clock.left() - reserve

    def has_room(self, of_this_trial: list[float]) -> bool:
        """Whether another fold would be done in time, by the slowest of this trial's, else of all."""
        known = of_this_trial or self.known
        return self.left() > max(known, default=0.0)

    def at_most(self) -> float:
        """Seconds after which a fold is stopped."""
        left = self.left()
        return left if math.isinf(left) else max(1.0, left + _GRACE * self.clock.limit)

    def at_the_end(self) -> float:
        """Seconds after which what remains to be done after the trials is stopped."""
        left = self.clock.left()
        return left if math.isinf(left) else max(_ENDING, left + _GRACE * self.clock.limit)
