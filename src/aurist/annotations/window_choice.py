"""Propose the length of windows, and the seconds from one to the next, from the lengths of the boxes."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.annotations.table import ABSENT, Annotations
from aurist.errors import plural

#: The window holds this share of the boxes whole; a second one to try the next share, or the last. Half of them:
#: events of shorter windows were right more often, out of fold and on nights (benchmarks/README.md).
_SHARE, _OTHER_SHARES = 0.5, (0.75, 0.9)
#: The shortest and the longest window to propose, the steps between them, and the window without any box, in seconds.
#: A longer window hardly tells when; a shorter one holds too little sound to recognise most calls.
_SHORTEST, _LONGEST, _STEP, _WITHOUT = 1.0, 5.0, 0.5, 5.0
#: Calls of milliseconds, such as those of bats, get shorter windows: so many times their length, in steps of so many s.
_TIMES, _BRIEFEST = 20.0, 0.1
#: If this share of at least so many boxes has one length, to a hundredth, they are equal parts of the recordings.
_EQUAL, _FEWEST = 0.9, 5


class WindowChoice(NamedTuple):
    """The seconds of a window and to the next one, and a sentence for people."""

    window: float
    hop: float
    note: str


def propose_window(annotations: Annotations) -> WindowChoice:
    """Propose a window that holds half of the boxes whole, and windows that overlap by half.

    Annotations of equal parts, such as of five seconds each, give windows like these parts, without overlap: nobody
    knows where in the part the call is.

    Examples
    --------
    >>> from aurist.annotations import make_annotations
    >>> rows = [{"path": "a.wav", "start": i, "end": i + 0.2 * i, "label": "wren"} for i in range(1, 10)]
    >>> propose_window(make_annotations(rows, "a.txt"))[:2]
    (1.0, 0.5)
    """
    table = annotations.table[annotations.table["state"] != ABSENT]
    lengths = _lengths(table)
    if not len(lengths):
        return WindowChoice(_WITHOUT, _WITHOUT / 2, _note(_WITHOUT, _WITHOUT / 2, "no box has a length"))
    common = float(np.median(lengths))
    if _are_equal(lengths):
        window = round(min(max(common, 0.1), 60.0), 2)
        reason = f"{plural(len(lengths), 'box', 'boxes')}, nearly all of {common:.3g} s"
        return WindowChoice(window, window, _note(window, window, reason))
    window = _holding(float(np.quantile(lengths, _SHARE)))
    reason = (
        f"{plural(len(lengths), 'box', 'boxes')}, half of them of at most {common:.2g} s, three quarters of at most "
        f"{np.quantile(lengths, _OTHER_SHARES[0]):.2g} s"
    )
    note = _note(window, window / 2, reason)
    shorter = _keeping_apart(table, window)
    if shorter is not None:
        note += (
            f". Calls of a class follow each other within a window, and become one event; window={shorter:.2g} and "
            f"hop={shorter / 2:.2g} keep them apart, but a call is recognised by less sound"
        )
    return WindowChoice(window, window / 2, note)


def _in_brief_steps(seconds: float) -> float:
    """Round up to steps, at least one: boxes may be as short as a file can say."""
    return max(1, math.ceil(seconds / _BRIEFEST - 1e-6)) * _BRIEFEST


def next_window(boxes: pd.DataFrame, window: float) -> float | None:
    """Give the seconds of the window to compare with the proposed one; None if there is none to try.

    One that keeps calls apart that follow each other closely; or one that holds three quarters of the boxes whole; or,
    where that is the proposed one, nine tenths of them. Boxes of one length have no other.

    Parameters
    ----------
    boxes
        The boxes that are present: ``path, start, end, label``.
    window
        Seconds of the proposed window.

    Examples
    --------
    >>> boxes = pd.DataFrame({"path": "a", "label": "wren", "start": range(0, 90, 10)})
    >>> next_window(boxes.assign(end=boxes["start"] * 1.03 + 0.1), 1.5)
    2.0
    """
    lengths = _lengths(boxes)
    if not len(lengths) or _are_equal(lengths):
        return None
    shorter = _keeping_apart(boxes, window)
    others = [shorter] if shorter is not None else []
    others += [_holding(float(np.quantile(lengths, share))) for share in _OTHER_SHARES]
    return next((other for other in others if other != window), None)


def _lengths(table: pd.DataFrame) -> npt.NDArray[np.float64]:
    lengths = (table["end"] - table["start"]).to_numpy(dtype=np.float64)
    return lengths[lengths > 0]


def _are_equal(lengths: npt.NDArray[np.float64]) -> bool:
    """Tell if nearly all boxes have one length."""
    common = float(np.median(lengths))
    return bool(len(lengths) >= _FEWEST and np.mean(np.abs(lengths - common) <= 0.01 * common) >= _EQUAL)


def _holding(whole: float) -> float:
    """Return the window for boxes of up to this length."""
    window = max(math.ceil(min(whole, _LONGEST) / _STEP - 1e-6) * _STEP, _SHORTEST)
    return round(min(window, _in_brief_steps(_TIMES * min(whole, _LONGEST))), 1)


def _keeping_apart(table: pd.DataFrame, window: float) -> float | None:
    """Return a shorter window if calls of a class follow each other within the window; None if they do not."""
    whole = float(np.quantile(_lengths(table), _OTHER_SHARES[0]))
    if whole >= window / 2 or not _follow_closely(table, window):
        return None
    return round(_in_brief_steps(2 * whole), 1)


def _follow_closely(table: pd.DataFrame, window: float) -> bool:
    """Tell if most boxes have the next one of their class within a window."""
    ordered = table.sort_values(["path", "label", "start"], kind="stable")
    next_start = ordered.groupby(["path", "label"])["start"].shift(-1)
    return bool(((next_start - ordered["end"]) < window).mean() > 0.5)


def _note(window: float, hop: float, reason: str) -> str:
    return (
        f"windows: {window:g} s, one every {hop:g} s, by the lengths of the boxes ({reason}); window= and hop= change "
        "this"
    )
