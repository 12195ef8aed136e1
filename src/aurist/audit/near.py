"""Find near duplicates: fingerprints that contain the same stretch of sound, at any position."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.audit.fingerprint import Bits, Fingerprint
from aurist.errors import DataError

I64 = npt.NDArray[np.int64]

#: Share of bits, reliable on both sides, that may differ between copies of one sound.
MAX_ERROR = 0.22
#: If few bits are compared the share is smaller: it grows from this fraction up to the full share at so many bits.
FEW_BITS, SURE_BITS = 0.42, 2_000
#: Fewer common bits are no evidence.
MIN_BITS = 200
#: The overlap must hold this share of the shorter sound's reliable bits ...
MIN_SHARE = 0.3
#: ... or a stretch of it this many bits, about 1.5 seconds: sounds that share a part.
LONG_BITS = 6_000

#: Tolerance in frames between two hits of one pair at the same offset.
JITTER = 2
#: Sounds with fewer frames of content are also indexed by shorter, more tolerant keys.
SHORT = 250
#: About this many frames of each sound enter the index; of longer sounds, a fixed fraction of all keys.
INDEXED = 1024

# (first bit, bits, minimum of reliable bits, sounds that may share a key before it is too common)
LONG_KEYS = [(0, 24, 18, 32), (20, 24, 18, 32), (40, 24, 18, 32)]
SHORT_KEYS = [(0, 20, 17, 64), (11, 20, 17, 64), (22, 20, 17, 64), (33, 20, 17, 64), (44, 20, 17, 64)]

#: Sounds that can be compared: their numbers have 19 bits in a hit.
MOST = 1 << 19

COLUMNS = ["a", "b", "offset", "overlap", "error", "bits"]


def near_pairs(prints: Sequence[Fingerprint], max_error: float = MAX_ERROR) -> pd.DataFrame:
    """Find pairs of sounds that share a stretch of sound.

    Candidates are sounds in which two groups of 20 or 24 neighbouring bits repeat exactly at one offset in time. Each
    candidate is then compared bit by bit over its whole overlap. The work grows with the number of chance matches, not
    with the number of pairs.

    Parameters
    ----------
    prints
        One fingerprint per sound; an empty one matches nothing.
    max_error
        Maximum share of differing bits between copies.

    Returns
    -------
    DataFrame
        One row per pair: ``a < b`` (positions in ``prints``), ``offset`` (seconds from the beginning of ``a`` to the
        beginning of ``b``), ``overlap`` (seconds), ``error`` (share of differing bits), ``bits`` (compared).

    Raises
    ------
    DataError
        If there are more sounds than `MOST`.
    """
    if len(prints) > MOST:
        raise DataError(
            f"{len(prints):,} recordings are too many to look for near duplicates among them: at most {MOST:,} can be "
            "compared. Check a part of them, or leave this out with near_duplicates=False."
        )
    if len(prints) < 2:
        return pd.DataFrame({name: np.empty(0, int if name in "ab" else float) for name in COLUMNS})
    code = np.concatenate([p.code for p in prints])
    reliable = np.concatenate([p.reliable for p in prints])
    count = np.array([len(p) for p in prints], dtype=np.int64)
    first = np.cumsum(count) - count
    a, b, offset = _candidates(code, reliable, count)
    from aurist.audit._kernels import compare

    offset, *columns = compare(code, reliable, first, count, a, b, offset, JITTER + 1, max_error).T
    whole = pd.DataFrame(dict(zip(("frames", "bits", "wrong"), columns[:3], strict=True)))
    stretch = pd.DataFrame(dict(zip(("frames", "bits", "wrong"), columns[3:], strict=True)))
    total = np.array([int(_count_ones(p.reliable).sum()) for p in prints], dtype=np.int64)
    allowed = max_error * np.minimum(1.0, FEW_BITS + (1 - FEW_BITS) * whole["bits"] / SURE_BITS)
    enough = whole["bits"] >= np.maximum(MIN_BITS, MIN_SHARE * np.minimum(total[a], total[b]))
    same = enough & (whole["wrong"] <= allowed * whole["bits"])
    shares_part = (stretch["bits"] >= LONG_BITS) & (stretch["wrong"] <= max_error * stretch["bits"])
    measured = whole.where(same, stretch)
    hop = np.array([p.hop for p in prints])[a]
    pairs = pd.DataFrame(
        {
            "a": a,
            "b": b,
            "offset": offset * hop,
            "overlap": measured["frames"] * hop,
            "error": measured["wrong"] / np.maximum(measured["bits"], 1),
            "bits": measured["bits"],
        }
    )[same | shares_part]
    best = pairs.sort_values(["a", "b", "bits"], ascending=[True, True, False]).drop_duplicates(["a", "b"])
    return pd.DataFrame(best.reset_index(drop=True))


def _candidates(code: Bits, reliable: Bits, count: I64) -> tuple[I64, I64, I64]:
    """Return pairs and offsets (in frames) at which two keys repeat."""
    item = np.repeat(np.arange(len(count)), count)
    frame = np.arange(len(code)) - np.repeat(np.cumsum(count) - count, count)
    content = np.bincount(item, weights=_count_ones(reliable) >= 16, minlength=len(count))
    # powers of two: a key that is used for a long sound is also used for an excerpt of it
    sparsity = np.exp2(np.ceil(np.log2(np.maximum(content / INDEXED, 1)))).astype(np.uint64)
    short = (content < SHORT)[item]
    hits = _hits(code, reliable, item, frame, sparsity[item], LONG_KEYS)
    if short.any():
        no_sparsity = np.ones(int(short.sum()), dtype=np.uint64)
        tolerant_hits = _hits(
            code[short], reliable[short], item[short], frame[short], no_sparsity, SHORT_KEYS
        )
        hits = np.sort(np.concatenate([hits, tolerant_hits]))
    if len(hits) < 2:
        return hits[:0], hits[:0], hits[:0]
    # hits are ordered by pair and then offset: close neighbours are two votes for one offset
    confirmed = hits[1:][np.diff(hits) <= JITTER]
    confirmed = np.unique(confirmed)
    return confirmed >> 44, (confirmed >> 24) & 0xFFFFF, (confirmed & 0xFFFFFF) - (1 << 23)


def _hits(
    code: Bits,
    reliable: Bits,
    item: npt.NDArray[np.intp],
    frame: I64,
    sparsity: Bits,
    keys: Sequence[tuple[int, int, int, int]],
) -> I64:
    """Return every repeat of a key in another sound, sorted, packed as a (20 bits), b (20), offset (24)."""
    out: list[I64] = []
    for begin, width, least, common in (_widened(key, len(code)) for key in keys):
        field = np.uint64((1 << width) - 1)
        key = (code >> np.uint64(begin)) & field
        is_used = _count_ones((reliable >> np.uint64(begin)) & field) >= least
        is_used &= ((key * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(40)) % sparsity == 0
        # a constant sound repeats its key: once is enough
        is_used[1:] &= (key[1:] != key[:-1]) | (item[1:] != item[:-1])
        rows = np.flatnonzero(is_used)
        rows = rows[np.argsort(key[rows], kind="stable")]
        out += _within_runs(key[rows], rows, item, frame, common)
    return np.sort(np.concatenate(out)) if out else np.empty(0, dtype=np.int64)


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


def _within_runs(
    key: Bits, rows: npt.NDArray[np.intp], item: npt.NDArray[np.intp], frame: I64, common: int
) -> list[I64]:
    """Return pairs within each run of equal keys; runs longer than ``common`` are left out."""
    if not len(key):
        return []
    starts = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))
    sizes = np.diff(np.concatenate([starts, [len(key)]]))
    rare = np.repeat((sizes > 1) & (sizes <= common), sizes)
    key, rows = key[rare], rows[rare]
    out: list[I64] = []
    for step in range(1, common):
        at = np.flatnonzero(key[step:] == key[:-step])
        if not len(at):
            break
        x, y = rows[at], rows[at + step]
        other = item[x] != item[y]
        x, y = x[other], y[other]
        out.append((item[x] << 44) | (item[y] << 24) | (frame[x] - frame[y] + (1 << 23)))
    return out


_TABLE = np.array([bin(i).count("1") for i in range(1 << 16)], dtype=np.uint8)


def _count_ones(words: Bits) -> npt.NDArray[np.int64]:
    """Count the set bits of each word."""
    counts = _TABLE[np.ascontiguousarray(words).view(np.uint16)].reshape(-1, 4)
    return np.asarray(counts.sum(axis=1, dtype=np.int64))
