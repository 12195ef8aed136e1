"""Decode and resample long recordings block by block."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from aurist.audio import open_audio, resampled, span_around, to_mono
from aurist.errors import DataError
from aurist.features.waves.shards import BLOCK, Float

#: Longer clips, in seconds, are decoded in blocks, into their own shard.
LONG = 300.0


def is_long(path: Path, start: float, end: float | None) -> bool:
    """Tell whether a span is longer than `LONG`, or may be."""
    if end is not None:
        return end - start > LONG
    with open_audio(path) as source:
        return source.info.duration - start > LONG


def blocks(path: Path, sample_rate: int, start: float, end: float | None) -> Iterator[Float]:
    """Yield the result of `aurist.audio.read` in pieces of whole `BLOCK` samples, except for the last piece.

    Raises
    ------
    DataError
        If the file cannot be decoded, or holds no samples there.
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
    with open_audio(path) as source:
        native = source.info.sample_rate
        first, last = span_around(start, end, [native, sample_rate])
        mono = (
            to_mono(block, None)
            for block in source.blocks(first * native, None if last is None else last * native)
        )
        for piece in resampled(mono, native, [sample_rate], first, start, end):
            yield piece[sample_rate]
