"""Find pairs of fingerprints in which keys repeat: the candidates for near duplicates.

Fingerprints are looked at in blocks, and keys are sorted in parts: beside the fingerprints, only the repeats of keys
grow with the number of sounds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from aurist.audit.fingerprint import Bits, Fingerprint

I64 = npt.NDArray[np.int64]

#: Tolerance in frames between two hits of one pair at the same offset.
JITTER = 2
#: Sounds with fewer frames of content are also indexed by shorter, more tolerant keys.
SHORT = 250
#: About this many frames of each sound enter the index; of longer sounds, a fixed fraction of all keys.
INDEXED = 1024

# (first bit, bits, minimum of reliable bits, sounds that may share a key before it is too common)
LONG_KEYS = [(0, 24, 18, 32), (20, 24, 18, 32), (40, 24, 18, 32)]
SHORT_KEYS = [(0, 20, 17, 64), (11, 20, 17, 64), (22, 20, 17, 64), (33, 20, 17, 64), (44, 20, 17, 64)]

#: Frames, and hits, that are looked at together.
_AT_ONCE = 1 << 18
#: Frames whose keys are sorted together.
_SORTED = 1 << 21
#: A frame of a sound as one number: the sound's, then these bits for the frame's.
_FRAME_BITS = 24
_FRAME = (1 << _FRAME_BITS) - 1


def candidates(prints: Sequence[Fingerprint]) -> tuple[I64, I64, I64]:
    """Return pairs ``a < b`` and offsets in frames, (n,) each, at which two keys repeat."""
    content = np.array([np.count_nonzero(count_ones(p.reliable) >= 16) for p in prints])
    # powers of two: a key that is used for a long sound is also used for an excerpt of it
    sparsity = np.exp2(np.ceil(np.log2(np.maximum(content / INDEXED, 1)))).astype(np.uint64)
    hits = np.empty(0, dtype=np.int64)
    _add_hits(hits, prints, np.arange(len(prints)), sparsity, LONG_KEYS)
    _add_hits(hits, prints, np.flatnonzero(content < SHORT), np.ones_like(sparsity), SHORT_KEYS)
    hits.sort()
    # hits are ordered by pair and then offset: close neighbours are two votes for one offset
    parts = (hits[begin : begin + _AT_ONCE + 1] for begin in range(0, len(hits), _AT_ONCE))
    close = [part[1:][np.diff(part) <= JITTER] for part in parts]
    confirmed = np.unique(np.concatenate([hits[:0], *close]))
    return confirmed >> 44, (confirmed >> 24) & 0xFFFFF, (confirmed & 0xFFFFFF) - (1 << 23)


def _add_hits(
    hits: I64,
    prints: Sequence[Fingerprint],
    items: npt.NDArray[np.intp],
    sparsity: Bits,
    keys: Sequence[tuple[int, int, int, int]],
) -> None:
    """Append every repeat of a key in another of these sounds, packed as a (20 bits), b (20), offset (24)."""
    n_frames = sum(len(prints[item]) for item in items)
    n_parts = 1 + n_frames // _SORTED
    for begin, width, least, common in (_widened(key, n_frames) for key in keys):
        for part in range(n_parts):
            used = [
                _used(*block, sparsity, (begin, width, least), (part, n_parts))
                for block in _blocks(prints, items)
            ]
            if used:
                of_keys, of_frames = map(np.concatenate, zip(*used, strict=True))
                used.clear()
                _add_runs(hits, of_keys, of_frames, common)


def _blocks(prints: Sequence[Fingerprint], items: npt.NDArray[np.intp]) -> Iterator[tuple[Bits, Bits, I64]]:
    """Yield codes, reliable bits and frames, (n,) each, of whole sounds together."""
    count = np.array([len(prints[item]) for item in items], dtype=np.int64)
    cuts = np.flatnonzero(np.diff(np.cumsum(count) // _AT_ONCE)) + 1
    for together, n in zip(np.split(items, cuts), np.split(count, cuts), strict=True):
        if n.sum():
            of_block = [prints[item] for item in together]
            frame = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)
            yield (
                np.concatenate([p.code for p in of_block]),
                np.concatenate([p.reliable for p in of_block]),
                (np.repeat(together, n) << _FRAME_BITS) | frame,
            )


def _used(
    code: Bits, reliable: Bits, frame: I64, sparsity: Bits, bits: tuple[int, int, int], part: tuple[int, int]
) -> tuple[npt.NDArray[np.unsignedinteger], I64]:
    """Return the keys of a block that enter one part of the index, and their frames."""
    begin, width, least = bits
    field = np.uint64((1 << width) - 1)
    key = (code >> np.uint64(begin)) & field
    item = frame >> _FRAME_BITS
    is_used = count_ones((reliable >> np.uint64(begin)) & field) >= least
    is_used &= ((key * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(40)) % sparsity[item] == 0
    # a constant sound repeats its key: once is enough
    is_used[1:] &= (key[1:] != key[:-1]) | (item[1:] != item[:-1])
    is_used &= key % np.uint64(part[1]) == part[0]
    return key[is_used].astype(np.min_scalar_type(field)), frame[is_used]


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


def _add_runs(hits: I64, key: npt.NDArray[np.unsignedinteger], frame: I64, common: int) -> None:
    """Append the pairs within each run of equal keys; runs longer than ``common`` are left out."""
    if not len(key):
        return
    order = np.argsort(key, kind="stable")
    key = key[order]
    repeats = np.concatenate([[False], key[1:] == key[:-1], [False]])
    in_run = repeats[1:] | repeats[:-1]
    key, frame = key[in_run], frame[order[in_run]]  # most keys stand alone, and need no more memory
    del order
    starts = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))
    sizes = np.diff(np.concatenate([starts, [len(key)]]))
    rare = np.repeat(sizes <= common, sizes)
    key, frame = key[rare], frame[rare]
    for step in range(1, common):
        at = np.flatnonzero(key[step:] == key[:-step])
        if not len(at):
            break
        x, y = frame[at], frame[at + step]
        other = x >> _FRAME_BITS != y >> _FRAME_BITS
        x, y = x[other], y[other]
        offset = (x & _FRAME) - (y & _FRAME) + (1 << 23)
        _append(hits, ((x >> _FRAME_BITS) << 44) | ((y >> _FRAME_BITS) << 24) | offset)


def _append(array: I64, more: I64) -> None:
    """Append in place: a list of parts and their concatenation would take twice the memory."""
    n = len(array)
    array.resize(n + len(more), refcheck=False)
    array[n:] = more


_TABLE = np.array([bin(i).count("1") for i in range(1 << 16)], dtype=np.uint8)


def count_ones(words: Bits) -> npt.NDArray[np.uint8]:
    """Count the set bits of each word."""
    counts = _TABLE[np.ascontiguousarray(words).view(np.uint16)].reshape(-1, 4)
    return np.asarray(counts.sum(axis=1, dtype=np.uint8))
