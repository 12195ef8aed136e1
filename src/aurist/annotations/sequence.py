"""Raven's selections over two recordings or more, which it opens one after another: a part for each."""

from __future__ import annotations

import math
import posixpath
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

#: Seconds by which times of a table may differ: programs round them.
_TOLERANCE = 0.01


@dataclass(frozen=True)
class Selection:
    """A selection in time.

    Parameters
    ----------
    path
        The recording that it begins in.
    start, end
        Seconds from the beginning of that recording; the end may lie behind its end.
    begin
        Seconds in the sequence where that recording begins; NaN: not known.
    last
        The recording that it ends in; None: the table does not say.
    """

    path: str
    start: float
    end: float
    begin: float = math.nan
    last: str | None = None


class RecordingSequence:
    """Recordings one after another, as the selections of a table tell it.

    Parameters
    ----------
    spans
        All selections.
    seconds
        Gives the length of a recording; None: not known.
    """

    def __init__(self, spans: Sequence[Selection], seconds: Callable[[str], float | None]) -> None:
        self._seconds = seconds
        begins: dict[str, float] = {}
        for span in spans:
            if not math.isnan(span.begin):
                begins.setdefault(span.path, span.begin)
        self._begins = dict(sorted(begins.items(), key=lambda pair: pair[1]))
        together = any(after - before <= _TOLERANCE for before, after in pairwise(self._begins.values()))
        if together or any(self._contradicts(span) for span in spans):
            self._begins = {}  # tables that were joined, say

    def _contradicts(self, span: Selection) -> bool:
        """Tell whether a selection cannot be in this one sequence."""
        if math.isnan(span.begin):
            return False
        if abs(span.begin - self._begins[span.path]) > _TOLERANCE:
            return True
        following = self._next(span.path)
        return following is not None and span.begin + span.start >= self._begins[following] + _TOLERANCE

    def _next(self, path: str) -> str | None:
        """The next recording of which the table says where it begins."""
        if path not in self._begins:
            return None
        begin = self._begins[path] + _TOLERANCE
        return next((other for other, at in self._begins.items() if at > begin), None)

    def _called(self, last: str | None) -> str | None:
        """A recording as its own selections call it: its name alone may stand in "End File"."""
        same = [
            path for path in self._begins if last and posixpath.basename(path) == posixpath.basename(last)
        ]
        return same[0] if len(same) == 1 and last not in self._begins else last

    def parts(self, span: Selection) -> list[Selection] | None:
        """Divide a selection among its recordings; itself where it is in one; None where that cannot be known.

        Examples
        --------
        >>> spans = [Selection("a.wav", 58, 63, 0), Selection("b.wav", 10, 11, 60)]
        >>> [(part.path, part.start, part.end) for part in RecordingSequence(spans, lambda _: None).parts(spans[0])]
        [('a.wav', 58, 60), ('b.wav', 0.0, 3)]
        """
        following = None if math.isnan(span.begin) else self._next(span.path)
        span = replace(span, last=self._called(span.last))
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
        """By where the recordings begin, of which it may hold some as a whole."""
        end = span.begin + span.end
        begins = list(self._begins.items())
        made = []
        for place, (path, begin) in enumerate(begins):
            until = begins[place + 1][1] if place + 1 < len(begins) else math.inf
            start = span.start if path == span.path else 0.0
            stop = min(end, until) - begin
            if span.begin <= begin + _TOLERANCE and stop - start > _TOLERANCE:
                made.append(Selection(path, start, stop))
        if not made or span.last not in (None, made[-1].path):
            return None
        return made


def end_of(begin: str, path: str, file: str) -> str | None:
    """The recording that a selection ends in, where that is another than it begins in.

    Parameters
    ----------
    begin
        The recording that it begins in, with its folders if they are known.
    path, file
        Cells of "End Path" and "End File", either may be empty.

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
