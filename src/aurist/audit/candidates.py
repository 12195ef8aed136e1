"""Find pairs of fingerprints in which keys repeat: the candidates for near duplicates.

Fingerprints are read in blocks, keys are sorted in parts, and repeats of keys lie in a temporary file, sorted by the
first sound: memory does not grow with the number of sounds, but for the pairs that are found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from aurist.audit.fingerprint import Bits
from aurist.audit.prints import I64, Prints, SpillFile

#: Tolerance in frames between two hits of one pair at the same offset.
JITTER = 2
#: Sounds with fewer frames of content are also indexed by shorter, more tolerant keys.
SHORT = 250
#: About this many frames of each sound enter the index; of longer sounds, a fixed fraction of all keys.
INDEXED = 1024

# (first bit, bits, minimum of reliable bits, sounds that may share a key before it is too common)
LONG_KEYS = [(0, 24, 18, 32), (20, 24, 18, 32), (40, 24, 18, 32)]
SHORT_KEYS = [(0, 20, 17, 64), (11, 20, 17, 64), (22, 20, 17, 64), (33, 20, 17, 64), (44, 20, 17, 64)]

#: Frames that are read together.
_AT_ONCE = 1 << 18
#: Frames whose keys are sorted together.
_SORTED = 1 << 21
#: Frames of all sounds for each bucket of hits: chance repeats a key of a frame a few times.
_FRAMES_PER_BUCKET = 1 << 18
#: A frame of a sound as one number: the sound's, then these bits for the frame's.
_FRAME_BITS = 24
_FRAME = (1 << _FRAME_BITS) - 1
#: The sound ``a`` of a hit is above these bits.
_A_BITS = 44


def candidates(prints: Prints) -> tuple[I64, I64, I64]:
    """Return pairs ``a < b`` and offsets in frames, (n,) each, at which two keys repeat."""
    items = np.arange(len(prints))
    content = np.zeros(len(prints), dtype=np.int64)
    for _, reliable, frame in _blocks(prints, items):
        has_content = count_ones(reliable) >= 16
        content += np.bincount(frame[has_content] >> _FRAME_BITS, minlength=len(prints))
    # powers of two: a key that is used for a long sound is also used for an excerpt of it
    sparsity = np.exp2(np.ceil(np.log2(np.maximum(content / INDEXED, 1)))).astype(np.uint64)
    hits = _Hits(prints)
    try:
        _add_hits(hits, prints, items, sparsity, LONG_KEYS)
        _add_hits(hits, prints, np.flatnonzero(content < SHORT), np.ones_like(sparsity), SHORT_KEYS)
        confirmed = hits.confirmed()
    finally:
        hits.close()
    return confirmed >> _A_BITS, (confirmed >> 24) & 0xFFFFF, (confirmed & 0xFFFFFF) - (1 << 23)


class _Hits:
    """Repeats of keys, packed as a (20 bits), b (20), offset (24), in buckets of neighbouring sounds ``a``."""

    def __init__(self, prints: Prints) -> None:
        self._file = SpillFile(prints.file.folder)
        n_buckets = 1 + int(prints.n_frames.sum()) // _FRAMES_PER_BUCKET
        edges = np.linspace(0, len(prints), n_buckets + 1).astype(np.int64)
        self._edges = edges[1:-1] << _A_BITS
        #: By batch, the position of each bucket's first hit in the file, and the end.
        self._positions: list[I64] = []

    def add(self, hits: I64) -> None:
        """Add a batch; it is sorted in place."""
        hits.sort()
        bounds = np.concatenate([[0], np.searchsorted(hits, self._edges), [len(hits)]])
        self._positions.append(self._file.append(hits) + bounds)

    def confirmed(self) -> I64:
        """Return the hits, (n,), with another hit of the same pair at about the same offset."""
        confirmed = [np.empty(0, dtype=np.int64)]
        for bucket in range(len(self._edges) + 1):
            spans = [(int(at[bucket]), int(at[bucket + 1])) for at in self._positions]
            hits = np.empty(sum(end - begin for begin, end in spans), dtype=np.int64)
            filled = 0
            for begin, end in spans:
                self._file.read(begin, hits[filled : filled + end - begin])
                filled += end - begin
            hits.sort()
            # hits are ordered by pair and then offset: close neighbours are two votes for one offset
            confirmed.append(np.unique(hits[1:][np.diff(hits) <= JITTER]))
        return np.concatenate(confirmed)

    def close(self) -> None:
        self._file.close()


def _add_hits(
    hits: _Hits,
    prints: Prints,
    items: npt.NDArray[np.intp],
    sparsity: Bits,
    keys: Sequence[tuple[int, int, int, int]],
) -> None:
    """Add every repeat of a key in another of these sounds."""
    from aurist.audit._kernels import select_keys

    n_frames = int(prints.n_frames[items].sum())
    n_parts = 1 + n_frames // _SORTED
    for begin, width, least, common in (_widened(key, n_frames) for key in keys):
        for part in range(n_parts):
            used = [
                select_keys(*block, sparsity, begin, width, least, part, n_parts)
                for block in _blocks(prints, items)
            ]
            if used:
                of_keys, of_frames = map(np.concatenate, zip(*used, strict=True))
                used.clear()
                hits.add(_repeats(of_keys, of_frames, common))


def _blocks(prints: Prints, items: npt.NDArray[np.intp]) -> Iterator[tuple[Bits, Bits, I64]]:
    """Yield codes, reliable bits and frames, (n,) each, of whole sounds together."""
    count = prints.n_frames[items]
    cuts = np.flatnonzero(np.diff(np.cumsum(count) // _AT_ONCE)) + 1
    for together, n in zip(np.split(items, cuts), np.split(count, cuts), strict=True):
        if n.sum():
            frame = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)
            yield (*prints.frames(together), (np.repeat(together, n) << _FRAME_BITS) | frame)


def _widened(key: tuple[int, int, int, int], n_frames: int) -> tuple[int, int, int, int]:
    """Widen a key for many frames: chance then repeats each less than twice, and work and memory grow with the frames.

    Examples
    --------
    >>> _widened((44, 20, 17, 64), 500_000), _widened((44, 20, 17, 64), 8_000_000)
    ((44, 20, 17, 64), (42, 22, 19, 64))
    """
    begin, width, least, common = key
    more = max(0, n_frames.bit_length() - 1 - width)
    return min(begin, 64 - width - more), width + more, least + more, common


def _repeats(key: npt.NDArray[np.uint32], frame: I64, common: int) -> I64:
    """Return the pairs within each run of equal keys, (n,); runs longer than ``common`` are left out."""
    if not len(key):
        return np.empty(0, dtype=np.int64)
    # one number of key and position sorts faster than positions by keys
    order = (key.astype(np.uint64) << np.uint64(32)) | np.arange(len(key), dtype=np.uint64)
    order.sort()
    key = (order >> np.uint64(32)).astype(np.uint32)
    repeats = np.concatenate([[False], key[1:] == key[:-1], [False]])
    in_run = repeats[1:] | repeats[:-1]
    key, order = key[in_run], order[in_run]  # most keys stand alone, and need no more memory
    frame = frame[(order & np.uint64(0xFFFFFFFF)).astype(np.intp)]
    starts = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))
    sizes = np.diff(np.concatenate([starts, [len(key)]]))
    rare = np.repeat(sizes <= common, sizes)
    key, frame = key[rare], frame[rare]
    pairs = [np.empty(0, dtype=np.int64)]
    for step in range(1, common):
        at = np.flatnonzero(key[step:] == key[:-step])
        if not len(at):
            break
        x, y = frame[at], frame[at + step]
        other = x >> _FRAME_BITS != y >> _FRAME_BITS
        x, y = x[other], y[other]
        offset = (x & _FRAME) - (y & _FRAME) + (1 << 23)
        pairs.append(((x >> _FRAME_BITS) << _A_BITS) | ((y >> _FRAME_BITS) << 24) | offset)
    return np.concatenate(pairs)


_TABLE = np.array([bin(i).count("1") for i in range(1 << 16)], dtype=np.uint8)


def count_ones(words: Bits) -> npt.NDArray[np.uint8]:
    """Count the set bits of each word."""
    counts = _TABLE[np.ascontiguousarray(words).view(np.uint16)].reshape(-1, 4)
    return np.asarray(counts.sum(axis=1, dtype=np.uint8))
