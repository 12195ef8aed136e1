"""Long recordings, decoded and resampled block by block."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from aurist.audio import opened
from aurist.errors import DataError
from aurist.features.waves.shards import BLOCK, Float

#: Seconds beyond which a clip is decoded in blocks, into a shard of its own.
LONG = 300.0
_AROUND = 1024  # samples of the lower rate: soxr's filter reaches some 200 to each side


def is_long(path: Path, start: float, end: float | None) -> bool:
    """Whether a span is over `LONG`, or may be."""
    if end is not None:
        return end - start > LONG
    with opened(path) as source:
        info = source.info
        # ffmpeg does not know every length
        return info.duration - start > LONG or (info.format == "FFMPEG" and not info.frames)


def blocks(path: Path, sample_rate: int, start: float, end: float | None) -> Iterator[Float]:
    """What `aurist.audio.read` gives, in pieces of whole `BLOCK` samples but for the last, however long it is.

    Raises
    ------
    DataError
        Where the file cannot be decoded, or holds no samples there.
    """
    rest, done = np.zeros(0, dtype=np.float32), 0
    for piece in _resampled(path, sample_rate, start, end):
        rest = np.concatenate([rest, piece])
        whole = len(rest) // BLOCK * BLOCK
        if whole:
            yield rest[:whole]
            done += whole
            rest = rest[whole:]
    if len(rest):
        yield rest
    elif not done:
        raise DataError(f"{path} holds no samples")


def _resampled(path: Path, sample_rate: int, start: float, end: float | None) -> Iterator[Float]:
    import soxr

    with opened(path) as source:
        rate = source.info.sample_rate
        if rate == sample_rate:
            last = None if end is None else round(end * rate)
            yield from map(_mono, source.blocks(round(start * rate), last))
            return
        # a whole second is a sample of both rates
        around = math.ceil(_AROUND / min(rate, sample_rate))
        begin = max(0, math.floor(start) - around)
        stream = soxr.ResampleStream(rate, sample_rate, 1, dtype="float32", quality="HQ")
        first = round(start * sample_rate) - begin * sample_rate
        last = None if end is None else round(end * sample_rate) - begin * sample_rate
        done = 0
        stop = None if end is None else (math.ceil(end) + around) * rate
        for piece in _streamed(stream, map(_mono, source.blocks(begin * rate, stop))):
            yield piece[max(0, first - done) : None if last is None else max(0, last - done)]
            done += len(piece)


def _streamed(stream: Any, blocks: Iterator[Float]) -> Iterator[Float]:
    for block in blocks:
        yield stream.resample_chunk(block)
    yield stream.resample_chunk(np.zeros(0, dtype=np.float32), last=True)


def _mono(block: Float) -> Float:
    # column by column: mean(axis=1) over two or six values a row is far slower
    total: Float = functools.reduce(np.add, block.T)
    return np.ascontiguousarray(total if block.shape[1] == 1 else total * np.float32(1 / block.shape[1]))
