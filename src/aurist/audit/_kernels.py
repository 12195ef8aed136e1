"""Compare fingerprints, and find repeats of their keys: the inner loops, compiled."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]

#: Of the bits that are reliable in two frames with the same key, apart from the key's, so many and a third may differ:
#: in copies no more do, and in a tenth of the pairs by chance.
MAY_DIFFER = np.uint64(2)


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
    long_bits: int,
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
    long_bits
        A pair with fewer common bits at all offsets, of which more than ``max_error`` differ, gets zeros.

    Returns
    -------
    (n_pairs, 7), int64
        The best offset; for the whole overlap, the counts of frames, of bits reliable on both sides, and of those that
        differ; for the best stretch, the same three.
    """
    out = np.zeros((len(a), 7), dtype=np.int64)
    for p in range(len(a)):
        i, j = a[p], b[p]
        shifts = range(offset[p] - slack, offset[p] + slack + 1)
        # most candidates are chance, and end here
        for shift in shifts:
            bits, wrong = _overlap(code, reliable, first[i], count[i], first[j], count[j], shift, long_bits)
            if bits >= long_bits or wrong <= max_error * bits:
                break
        else:
            continue
        best = -1.0
        for shift in shifts:
            begin = max(0, shift)
            end = max(begin, min(count[i], count[j] + shift))
            top, stretch = _best_stretch(
                code, reliable, first[i] + begin, first[j] + begin - shift, end - begin, max_error
            )
            if top > best:
                best = top
                out[p] = (shift, *stretch)
    return out


@njit(cache=True, nogil=True)
def _overlap(
    code: U64, reliable: U64, x: int, n_x: int, y: int, n_y: int, shift: int, most: int
) -> tuple[np.int64, np.int64]:
    """Count the common bits of an overlap, up to so many, and those of them that differ."""
    bits = wrong = np.int64(0)
    for t in range(max(0, shift), min(n_x, n_y + shift)):
        both = reliable[x + t] & reliable[y + t - shift]
        bits += np.int64(_count_ones(both))
        wrong += np.int64(_count_ones((code[x + t] ^ code[y + t - shift]) & both))
        if bits >= most:
            break
    return bits, wrong


@njit(cache=True, nogil=True)
def _best_stretch(
    code: U64, reliable: U64, x: int, y: int, n: int, max_error: float
) -> tuple[float, tuple[int, np.int64, np.int64, int, np.int64, np.int64]]:
    """Compare ``n`` frames from ``x`` and ``y`` on: how good the best stretch is, and the counts of `compare`."""
    all_bits = all_wrong = bits = wrong = np.int64(0)
    start = 0
    top = 0.0
    top_frames = 0
    top_bits = top_wrong = np.int64(0)
    for t in range(n):
        both = reliable[x + t] & reliable[y + t]
        of_frame = np.int64(_count_ones(both))
        wrong_of_frame = np.int64(_count_ones((code[x + t] ^ code[y + t]) & both))
        all_bits += of_frame
        all_wrong += wrong_of_frame
        if max_error * bits < wrong:
            bits = wrong = np.int64(0)
            start = t
        bits += of_frame
        wrong += wrong_of_frame
        if max_error * bits - wrong > top:
            top = max_error * bits - wrong
            top_frames, top_bits, top_wrong = t + 1 - start, bits, wrong
    return top, (n, all_bits, all_wrong, top_frames, top_bits, top_wrong)


@njit(cache=True, nogil=True)
def reliable_bits(reliable: U64, first: I64, count: I64) -> I64:
    """Count the reliable bits of each item, (n_items,); parameters as for `compare`."""
    out = np.zeros(len(first), dtype=np.int64)
    for i in range(len(first)):
        for t in range(first[i], first[i] + count[i]):
            out[i] += np.int64(_count_ones(reliable[t]))
    return out


@njit(cache=True, nogil=True)
def count_content(reliable: U64, frame: U64, least: int, content: I64) -> None:
    """Add the frames with at least so many reliable bits to the count of their sound.

    Parameters
    ----------
    reliable, frame : (n_frames,), uint64
        As for `select_keys`.
    least
        The number of bits.
    content : (n_items,), int64
        Is changed.
    """
    for t in range(len(reliable)):
        if _count_ones(reliable[t]) >= np.uint64(least):
            content[frame[t] >> np.uint64(24)] += 1


@njit(cache=True, nogil=True)
def select_keys(
    code: U64,
    reliable: U64,
    frame: U64,
    sparsity: U64,
    begin: int,
    width: int,
    least: int,
    part_bits: int,
) -> tuple[U64, I64]:
    """Choose the keys of a block of sounds that enter the index.

    Parameters
    ----------
    code, reliable : (n_frames,), uint64
        The fingerprints of whole sounds, concatenated.
    frame : (n_frames,), uint64
        The number of the sound above 24 bits for that of the frame.
    sparsity : (n_items,), uint64
        Of a sound, one of so many keys is used.
    begin, width, least
        A key has ``width`` bits from bit ``begin`` on, of which ``least`` are reliable.
    part_bits
        The index has two to the power of this many parts.

    Returns
    -------
    records : (n, 3), uint64
        The rest of a key, which its part leaves, above 44 bits for the frame; code and reliable bits of the frame.
    part : (n,), int64
        The part of each key.
    """
    field = np.uint64((1 << width) - 1)
    rest_bits = np.uint64(width - part_bits)
    shift, high, factor = np.uint64(begin), np.uint64(44), np.uint64(0x9E3779B97F4A7C15)
    records = np.empty((len(code), 3), dtype=np.uint64)
    parts = np.empty(len(code), dtype=np.int64)
    n = 0
    for t in range(len(code)):
        key = (code[t] >> shift) & field
        # a constant sound repeats its key: once is enough
        if (
            t
            and key == (code[t - 1] >> shift) & field
            and frame[t] >> np.uint64(24) == frame[t - 1] >> np.uint64(24)
        ):
            continue
        mixed = key * factor
        if (mixed >> np.uint64(40)) % sparsity[frame[t] >> np.uint64(24)] != np.uint64(0):
            continue
        if _count_ones((reliable[t] >> shift) & field) < np.uint64(least):
            continue
        # an odd factor gives each key another number of as many bits: parts are about equal
        mixed &= field
        parts[n] = np.int64(mixed >> rest_bits)
        records[n, 0] = ((mixed & ((np.uint64(1) << rest_bits) - np.uint64(1))) << high) | frame[t]
        records[n, 1], records[n, 2] = code[t], reliable[t]
        n += 1
    return records[:n].copy(), parts[:n].copy()


@njit(cache=True, nogil=True)
def by_bucket(numbers: U64, bucket: I64, n_buckets: int) -> tuple[U64, I64]:
    """Order rows of numbers by their buckets.

    Parameters
    ----------
    numbers : (n, n_columns), uint64
    bucket : (n,), int64
        The bucket of each.
    n_buckets
        The number of buckets.

    Returns
    -------
    in_order : (n, n_columns), uint64
        Those of a bucket keep their order.
    bounds : (n_buckets + 1,), int64
        Where each bucket begins, and the end.
    """
    bounds = np.zeros(n_buckets + 1, dtype=np.int64)
    for b in bucket:
        bounds[b + 1] += 1
    bounds = np.cumsum(bounds)
    free = bounds.copy()
    in_order = np.empty_like(numbers)
    for i in range(len(numbers)):
        in_order[free[bucket[i]]] = numbers[i]
        free[bucket[i]] += 1
    return in_order, bounds


@njit(cache=True, nogil=True)
def repeats(records: U64, order: U64, key: np.uint64, common: int, first: int, out: U64) -> tuple[int, int]:
    """Write pairs of frames, of two sounds, that share a key and differ in few of their other bits.

    Of a key that more than ``common`` frames share, each frame is paired with the next one only: many copies of one
    sound are connected, and their work does not grow with the square of their number.

    Parameters
    ----------
    records : (n, 3), uint64
        Those of `select_keys`, of one part.
    order : (n,), uint64
        What is left of the keys above 44 bits for the number of the record, sorted.
    key
        The bits of the key in a code.
    common
        The number of frames.
    first
        Where to begin.
    out : at least ``common`` squared, uint64
        Takes pairs: the number of one sound above 44 bits, of the other one above 24, and the frames between their
        beginnings plus 2 to the power of 23.

    Returns
    -------
    n, next
        The number of pairs, and where to continue.
    """
    high, low = np.uint64(44), np.uint64(24)
    numbers = np.uint64((1 << 44) - 1)
    frames = np.uint64((1 << 24) - 1)
    others = ~key
    n = 0
    while first < len(order):
        last = first + 1
        while last < len(order) and order[last] >> high == order[first] >> high:
            last += 1
        # a run that was cut is as long as it was
        begin = first
        while begin > 0 and last - begin <= common and order[begin - 1] >> high == order[first] >> high:
            begin -= 1
        size, end = last - begin, last
        if size <= common:
            reach = size - 1
            if n + size * reach > len(out):
                break
        else:
            reach = 1
            last = min(last, first + len(out) - n)
            if last - first < 2:
                break
        for i in range(first, last if size > 1 else first):
            x = records[order[i] & numbers]
            a, t = (x[0] & numbers) >> low, x[0] & frames
            for j in range(i + 1, min(i + 1 + reach, last)):
                y = records[order[j] & numbers]
                b = (y[0] & numbers) >> low
                both = x[2] & y[2] & others
                if a != b and _count_ones((x[1] ^ y[1]) & both) <= MAY_DIFFER + _count_ones(
                    both
                ) // np.uint64(3):
                    out[n] = (a << high) | (b << low) | (t + np.uint64(1 << 23) - (y[0] & frames))
                    n += 1
        # a run that is cut continues with its last frame
        first = last if last == end else last - 1
    return n, first
