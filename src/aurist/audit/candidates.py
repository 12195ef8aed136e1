"""Find pairs of fingerprints in which keys repeat: the candidates for near duplicates.

Fingerprints are read in blocks. The keys of all frames are divided into parts, and their repeats into buckets of
neighbouring sounds, both in temporary files: time grows with the sounds, and memory hardly.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from aurist.audit.buckets import Buckets
from aurist.audit.fingerprint import Bits
from aurist.audit.prints import I64, Prints

#: Tolerance in frames between two hits of one pair at the same offset.
JITTER = 2
#: Sounds with fewer frames of content are also indexed by shorter, more tolerant keys.
SHORT = 250
#: A frame with so many reliable bits has content.
CONTENT_BITS = 16
#: About this many frames of each sound enter the index; of longer sounds, a fixed fraction of all keys.
INDEXED = 1024

# (first bit, bits, minimum of reliable bits, frames that may share a key before it is too common)
LONG_KEYS = [(0, 24, 18, 32), (20, 24, 18, 32), (40, 24, 18, 32)]
SHORT_KEYS = [(0, 20, 17, 64), (11, 20, 17, 64), (22, 20, 17, 64), (33, 20, 17, 64), (44, 20, 17, 64)]

#: Where chance repeats a key of 24 bits, a key of 20 bits within it confirms that. Among short sounds, which have both,
#: the former therefore get so many bits more.
_ROOM = 4

#: Frames that are read together.
_AT_ONCE = 1 << 17
#: Frames whose keys are sorted together, about.
_SORTED = 1 << 16
#: Frames of all sounds for each bucket of hits: chance repeats a key of a frame a few times.
_FRAMES_PER_BUCKET = 1 << 17
#: Hits that are found at a time.
_HITS_AT_ONCE = 1 << 18
#: A frame of a sound as one number: the sound's, then these bits for the frame's.
_FRAME_BITS = 24
#: The sound ``a`` of a hit is above these bits, and so is what its part leaves of a key: at most so many bits.
_HIGH_BITS, _REST_BITS = 44, 20


def candidates(prints: Prints) -> Iterator[tuple[I64, I64, I64]]:
    """Yield pairs ``a < b`` and offsets in frames, (n,) each, at which two keys repeat.

    Each time those of some neighbouring sounds ``a``, in order.
    """
    from aurist.audit._kernels import count_content

    items = np.arange(len(prints))
    content = np.zeros(len(prints), dtype=np.int64)
    for _, reliable, frame in _blocks(prints, items):
        count_content(reliable, frame, CONTENT_BITS, content)
    # powers of two: a key that is used for a long sound is also used for an excerpt of it
    sparsity = np.exp2(np.ceil(np.log2(np.maximum(content / INDEXED, 1)))).astype(np.uint64)
    with Buckets(prints.file.folder, 1 + int(prints.n_frames.sum()) // _FRAMES_PER_BUCKET, 1) as hits:
        short = content < SHORT
        n_long, n_short = int((content // sparsity.astype(np.int64)).sum()), int(content[short].sum())
        _add_hits(hits, prints, items, sparsity, LONG_KEYS, max(n_long, n_short << _ROOM))
        _add_hits(hits, prints, items[short], np.ones_like(sparsity), SHORT_KEYS, n_short // 2)
        for bucket in range(hits.n):
            of_bucket = hits.read(bucket).ravel()
            of_bucket.sort()
            # hits are ordered by pair and then offset: close neighbours are two votes for one offset
            confirmed = np.unique(of_bucket[1:][np.diff(of_bucket) <= JITTER]).astype(np.int64)
            if len(confirmed):
                offset = (confirmed & 0xFFFFFF) - (1 << 23)
                yield confirmed >> _HIGH_BITS, (confirmed >> _FRAME_BITS) & 0xFFFFF, offset


def _add_hits(
    hits: Buckets,
    prints: Prints,
    items: npt.NDArray[np.intp],
    sparsity: Bits,
    keys: Sequence[tuple[int, int, int, int]],
    n_frames: int,
) -> None:
    """Add the repeats of a key, as wide as for so many frames, in another of these sounds.

    They are packed as a (20 bits), b (20), offset (24).
    """
    from aurist.audit._kernels import select_keys

    n_parts = int(prints.n_frames[items].sum()) // _SORTED
    for begin, width, least, common in (_widened(key, n_frames) for key in keys):
        bits = np.uint64(((1 << width) - 1) << begin)
        part_bits = max(width - _REST_BITS, n_parts.bit_length())
        with Buckets(prints.file.folder, 1 << part_bits, 3) as parts:
            for block in _blocks(prints, items):
                parts.add(*select_keys(*block, sparsity, begin, width, least, part_bits))
            for pairs in _repeats(parts, bits, common):
                sound = (pairs >> np.uint64(_HIGH_BITS)).astype(np.int64)
                hits.add(pairs[:, None], sound * hits.n // len(prints))


def _repeats(parts: Buckets, bits: np.uint64, common: int) -> Iterator[Bits]:
    """Yield the pairs of frames that share a key, (n,) each time, from the records of all parts."""
    from aurist.audit._kernels import repeats

    pairs, n = np.empty(max(_HITS_AT_ONCE, common**2), dtype=np.uint64), 0
    for part in range(parts.n):
        records = parts.read(part)
        order = records[:, 0] >> np.uint64(_HIGH_BITS) << np.uint64(_HIGH_BITS)
        order |= np.arange(len(records), dtype=np.uint64)
        order.sort()
        first = 0
        while first < len(order):
            more, first = repeats(records, order, bits, common, first, pairs[n:])
            n += more
            if first < len(order):
                yield pairs[:n]
                n = 0
    yield pairs[:n]


def _blocks(prints: Prints, items: npt.NDArray[np.intp]) -> Iterator[tuple[Bits, Bits, Bits]]:
    """Yield codes, reliable bits and frames, (n,) each, of whole sounds together."""
    count = prints.n_frames[items]
    cuts = np.flatnonzero(np.diff(np.cumsum(count) // _AT_ONCE)) + 1
    for together, n in zip(np.split(items, cuts), np.split(count, cuts), strict=True):
        if n.sum():
            frame = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)
            frame |= np.repeat(together, n) << _FRAME_BITS
            yield (*prints.frames(together), frame.view(np.uint64))


def _widened(key: tuple[int, int, int, int], n_frames: int) -> tuple[int, int, int, int]:
    """Widen a key for many frames: chance then repeats each a few times, and work and memory grow with the frames.

    Examples
    --------
    >>> _widened((44, 20, 17, 64), 500_000), _widened((44, 20, 17, 64), 8_000_000)
    ((44, 20, 17, 64), (42, 22, 19, 64))
    """
    begin, width, least, common = key
    more = max(0, n_frames.bit_length() - 1 - width)
    return min(begin, 64 - width - more), width + more, least + more, common
