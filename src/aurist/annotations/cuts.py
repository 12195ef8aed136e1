"""Stretches of recordings with their labels, and a choice among those without any."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

#: Windows for each judged one that are assumed to be background, and their weight.
BACKGROUND_A_VERDICT, BACKGROUND_WEIGHT = 4, 0.5


@dataclass(frozen=True)
class Cut:
    """A stretch of a recording with its labels."""

    path: str
    start: float
    end: float
    present: frozenset[str]
    absent: frozenset[str]
    is_assumed: bool = False

    @property
    def empty(self) -> bool:
        """True if it has no present and no absent label."""
        return not self.present and not self.absent


def assumed_background(
    cuts: Sequence[Cut], partial: Collection[str], labels: frozenset[str], seed: int
) -> list[Cut]:
    """Draw windows of partly known recordings that share no time with an annotated one, as without any class.

    B. van Merriënboer et al., "Agile modeling for bioacoustics", 2024: most of a recording has no call of a class, so
    windows drawn at random teach what it sounds like without one.
    """
    rng = np.random.default_rng(seed)
    by_path: dict[str, list[Cut]] = {path: [] for path in sorted(partial)}
    for cut in cuts:
        if cut.path in by_path:
            by_path[cut.path].append(cut)
    drawn: list[Cut] = []
    for of_recording in by_path.values():
        judged = [cut for cut in of_recording if not cut.empty]
        free = [
            cut
            for cut in of_recording
            if cut.empty and not any(cut.start < other.end and cut.end > other.start for other in judged)
        ]
        count = min(len(free), BACKGROUND_A_VERDICT * len(judged))
        chosen = sorted(rng.choice(len(free), count, replace=False).tolist())
        drawn += [replace(free[i], absent=labels, is_assumed=True) for i in chosen]
    return drawn


def with_some_background(
    cuts: list[Cut], share: float | None, unknown: Collection[str], seed: int
) -> list[Cut]:
    """Keep some windows without labels, but none of ``unknown`` recordings, as these teach nothing."""
    cuts = [cut for cut in cuts if not (cut.empty and cut.path in unknown)]
    if share is None:
        return cuts
    empty = [i for i, cut in enumerate(cuts) if cut.empty]
    n_kept = round(share * (len(cuts) - len(empty)))
    rng = np.random.default_rng(seed)
    dropped: npt.NDArray[np.intp] = rng.permutation(empty)[n_kept:].astype(np.intp)
    dropped_rows = set(dropped.tolist())
    return [cut for i, cut in enumerate(cuts) if i not in dropped_rows]
