"""The scores of the windows of a recording, and the events in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from aurist.events import Event, Times, find_events, parts_of, parts_over_time, trim_events
from aurist.openset import unlike

#: The stored value of the part with the highest probability.
SUREST = 255


@dataclass(frozen=True)
class Scores:
    """The scores of the windows of a recording, for all classes or some.

    Parameters
    ----------
    starts, ends
        (n,), in seconds.
    proba
        (n, n_classes).
    when
        (n, n_parts, n_classes): the probability of a class in equal parts of each window, divided by its maximum,
        scaled to 255. There is one part if the run gives no times.
    likeness
        (n,): the share of training clips that are at least as unlike the others as the window; NaN if it was not
        measured.
    levels
        (n, n_parts, n_classes): the level of each class's sound in equal parts of each window, in half dB, to which
        events are trimmed; None if they are not.
    """

    starts: npt.NDArray[np.float64]
    ends: npt.NDArray[np.float64]
    proba: npt.NDArray[np.float32]
    when: npt.NDArray[np.uint8]
    likeness: npt.NDArray[np.float32]
    levels: npt.NDArray[np.uint8] | None = None

    def without_unlike(self, share: float | None) -> Scores:
        """Set the scores of windows with a likeness of at most this share to zero; None: keep all."""
        is_unlike = unlike(self.likeness, share, len(self.starts))
        return replace(self, proba=np.where(is_unlike[:, None], np.float32(0), self.proba))

    def of_parts(self) -> tuple[Times, Times, Iterator[npt.NDArray[np.float32]]]:
        """Give the starts and ends of all parts of windows, (n * n_parts,), in order, and the scores of each class.

        The maximum over the parts is the probability of the window. Classes come one at a time to save memory.
        """
        starts, ends = (times.ravel() for times in parts_of(self.starts, self.ends, self.when.shape[1]))
        order = np.lexsort((ends, starts))

        def scores() -> Iterator[npt.NDArray[np.float32]]:
            for column in range(self.proba.shape[1]):
                shares = self.when[:, :, column].astype(np.float32) / np.float32(SUREST)
                yield (shares * self.proba[:, column, None]).ravel()[order]

        return starts[order], ends[order], scores()

    def events(self, thresholds: npt.NDArray[np.float64]) -> list[Event]:
        """Find events, ordered by start, then by class: see `aurist.events.find_events` and `trim_events`."""
        starts, ends, scores = self.of_parts()
        events = []
        for column, (proba, threshold) in enumerate(zip(scores, thresholds, strict=True)):
            class_events = find_events(starts, ends, proba[:, None], np.array([threshold]))
            events += [event._replace(column=column) for event in self._trimmed(class_events, column)]
        return sorted(events)

    def _trimmed(self, events: list[Event], column: int) -> list[Event]:
        if self.levels is None or not events:
            return events
        over_time = parts_over_time(self.starts, self.ends, self.levels[:, :, column])
        begin, stop = np.array([(event.start, event.end) for event in events]).T
        trimmed = trim_events(begin, stop, *over_time, float((self.ends - self.starts).max()))
        return [
            events[number]._replace(start=float(start), end=float(end))
            for start, end, number in zip(*trimmed, strict=True)
        ]


def scores_of_arrays(arrays: dict[str, npt.NDArray[Any]], columns: slice | npt.NDArray[np.intp]) -> Scores:
    """Make scores of stored arrays, for some columns; without ``when`` as if the run gave no times.

    Raises
    ------
    ValueError
        If the arrays do not match.
    """
    starts, ends, proba = arrays["starts"], arrays["ends"], arrays["proba"]
    when = arrays.get("when", np.full_like(proba[:, None], SUREST, np.uint8))
    likeness = arrays.get("likeness", np.full(len(starts), np.nan, np.float32))
    if not len(starts) == len(ends) == len(proba) == len(when) == len(likeness):
        raise ValueError(
            f"it has {len(starts)} starts, {len(ends)} ends, and scores of the shape {proba.shape}"
        )
    if when.shape[2] != proba.shape[1] or not when.shape[1]:
        raise ValueError(f"when has the shape {when.shape}")
    levels = arrays.get("levels")
    if levels is not None:
        if levels.shape[::2] != proba.shape or not levels.shape[1]:
            raise ValueError(f"levels have the shape {levels.shape}")
        levels = levels[:, :, columns]
    return Scores(starts, ends, proba[:, columns], when[:, :, columns], likeness.astype(np.float32), levels)
