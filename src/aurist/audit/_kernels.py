"""Compare fingerprints, and choose keys of them: the inner loops, compiled."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]


@njit(cache=True, nogil=True, inline="always")
def _count_ones(x: np.uint64) -> np.uint64:
    x = x - ((x >> np.uint64(1)) & np.uint64(0x5555555555555555))
    x = (x & np.uint64(0x3333333333333333)) + ((x >> np.uint64(2)) & np.uint64(0x3333333333333333))
    x = (x + (x >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (x * np.uint64(0x0101010101010101)) >> np.uint64(56)


@njit(cache=True, nogil=True)
def compare(
    code: U64,
    reliable: U64,
    first: I64,
    count: I64,
    a: I64,
    b: I64,
    offset: I64,
    slack: int,
    max_error: float,
) -> I64:
    """Compare pairs of fingerprints near a given offset, over the whole overlap and over its best stretch.

    Parameters
    ----------
    code, reliable : (n_frames,), uint64
        The fingerprints of all items, concatenated: bits, and which of them are reliable.
    first, count : (n_items,), int64
        First frame of each item, and its count of frames.
    a, b, offset : (n_pairs,), int64
        Frame ``t`` of ``b`` is compared with frame ``t + offset`` of ``a``.
    slack
        Frames to try on either side of the offset.
    max_error
        A stretch grows while the share of differing bits stays below this.

    Returns
    -------
    (n_pairs, 7), int64
        The best offset; for the whole overlap, the counts of frames, of bits reliable on both sides, and of those that
        differ; for the best stretch, the same three.
    """
    out = np.zeros((len(a), 7), dtype=np.int64)
    for p in range(len(a)):
        i, j = a[p], b[p]
        best = -1.0
        for shift in range(offset[p] - slack, offset[p] + slack + 1):
            begin = max(0, shift)
            end = max(begin, min(count[i], count[j] + shift))
            all_bits = all_wrong = bits = wrong = np.int64(0)
            start = begin
            top = 0.0
            top_frames = 0
            top_bits = top_wrong = np.int64(0)
            for t in range(begin, end):
                x = first[i] + t
                y = first[j] + t - shift
                both = reliable[x] & reliable[y]
                n = np.int64(_count_ones(both))
                w = np.int64(_count_ones((code[x] ^ code[y]) & both))
                all_bits += n
                all_wrong += w
                if max_error * bits < wrong:
                    bits = wrong = np.int64(0)
                    start = t
                bits += n
                wrong += w
                if max_error * bits - wrong > top:
                    top = max_error * bits - wrong
                    top_frames, top_bits, top_wrong = t + 1 - start, bits, wrong
            if top > best:
                best = top
                out[p] = (shift, end - begin, all_bits, all_wrong, top_frames, top_bits, top_wrong)
    return out


@njit(cache=True, nogil=True)
def select_keys(
    code: U64,
    reliable: U64,
    frame: I64,
    sparsity: U64,
    begin: int,
    width: int,
    least: int,
    part: int,
    n_parts: int,
) -> tuple[U32, I64]:
    """Choose the keys of a block of sounds that enter one part of the index.

    Parameters
    ----------
    code, reliable : (n_frames,), uint64
        The fingerprints of whole sounds, concatenated.
    frame : (n_frames,), int64
        The number of the sound above 24 bits for that of the frame.
    sparsity : (n_items,), uint64
        Of a sound, one of so many keys is used.
    begin, width, least
        A key has ``width`` bits from bit ``begin`` on, of which ``least`` are reliable.
    part, n_parts
        The part of the index: keys with this remainder.

    Returns
    -------
    key : (n,), uint32
        Without the remainder.
    frame : (n,), int64
    """
    field = np.uint64((1 << width) - 1)
    shift, parts, this = np.uint64(begin), np.uint64(n_parts), np.uint64(part)
    keys = np.empty(len(code), dtype=np.uint32)
    frames = np.empty(len(code), dtype=np.int64)
    n = 0
    for t in range(len(code)):
        key = (code[t] >> shift) & field
        if key % parts != this:
            continue
        # a constant sound repeats its key: once is enough
        if t and key == (code[t - 1] >> shift) & field and frame[t] >> 24 == frame[t - 1] >> 24:
            continue
        if ((key * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(40)) % sparsity[frame[t] >> 24] != np.uint64(
            0
        ):
            continue
        if _count_ones((reliable[t] >> shift) & field) < np.uint64(least):
            continue
        keys[n], frames[n] = key // parts, frame[t]
        n += 1
    return keys[:n].copy(), frames[:n].copy()
