"""Sound block by block: one channel of it, at several sample rates at once, in memory that does not grow."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np

from aurist.audio.info import Samples

_AROUND = 1024  # samples of the lower rate: soxr's filter reaches some 200 to each side


@dataclass(frozen=True)
class Stretch:
    """A stretch of a recording.

    Parameters
    ----------
    sound
        By sample rate, (n_samples,), float32; fewer than were asked for where the recording ends before.
    length
        Seconds of the whole recording, where its end was met; else None.
    silenced
        (start, end) in seconds of the recording: what is damaged there, NaN or infinite, is given as silence.
    """

    sound: Mapping[int, Samples]
    length: float | None
    silenced: tuple[tuple[float, float], ...] = ()


def one_channel(block: Samples, channel: int | None) -> Samples:
    """(n, channels) to (n,): one of them, counted from 0, or with None the mean of all."""
    if channel is not None or block.shape[1] == 1:
        return block[:, channel or 0]
    # column by column: mean(axis=1) over two or six values a row is far slower
    total: Samples = block[:, 0] + block[:, 1]
    for other in range(2, block.shape[1]):
        total += block[:, other]
    total *= np.float32(1 / block.shape[1])
    return total


def finite(piece: Samples, apart: int) -> tuple[Samples, list[tuple[int, int]]]:
    """(n,) with 0 for what is NaN or infinite, and where that was: [first, last), one stretch up to ``apart`` samples.

    Examples
    --------
    >>> finite(np.array([0.5, np.nan, 0.5, np.inf, 0.5, 0.5, 0.5, np.nan], np.float32), apart=2)[1]
    [(1, 4), (7, 8)]
    """
    good = np.isfinite(piece)
    if good.all():
        return piece, []
    bad = np.flatnonzero(~good)
    cuts = np.flatnonzero(np.diff(bad) > apart)
    first, last = bad[np.append(0, cuts + 1)], bad[np.append(cuts, -1)] + 1
    return np.where(good, piece, np.float32(0)), list(zip(first.tolist(), last.tolist(), strict=True))


@overload
def span_around(start: float, end: float, rates: Sequence[int]) -> tuple[int, int]: ...
@overload
def span_around(start: float, end: float | None, rates: Sequence[int]) -> tuple[int, int | None]: ...
def span_around(start: float, end: float | None, rates: Sequence[int]) -> tuple[int, int | None]:
    """The whole seconds to decode for a span: what a filter between these rates reaches is within them.

    Whole, since only these are surely samples of every rate.

    Examples
    --------
    >>> span_around(2.5, 4.5, [44100, 8000]), span_around(0.5, None, [8000])
    ((1, 6), (0, None))
    """
    around = math.ceil(_AROUND / min(rates))
    return max(0, math.floor(start) - around), None if end is None else math.ceil(end) + around


def resampled(
    pieces: Iterator[Samples],
    native: int,
    rates: Sequence[int],
    first: int,
    start: float,
    end: float | None,
) -> Iterator[dict[int, Samples]]:
    """The span of a stream at each rate, piece by piece (soxr, high quality).

    Parameters
    ----------
    pieces
        (n,) each: the sound from second ``first`` on.
    native
        Its sample rate, in Hz.
    rates
        Those wanted.
    first
        See `span_around`.
    start, end
        The span, in seconds; ``end=None``: all that comes.
    """
    wanted = {rate: _Rate(native, rate, first, start, end) for rate in rates}
    for piece in pieces:
        yield {rate: one.hear(piece, last=False) for rate, one in wanted.items()}
    yield {rate: one.hear(np.zeros(0, np.float32), last=True) for rate, one in wanted.items()}


class _Rate:
    """The stream at one rate, cut to the span."""

    def __init__(self, native: int, rate: int, first: int, start: float, end: float | None) -> None:
        import soxr

        same = rate == native
        self._stream = None if same else soxr.ResampleStream(native, rate, 1, dtype="float32", quality="HQ")
        self._from = round(start * rate) - first * rate
        self._to = None if end is None else round(end * rate) - first * rate
        self._done = 0

    def hear(self, piece: Samples, *, last: bool) -> Samples:
        if self._stream is not None:
            piece = self._stream.resample_chunk(np.ascontiguousarray(piece), last=last)
        cut = piece[
            max(0, self._from - self._done) : None if self._to is None else max(0, self._to - self._done)
        ]
        self._done += len(piece)
        return np.ascontiguousarray(cut)
