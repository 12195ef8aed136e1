"""Match events with boxes of their class, and summarise precision and recall."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from aurist.events import Times

Numbers = npt.NDArray[np.float64]
#: An event is right if its intersection over union with a box of its class is at least this.
LEAST_IOU = 0.3


def match_events(
    starts: Times, ends: Times, box_starts: Times, box_ends: Times
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Match events, which do not overlap each other, with boxes of the same class.

    Returns
    -------
    right : (n_events,)
        The event is matched with a box: their intersection over union is at least `LEAST_IOU`, each is matched once,
        and the highest ones first.
    touching : (n_events,)
        The event shares some time with a box.
    touched : (n_boxes,)
        The box shares some time with an event.

    Examples
    --------
    >>> times = np.array([0.0, 10.0]), np.array([2.0, 11.0])
    >>> [flags.tolist() for flags in match_events(*times, np.array([0.5, 10.9]), np.array([2.0, 12.0]))]
    [[True, False], [True, True], [True, True]]
    """
    first = np.searchsorted(ends, box_starts, side="right")
    last = np.maximum(np.searchsorted(starts, box_ends, side="left"), first)
    counts = last - first
    box = np.repeat(np.arange(len(box_starts)), counts)
    event = np.arange(len(box)) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(first, counts)
    shared = np.minimum(ends[event], box_ends[box]) - np.maximum(starts[event], box_starts[box])
    union = np.maximum(ends[event], box_ends[box]) - np.minimum(starts[event], box_starts[box])
    iou = shared / np.maximum(union, 1e-9)
    right, touching = np.zeros((2, len(starts)), dtype=bool)
    touched, taken = np.zeros((2, len(box_starts)), dtype=bool)
    touching[event], touched[box] = True, True
    for pair in np.argsort(-iou, kind="stable"):
        if iou[pair] < LEAST_IOU:
            break
        if not right[event[pair]] and not taken[box[pair]]:
            right[event[pair]] = taken[box[pair]] = True
    return right, touching, touched


def area(recall: Numbers, precision: Numbers) -> Numbers:
    """Compute the area under precision over recall.

    The precision at a recall is the highest at this recall or a higher one.

    Parameters
    ----------
    recall, precision
        (n_thresholds, n_resamples): at thresholds that increase.

    Returns
    -------
    (n_resamples,)

    Examples
    --------
    >>> area(np.array([[0.5], [0.5], [0.25]]), np.array([[0.2], [0.5], [1.0]])).tolist()
    [0.375]
    """
    out = np.zeros(recall.shape[1])
    for column in range(recall.shape[1]):
        order = np.argsort(recall[:, column], kind="stable")
        best = np.maximum.accumulate(precision[order, column][::-1])[::-1]
        out[column] = np.sum(np.diff(recall[order, column], prepend=0.0) * best)
    return out
