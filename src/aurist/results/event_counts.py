"""Count right and wrong events of annotated recordings, from the out-of-fold scores of their windows.

All recordings are laid one after the other on one axis of time, with gaps between them, so that each class is searched
once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.arrays import Proba
from aurist.events import Times, parts_over_time, score_over_time, trim_events
from aurist.results.event_matching import match_events

Numbers = npt.NDArray[np.float64]
#: Seconds between two recordings on the axis.
_GAP = 60.0
#: The columns of counts.
COUNTS = ("events", "right", "touching", "boxes", "touched", "alarms")


@dataclass(frozen=True)
class InWindows:
    """Times of a class within windows, by one of two; with neither, the windows alone tell them.

    Parameters
    ----------
    when
        (n_rows, n_parts, n_classes): frames of networks, as `aurist.inference.frames.frames_out_of_fold` gives them.
    levels
        (n_rows, n_parts, n_classes): the sound of the class, in half dB, to which events are trimmed.
    """

    when: npt.NDArray[np.uint8] | None = None
    levels: npt.NDArray[np.uint8] | None = None


#: Windows alone.
WINDOWS = InWindows()


@dataclass(frozen=True)
class ClassScores:
    """One class over time.

    Parameters
    ----------
    edges, values, recording
        (n + 1,), (n,), (n,): its score, and the recording of each value.
    levels
        Edges and values of the level of its sound, if events are trimmed to it.
    """

    edges: Times
    values: Numbers
    recording: npt.NDArray[np.intp]
    levels: tuple[Times, Numbers] | None


@dataclass(frozen=True)
class LaidOut:
    """The windows of annotated recordings on one axis, and their boxes.

    Parameters
    ----------
    rows
        (n,): the rows of the scores that are used, in the order of the axis.
    starts, ends
        (n,): of the windows.
    offsets
        (n_recordings,): where each recording begins on the axis, ascending. Each of its groups counts as one.
    folds, groups
        (n_recordings,).
    boxes
        ``start, end, column, recording``, ordered by start.
    hours
        (n_recordings,): hours that no box covers.
    """

    rows: npt.NDArray[np.intp]
    starts: Times
    ends: Times
    offsets: Times
    folds: npt.NDArray[np.int64]
    groups: npt.NDArray[np.int64]
    boxes: pd.DataFrame
    hours: Numbers

    def scores(self, proba: Proba, column: int, inside: InWindows = WINDOWS) -> ClassScores:
        """Compute the score of a class over time, and the level of its sound."""
        if inside.when is None:
            edges, values = score_over_time(self.starts, self.ends, proba[self.rows, column].astype(float))
        else:
            shares = inside.when[self.rows, :, column] / 255 * proba[self.rows, column, None]
            edges, values = parts_over_time(self.starts, self.ends, shares)
        recording = np.searchsorted(self.offsets, edges[:-1] + 1e-6, side="right") - 1
        levels = None
        if inside.levels is not None:
            levels = parts_over_time(self.starts, self.ends, inside.levels[self.rows, :, column])
        return ClassScores(edges, values, recording, levels)

    def count(
        self, scores: ClassScores, column: int, thresholds: Numbers
    ) -> dict[str, npt.NDArray[np.int64]]:
        """Count events of a class by recording; ``thresholds`` is (n_recordings,).

        Returns
        -------
        By the names of `COUNTS`, (n_recordings,) each: events; right ones; those that touch a box of the class; boxes
        of the class; those that an event touches; events that touch no box of any class.
        """
        with np.errstate(invalid="ignore"):
            above = np.concatenate([[False], scores.values >= thresholds[scores.recording], [False]])
        first, last = np.flatnonzero(above[1:] & ~above[:-1]), np.flatnonzero(above[:-1] & ~above[1:])
        starts, ends, recording = scores.edges[first], scores.edges[last], scores.recording[first]
        if scores.levels is not None:
            window = float((self.ends - self.starts).max())
            starts, ends, event = trim_events(starts, ends, *scores.levels, window)
            recording = recording[event]
        own = self.boxes[self.boxes["column"] == column]
        right, touching, touched = match_events(
            starts, ends, own["start"].to_numpy(float), own["end"].to_numpy(float)
        )
        any_start, any_end = self._covered
        following = np.searchsorted(any_end, starts, side="right")
        is_free = (following == len(any_end)) | (np.append(any_start, np.inf)[following] >= ends)
        of_boxes = own["recording"].to_numpy(np.intp)
        n = len(self.offsets)
        return {
            "events": np.bincount(recording, minlength=n),
            "right": np.bincount(recording[right], minlength=n),
            "touching": np.bincount(recording[touching], minlength=n),
            "boxes": np.bincount(of_boxes, minlength=n),
            "touched": np.bincount(of_boxes[touched], minlength=n),
            "alarms": np.bincount(recording[is_free], minlength=n),
        }

    @property
    def _covered(self) -> tuple[Times, Times]:
        return merged(self.boxes["start"].to_numpy(float), self.boxes["end"].to_numpy(float))


def lay_out(
    table: pd.DataFrame,
    folds: npt.NDArray[np.int64],
    groups: npt.NDArray[np.int64],
    boxes: pd.DataFrame,
    classes: Sequence[str],
) -> LaidOut | None:
    """Lay windows and boxes on one axis; None if there are no windows or no boxes.

    Parameters
    ----------
    table
        The windows: ``path, start, end``.
    folds, groups
        (n,): of the windows.
    boxes
        ``path, start, end, label``.
    classes
        The names of the columns of scores.
    """
    if not len(table) or not len(boxes):
        return None
    windows = pd.DataFrame(
        {
            "path": table["path"].to_numpy(),
            "start": table["start"].to_numpy(float),
            "end": table["end"].to_numpy(float),
            "fold": folds,
            "group": groups,
        }
    )
    windows["part"] = pd.factorize(pd.MultiIndex.from_frame(windows[["path", "group"]]))[0]
    windows = windows.sort_values(["part", "start", "end"], kind="stable")
    parts = windows.groupby("part", sort=True)
    begin, stop = parts["start"].min().to_numpy(), parts["end"].max().to_numpy()
    lengths = stop - begin + _GAP
    offsets = np.cumsum(lengths) - lengths
    shift = offsets - begin
    part = windows["part"].to_numpy()
    placed = _place_boxes(boxes, parts["path"].first().to_numpy(), begin, stop, shift, classes)
    starts, ends = windows["start"].to_numpy() + shift[part], windows["end"].to_numpy() + shift[part]
    covered = merged(placed["start"].to_numpy(float), placed["end"].to_numpy(float))
    seconds = _seconds(merged(starts, ends), offsets) - _seconds(
        _shared(merged(starts, ends), covered), offsets
    )
    return LaidOut(
        windows.index.to_numpy(np.intp),
        starts,
        ends,
        offsets,
        parts["fold"].first().to_numpy(np.int64),
        parts["group"].first().to_numpy(np.int64),
        placed,
        np.maximum(seconds, 0) / 3600,
    )


def merged(starts: Times, ends: Times) -> tuple[Times, Times]:
    """Join stretches that overlap or touch; the result is ordered.

    Examples
    --------
    >>> [times.tolist() for times in merged(np.array([4.0, 0.0, 1.0]), np.array([5.0, 2.0, 3.0]))]
    [[0.0, 4.0], [3.0, 5.0]]
    """
    order = np.argsort(starts, kind="stable")
    starts, latest = starts[order], np.maximum.accumulate(ends[order]) if len(ends) else ends
    is_first = np.concatenate([[True], starts[1:] > latest[:-1]]) if len(starts) else np.zeros(0, dtype=bool)
    is_last = np.append(is_first[1:], True) if len(starts) else is_first
    return starts[is_first], latest[is_last]


def _shared(one: tuple[Times, Times], other: tuple[Times, Times]) -> tuple[Times, Times]:
    """Return the stretches in both of two ordered lists of stretches."""
    first = np.searchsorted(other[1], one[0], side="right")
    counts = np.maximum(np.searchsorted(other[0], one[1], side="left") - first, 0)
    a = np.repeat(np.arange(len(one[0])), counts)
    b = np.arange(len(a)) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(first, counts)
    return np.maximum(one[0][a], other[0][b]), np.minimum(one[1][a], other[1][b])


def _seconds(stretches: tuple[Times, Times], offsets: Times) -> Numbers:
    """Sum the seconds of stretches by recording."""
    recording = np.searchsorted(offsets, stretches[0] + 1e-6, side="right") - 1
    return np.bincount(recording, stretches[1] - stretches[0], minlength=len(offsets)).astype(np.float64)


def _place_boxes(
    boxes: pd.DataFrame,
    paths: npt.NDArray[np.object_],
    begin: Times,
    stop: Times,
    shift: Times,
    classes: Sequence[str],
) -> pd.DataFrame:
    """Put boxes on the axis, cut to the windows; a point is a box of a thousandth of a second."""
    parts = pd.DataFrame({"path": paths, "begin": begin, "stop": stop, "recording": np.arange(len(paths))})
    placed = boxes.assign(column=pd.Index(classes).get_indexer(pd.Index(boxes["label"]))).merge(
        parts, on="path"
    )
    until = placed["end"].clip(lower=placed["start"] + 1e-3)
    placed = placed[(until > placed["begin"]) & (placed["start"] < placed["stop"]) & (placed["column"] >= 0)]
    start = np.maximum(placed["start"].to_numpy(float), placed["begin"].to_numpy(float))
    end = np.minimum(until[placed.index].to_numpy(float), placed["stop"].to_numpy(float))
    offset = shift[placed["recording"].to_numpy(np.intp)]
    placed = placed.assign(start=start + offset, end=end + offset)
    ordered: pd.DataFrame = placed.sort_values("start", kind="stable").reset_index(drop=True)
    return ordered[["start", "end", "column", "recording"]]
