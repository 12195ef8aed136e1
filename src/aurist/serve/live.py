"""Events in sound that comes as time passes: each is reported when no later window can change it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aurist.audio import resample
from aurist.audio.info import Samples
from aurist.detection.window_model import WindowModel
from aurist.detection.window_scores import SUREST, Scores
from aurist.events import Grid
from aurist.features.waves import WavesInMemory
from aurist.features.windows import Block

#: A longer event is reported in parts, in seconds.
LONGEST = 20.0
#: Seconds of sound that are kept to be saved.
_KEPT = 60.0
_TINY = 1e-6


@dataclass(frozen=True)
class LiveEvent:
    """An event in a stream.

    Parameters
    ----------
    start, end
        Seconds since the stream began.
    label, score
        As of all events.
    sound
        (n_samples,): its sound, as far as it is still in memory.
    lead
        Seconds of the sound before it, in which no event was reported.
    """

    start: float
    end: float
    label: str
    score: float
    sound: Samples
    lead: float = 0.0


class LiveEvents:
    """Finds events in a stream, in memory that does not grow.

    Parameters
    ----------
    model
        Scores windows.
    grid
        The windows.
    thresholds
        (n_classes,): the lowest score of each class.
    lead
        The most seconds of sound to give before an event.
    """

    def __init__(
        self, model: WindowModel, grid: Grid, thresholds: npt.NDArray[np.float64], *, lead: float = 0.0
    ) -> None:
        self._model, self._grid, self._thresholds, self._lead = model, grid, thresholds, lead
        #: Of the sound that is pushed, in Hz.
        self.sample_rate = max(model.rates)
        self._begin, self._first, self._number = 0.0, 0, 0
        self._sound: Samples = np.zeros(0, np.float32)
        self._restart(0.0)

    @property
    def seconds(self) -> float:
        """Seconds of the stream so far."""
        return self._begin + self._first / self.sample_rate + len(self._sound) / self.sample_rate

    def warm_up(self) -> None:
        """Score noise, and forget it: what is compiled or read at the first window must not hold up the sound."""
        seconds = self._grid.window + 2 * self._model.margin + 0.1
        noise = np.random.default_rng(0).normal(0, 0.01, round(seconds * self.sample_rate))
        list(self.push(noise.astype(np.float32)))
        self._restart(0.0)

    def push(self, piece: Samples) -> Iterator[LiveEvent]:
        """Take further sound, and yield the events that are complete now."""
        self._sound = np.concatenate([self._sound, piece])
        ready = self._ready()
        if ready:
            self._score(ready)
            yield from self._complete(self._begin + self._grid.start(self._number))
            self._forget()

    def gap(self, seconds: float) -> Iterator[LiveEvent]:
        """Yield the events that end where the stream broke off; it goes on after so many seconds."""
        end = self.seconds
        yield from self.finish()
        self._restart(end + seconds)

    def finish(self) -> Iterator[LiveEvent]:
        """Yield the events that are still open."""
        yield from self._complete(float("inf"))

    def _restart(self, begin: float) -> None:
        self._begin = begin
        self._sound = np.zeros(0, np.float32)
        self._first = 0  # position of the first sample in memory
        self._number = 0  # of the next window
        n = len(self._model.classes)
        none, no_scores = np.zeros(0), np.zeros((0, n), np.float32)
        self._scores = Scores(none, none, no_scores, np.zeros((0, 1, n), np.uint8), none.astype(np.float32))
        self._reported = np.full(n, -np.inf)
        self._decided = -np.inf
        self._spans: list[tuple[float, float]] = []  # of the latest events

    def _ready(self) -> int:
        """Count the windows that are complete, with their margins."""
        there = (self._first + len(self._sound)) / self.sample_rate - self._model.margin
        count = 0
        while self._grid.start(self._number + count) + self._grid.window <= there + _TINY:
            count += 1
        return count

    def _score(self, count: int) -> None:
        numbers = range(self._number, self._number + count)
        starts = np.array([self._grid.start(number) for number in numbers])
        ends = starts + self._grid.window
        rate = self.sample_rate
        # not behind the start of the window: it may lie between two samples
        first = max(self._first, math.floor((starts[0] - self._model.margin) * rate))
        stretch = self._sound[first - self._first :]
        begin = first / rate
        waves = {}
        for other in self._model.rates:
            sound = resample(stretch, rate, other)
            places = [np.rint((times - begin) * other).astype(np.int64) for times in (starts, ends)]
            waves[other] = WavesInMemory(other, sound, places[0], np.minimum(places[1], len(sound)))
        # events are not trimmed to the sound: what comes next would move the times of an event that was reported
        scored = self._model.score(Block(starts, ends, waves, None))
        when = np.ones((count, 1, len(self._thresholds))) if scored.when is None else scored.when
        old, parts = self._scores, max(when.shape[1], self._scores.when.shape[1])
        likeness = np.full(count, np.nan) if scored.likeness is None else scored.likeness
        spread = [
            np.repeat(part, parts // part.shape[1], axis=1) for part in (old.when, np.rint(when * SUREST))
        ]
        self._scores = Scores(
            np.append(old.starts, starts),
            np.append(old.ends, ends),
            np.concatenate([old.proba, scored.proba.astype(np.float32)]),
            np.concatenate(spread).astype(np.uint8),
            np.append(old.likeness, likeness.astype(np.float32)),
        )
        self._number += count

    def _complete(self, until: float) -> Iterator[LiveEvent]:
        """Yield what ends before a time of the stream, after which windows are still to come."""
        if not len(self._scores.starts):
            return
        decided, self._decided = self._decided, until
        for event in self._scores.events(self._thresholds):
            start = max(self._begin + event.start, float(self._reported[event.column]))
            end = self._begin + event.end
            # what ends before was decided when all windows around it were there; some may be forgotten now
            if end - start <= _TINY or end < decided - _TINY:
                continue
            if end > until - _TINY:
                if until - start < LONGEST:
                    continue
                end = until
            self._reported[event.column] = end
            free = self._free_before(start)
            self._spans = [*(one for one in self._spans if one[1] > start - _KEPT), (start, end)]
            sound = self._cut(free, end)
            yield LiveEvent(start, end, self._model.classes[event.column], event.score, sound, start - free)

    def _free_before(self, start: float) -> float:
        """Give the time from which on there was no event before another one, within the lead."""
        ends = [min(other_end, start) for other_start, other_end in self._spans if other_start < start]
        oldest = self._begin + self._first / self.sample_rate
        return min(start, max(start - self._lead, oldest, *ends))

    def _cut(self, start: float, end: float) -> Samples:
        places = [round((time - self._begin) * self.sample_rate) - self._first for time in (start, end)]
        return self._sound[max(0, places[0]) : max(0, places[1])].copy()

    def _forget(self) -> None:
        """Drop sound and scores that no event needs any more."""
        keep = max(self._grid.start(self._number) - _KEPT, 0.0)
        drop = max(0, round(keep * self.sample_rate) - self._first)
        self._sound, self._first = self._sound[drop:], self._first + drop
        rows = self._scores.ends > self._grid.start(self._number) - _KEPT
        old = self._scores
        self._scores = Scores(
            old.starts[rows], old.ends[rows], old.proba[rows], old.when[rows], old.likeness[rows]
        )
