"""Divide Raven's selections that cross from one recording to the next, as Raven opens them in sequence."""

from __future__ import annotations

import math
import posixpath
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

#: Tolerance of times in seconds, as programs round them.
_TOLERANCE = 0.01


@dataclass(frozen=True)
class Selection:
    """A selection in time.

    Parameters
    ----------
    path
        The recording that it begins in.
    start, end
        Seconds from the beginning of that recording; the end may be after its end.
    begin
        Seconds from the start of the sequence to the start of that recording; NaN: unknown.
    last
        The recording that it ends in; None: the table does not say.
    """

    path: str
    start: float
    end: float
    begin: float = math.nan
    last: str | None = None


class RecordingSequence:
    """A sequence of recordings, derived from the selections of a table.

    Parameters
    ----------
    spans
        All selections.
    seconds
        Returns the length of a recording; None: unknown.
    """

    def __init__(self, spans: Sequence[Selection], seconds: Callable[[str], float | None]) -> None:
        self._seconds = seconds
        begins: dict[str, float] = {}
        for span in spans:
            if not math.isnan(span.begin):
                begins.setdefault(span.path, span.begin)
        self._begins = dict(sorted(begins.items(), key=lambda pair: pair[1]))
        overlapping = any(after - before <= _TOLERANCE for before, after in pairwise(self._begins.values()))
        if overlapping or any(self._contradicts(span) for span in spans):
            self._begins = {}  # probably joined tables

    def _contradicts(self, span: Selection) -> bool:
        """Tell whether a selection does not fit this sequence."""
        if math.isnan(span.begin):
            return False
        if abs(span.begin - self._begins[span.path]) > _TOLERANCE:
            return True
        following = self._next(span.path)
        return following is not None and span.begin + span.start >= self._begins[following] + _TOLERANCE

    def _next(self, path: str) -> str | None:
        """Return the next recording with a known start."""
        if path not in self._begins:
            return None
        begin = self._begins[path] + _TOLERANCE
        return next((other for other, at in self._begins.items() if at > begin), None)

    def _full_path(self, last: str | None) -> str | None:
        """Return a recording's path as in its own selections, as "End File" may hold only its name."""
        same = [
            path for path in self._begins if last and posixpath.basename(path) == posixpath.basename(last)
        ]
        return same[0] if len(same) == 1 and last not in self._begins else last

    def divide(self, span: Selection) -> list[Selection] | None:
        """Divide a selection among its recordings; return it whole if it is in one, None if that is unknown.

        Examples
        --------
        >>> spans = [Selection("a.wav", 58, 63, 0), Selection("b.wav", 10, 11, 60)]
        >>> [(s.path, s.start, s.end) for s in RecordingSequence(spans, lambda _: None).divide(spans[0])]
        [('a.wav', 58, 60), ('b.wav', 0.0, 3)]
        """
        following = None if math.isnan(span.begin) else self._next(span.path)
        span = replace(span, last=self._full_path(span.last))
        if span.last is None:
            if following is None or span.begin + span.end <= self._begins[following] + _TOLERANCE:
                return [span]
            length = self._seconds(span.path)
            if length is not None and span.end <= length + _TOLERANCE:
                return [span]
        if span.last is None or (span.last in self._begins and following is not None):
            return self._by_begins(span)
        length = self._seconds(span.path)
        if length is None or not span.start < length < span.end:
            return None
        return [replace(span, end=length), Selection(str(span.last), 0.0, span.end - length)]

    def _by_begins(self, span: Selection) -> list[Selection] | None:
        """Divide by the starts of recordings; the selection may contain whole recordings."""
        end = span.begin + span.end
        begins = list(self._begins.items())
        selections = []
        for index, (path, begin) in enumerate(begins):
            until = begins[index + 1][1] if index + 1 < len(begins) else math.inf
            start = span.start if path == span.path else 0.0
            stop = min(end, until) - begin
            if span.begin <= begin + _TOLERANCE and stop - start > _TOLERANCE:
                selections.append(Selection(path, start, stop))
        if not selections or span.last not in (None, selections[-1].path):
            return None
        return selections


def end_of(begin: str, path: str, file: str) -> str | None:
    """Return the recording that a selection ends in, if it is not the one that it begins in.

    Parameters
    ----------
    begin
        The recording that it begins in, with its folders if known.
    path, file
        Cells of "End Path" and "End File"; either may be empty.

    Examples
    --------
    >>> end_of("x/a.wav", "", "b.wav"), end_of("x/a.wav", "", "a.wav"), end_of("a.wav", "", "")
    ('x/b.wav', None, None)
    """
    given = (path or file).replace("\\", "/")
    if not given or given == begin:
        return None
    if "/" in given and "/" in begin:
        return given
    name = posixpath.basename(given)
    return None if name == posixpath.basename(begin) else posixpath.join(posixpath.dirname(begin), name)
