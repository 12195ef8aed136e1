"""Cut recordings into windows, and turn window scores into events.

Times are whole microseconds internally, so the end of one window and the start of the next are exactly equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from aurist.errors import ConfigError

Times = npt.NDArray[np.float64]

_TICKS = 1_000_000
#: If more than this is left after the last whole window, in seconds, it gets one more window.
_REST = 0.01


@dataclass(frozen=True)
class Grid:
    """A grid of equal windows; the last one is moved back to end with the recording.

    Parameters
    ----------
    window
        Length of a window in seconds.
    overlap
        Overlap with the window before in seconds.

    Raises
    ------
    ConfigError
        If the window or the hop is too short.

    Examples
    --------
    >>> starts, ends = Grid(4.0, 2.0).windows(9.0)
    >>> starts.tolist(), ends.tolist()
    ([0.0, 2.0, 4.0, 5.0], [4.0, 6.0, 8.0, 9.0])
    """

    window: float
    overlap: float = 0.0

    def __post_init__(self) -> None:
        if not 0.01 <= self.window < float("inf"):
            raise ConfigError(f"window is {self.window:g} s, but must be at least 0.01.")
        if not 0 <= self.overlap < self.window or not self.hop >= 0.001:
            raise ConfigError(
                f"overlap is {self.overlap:g} s, but must be from 0 to below the window of {self.window:g} s."
            )

    @property
    def hop(self) -> float:
        """Seconds from one window to the next."""
        return self._hop / _TICKS

    @property
    def _hop(self) -> int:
        return _ticks(self.window) - _ticks(self.overlap)

    def start(self, number: int) -> float:
        """Return the start of a window in seconds, if the recording is long enough."""
        return number * self._hop / _TICKS

    def count(self, length: float) -> int:
        """Count the windows of a recording of ``length`` seconds; at least one."""
        room = _ticks(length) - _ticks(self.window)
        whole = room // self._hop + 1 if room >= 0 else 0
        covered = (whole - 1) * self._hop + _ticks(self.window) if whole else 0
        return max(1, whole + (_ticks(length) - covered > _ticks(_REST)))

    def windows(self, length: float, first: int = 0, last: int | None = None) -> tuple[Times, Times]:
        """Return starts and ends, in seconds, of the windows [first, last) of a recording of ``length`` seconds."""
        n = self.count(length)
        number = np.arange(first, n if last is None else min(last, n), dtype=np.int64)
        end, size = _ticks(length), _ticks(self.window)
        starts = np.clip(number * self._hop, 0, max(0, end - size))
        return starts / _TICKS, np.minimum(starts + size, end) / _TICKS


def parts_of(starts: Times, ends: Times, n: int) -> tuple[Times, Times]:
    """Return starts and ends, (n_windows, n), of equal parts of windows, in whole microseconds.

    Parts of ordered windows of one length can be ordered too.

    Examples
    --------
    >>> starts, ends = parts_of(np.array([0.0, 0.00001]), np.array([0.00001, 0.00002]), 3)
    >>> (1e6 * starts).round().tolist(), (1e6 * ends).round().tolist()
    ([[0.0, 3.0, 6.0], [10.0, 13.0, 16.0]], [[3.0, 6.0, 10.0], [13.0, 16.0, 20.0]])
    """
    first, last = (np.rint(times * _TICKS).astype(np.int64)[:, None] for times in (starts, ends))
    edges = (first + np.arange(n + 1) * (last - first) // n) / _TICKS
    return edges[:, :-1], edges[:, 1:]


class Event(NamedTuple):
    """A detected event: its times, the column of its class, and its highest score."""

    start: float
    end: float
    column: int
    score: float


def find_events(
    starts: Times, ends: Times, scores: npt.NDArray[np.floating], thresholds: npt.NDArray[np.float64]
) -> list[Event]:
    """Find the stretches of time in which the score of a class is at or above its threshold.

    The score at a time is the mean over all windows that contain it. If two windows overlap and only one has a high
    score, the call is more likely in the part of that window alone. The mean finds this, the maximum would not.

    Parameters
    ----------
    starts, ends
        (n_windows,), in seconds; neither decreases.
    scores
        (n_windows, n_classes).
    thresholds
        (n_classes,).

    Returns
    -------
    list of Event
        Sorted by start, then by class.

    Examples
    --------
    >>> starts, ends = Grid(4.0, 2.0).windows(10.0)
    >>> find_events(starts, ends, np.array([[0.1], [0.8], [0.8], [0.0]]), np.array([0.5]))
    [Event(start=4.0, end=6.0, column=0, score=0.8)]
    """
    events = []
    for column in np.flatnonzero((scores >= thresholds).any(axis=0)):
        edges, values = score_over_time(starts, ends, scores[:, column].astype(np.float64))
        with np.errstate(invalid="ignore"):
            above = np.concatenate([[False], values >= thresholds[column], [False]])
        begin, stop = np.flatnonzero(above[1:] & ~above[:-1]), np.flatnonzero(above[:-1] & ~above[1:])
        for i, j in zip(begin, stop, strict=True):
            events.append(Event(float(edges[i]), float(edges[j]), int(column), float(values[i:j].max())))
    return sorted(events)


def score_over_time(
    starts: Times, ends: Times, scores: npt.NDArray[np.float64]
) -> tuple[Times, npt.NDArray[np.float64]]:
    """Return the mean score over time of the windows that contain each time.

    Parameters
    ----------
    starts, ends
        (n_windows,), in seconds; neither decreases.
    scores
        (n_windows,).

    Returns
    -------
    edges : (n + 1,)
        Times at which the score may change, in seconds.
    values : (n,)
        Scores between the edges; NaN if there is no window.

    Raises
    ------
    ConfigError
        If starts or ends decrease.

    Examples
    --------
    >>> edges, values = score_over_time(np.array([0.0, 2.0]), np.array([4.0, 6.0]), np.array([1.0, 0.5]))
    >>> edges.tolist(), values.tolist()
    ([0.0, 2.0, 4.0, 6.0], [1.0, 0.75, 0.5])
    """
    first, last = np.rint(starts * _TICKS).astype(np.int64), np.rint(ends * _TICKS).astype(np.int64)
    if (np.diff(first) < 0).any() or (np.diff(last) < 0).any():
        raise ConfigError("Windows must be in the order of their starts and of their ends.")
    edges = np.unique(np.concatenate([first, last]))
    if len(edges) < 2:
        return edges / _TICKS, np.zeros(0)
    # the windows [i, j) contain the time after an edge
    i, j = np.searchsorted(last, edges[:-1], "right"), np.searchsorted(first, edges[:-1], "right")
    is_covered = j > i
    # reduceat needs valid positions and returns an element for [i, i): one element is added, and these are not used
    sums = np.add.reduceat(np.append(scores, 0.0), np.stack([i, np.maximum(i, j)], axis=1).ravel())[::2]
    values = np.full(len(i), np.nan)
    np.divide(sums, j - i, out=values, where=is_covered)
    return edges / _TICKS, values


def parts_over_time(
    starts: Times, ends: Times, values: npt.NDArray[Any]
) -> tuple[Times, npt.NDArray[np.float64]]:
    """Return values of equal parts of windows, (n_windows, n_parts), over time, as `score_over_time` does.

    Examples
    --------
    >>> edges, means = parts_over_time(np.array([0.0, 1.0]), np.array([2.0, 3.0]), np.array([[1, 2], [4, 8]]))
    >>> edges.tolist(), means.tolist()
    ([0.0, 1.0, 2.0, 3.0], [1.0, 3.0, 8.0])
    """
    starts, ends = (times.ravel() for times in parts_of(starts, ends, values.shape[1]))
    order = np.lexsort((ends, starts))
    return score_over_time(starts[order], ends[order], values.ravel()[order].astype(np.float64))


def score_of_stretches(
    starts: Times, ends: Times, scores: npt.NDArray[np.floating], begin: Times, stop: Times
) -> npt.NDArray[np.float64]:
    """Return the mean score over time of given stretches, (n_stretches, n_classes); 0 if there is no window.

    Examples
    --------
    >>> starts, ends = Grid(5.0).windows(10.0)
    >>> scores = np.array([[0.2], [0.6]])
    >>> score_of_stretches(starts, ends, scores, np.array([0.0, 2.5]), np.array([5.0, 7.5])).tolist()
    [[0.2], [0.4]]
    """
    out = np.zeros((len(begin), scores.shape[1]))
    for column in range(scores.shape[1]):
        edges, values = score_over_time(starts, ends, scores[:, column].astype(np.float64))
        area = np.concatenate([[0.0], np.cumsum(np.nan_to_num(values) * np.diff(edges))])
        covered = np.concatenate([[0.0], np.cumsum(~np.isnan(values) * np.diff(edges))])
        total = np.interp(stop, edges, area) - np.interp(begin, edges, area)
        time = np.interp(stop, edges, covered) - np.interp(begin, edges, covered)
        np.divide(total, time, out=out[:, column], where=time > 0)
    return out


class Trimmed(NamedTuple):
    """Trimmed events: their times, and the positions of the events that they are parts of; (n,) each."""

    starts: Times
    ends: Times
    event: npt.NDArray[np.intp]


def trim_events(
    starts: Times, ends: Times, edges: Times, levels: npt.NDArray[np.float64], longest_pause: float
) -> Trimmed:
    """Trim events to where the sound is loud: above the middle of its lowest and its highest level in the event.

    Pauses up to ``longest_pause`` belong to an event; at longer ones it falls into two. If all levels of an event are
    equal, it stays as it is.

    Parameters
    ----------
    starts, ends
        (n_events,), in seconds, in order; events do not overlap.
    edges, levels
        (n + 1,) and (n,): the level over time, in dB, as of `score_over_time`. They cover the events.
    longest_pause
        In seconds.

    Examples
    --------
    >>> edges, levels = np.arange(9.0), np.array([0, 0, 30, 28, 1, 27, 0, 0.0])
    >>> trim_events(np.array([1.0]), np.array([7.0]), edges, levels, 1.0)
    Trimmed(starts=array([2.]), ends=array([6.]), event=array([0]))
    >>> trim_events(np.array([1.0]), np.array([7.0]), edges, levels, 0.5).ends.tolist()
    [4.0, 6.0]
    """
    if not len(starts):
        return Trimmed(starts, ends, np.zeros(0, dtype=np.intp))
    first = np.searchsorted(edges, starts, side="right") - 1
    counts = np.searchsorted(edges, ends, side="left") - first
    begin = np.cumsum(counts) - counts
    event = np.repeat(np.arange(len(starts)), counts)
    step = np.arange(len(event)) - np.repeat(begin - first, counts)
    level = levels[step]
    middle = (np.maximum.reduceat(level, begin) + np.minimum.reduceat(level, begin)) / 2
    is_loud = level >= middle[event]
    step, event = step[is_loud], event[is_loud]
    pause = edges[step[1:]] - edges[step[:-1] + 1]
    opens = np.concatenate([[True], (event[1:] != event[:-1]) | (pause > longest_pause)])
    i = np.flatnonzero(opens)
    j = np.append(i[1:], len(step)) - 1
    return Trimmed(
        np.maximum(edges[step[i]], starts[event[i]]), np.minimum(edges[step[j] + 1], ends[event[j]]), event[i]
    )


def _ticks(seconds: float) -> int:
    return round(seconds * _TICKS)
