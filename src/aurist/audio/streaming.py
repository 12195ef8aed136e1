"""Process sound block by block: one channel, at several sample rates at once, in constant memory."""

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
    """A decoded stretch of a recording.

    Parameters
    ----------
    sound
        (n_samples,), float32, by sample rate; fewer samples if the recording ends before.
    length
        Seconds of the whole recording if its end was reached; else None.
    silenced
        (start, end) in seconds of the recording: damaged, NaN or infinite samples there are replaced by silence.
    """

    sound: Mapping[int, Samples]
    length: float | None
    silenced: tuple[tuple[float, float], ...] = ()


def to_mono(block: Samples, channel: int | None) -> Samples:
    """Turn (n, channels) into (n,): one channel, counted from 0, or with None the mean of all."""
    if channel is not None or block.shape[1] == 1:
        return block[:, channel or 0]
    # column by column: mean(axis=1) over two or six values per row is far slower
    total: Samples = block[:, 0] + block[:, 1]
    for other in range(2, block.shape[1]):
        total += block[:, other]
    total *= np.float32(1 / block.shape[1])
    return total


def finite(piece: Samples, apart: int) -> tuple[Samples, list[tuple[int, int]]]:
    """Replace NaN and infinite samples by 0; also return their stretches [first, last).

    Stretches that are at most ``apart`` samples apart are joined.

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
    """Return the whole seconds to decode for a span, with the reach of a filter between these rates.

    They are whole, as only whole seconds fall on samples of every rate.

    Examples
    --------
    >>> span_around(2.5, 4.5, [44100, 8000]), span_around(0.5, None, [8000])
    ((1, 6), (0, None))
    """
    margin = math.ceil(_AROUND / min(rates))
    return max(0, math.floor(start) - margin), None if end is None else math.ceil(end) + margin


def resampled(
    pieces: Iterator[Samples],
    native: int,
    rates: Sequence[int],
    first: int,
    start: float,
    end: float | None,
) -> Iterator[dict[int, Samples]]:
    """Resample a span of a stream to each rate, piece by piece (soxr, high quality).

    Parameters
    ----------
    pieces
        (n,) each: the sound from second ``first`` on.
    native
        The sample rate of the pieces, in Hz.
    rates
        The target rates, in Hz.
    first
        See `span_around`.
    start, end
        The span, in seconds; ``end=None``: up to the end.
    """
    resamplers = {rate: _Rate(native, rate, first, start, end) for rate in rates}
    for piece in pieces:
        yield {rate: resampler.push(piece, last=False) for rate, resampler in resamplers.items()}
    yield {rate: resampler.push(np.zeros(0, np.float32), last=True) for rate, resampler in resamplers.items()}


class _Rate:
    """Resamples a stream to one rate and cuts it to the span."""

    def __init__(self, native: int, rate: int, first: int, start: float, end: float | None) -> None:
        import soxr

        same = rate == native
        self._stream = None if same else soxr.ResampleStream(native, rate, 1, dtype="float32", quality="HQ")
        self._from = round(start * rate) - first * rate
        self._to = None if end is None else round(end * rate) - first * rate
        self._done = 0

    def push(self, piece: Samples, *, last: bool) -> Samples:
        if self._stream is not None:
            piece = self._stream.resample_chunk(np.ascontiguousarray(piece), last=last)
        cut = piece[
            max(0, self._from - self._done) : None if self._to is None else max(0, self._to - self._done)
        ]
        self._done += len(piece)
        return np.ascontiguousarray(cut)
