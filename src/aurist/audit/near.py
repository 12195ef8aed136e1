"""Near duplicates: which fingerprints stem from the same stretch of sound, wherever in them it lies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.audit.fingerprint import Bits, Fingerprint

I64 = npt.NDArray[np.int64]

#: Of the bits known on both sides, the share that may differ between copies of one sound.
MAX_ERROR = 0.22
#: ... and less where few bits can be compared: the allowance grows from this share of it up to so many bits.
FEW_BITS, SURE_BITS = 0.42, 2_000
#: Fewer bits in common than this prove nothing.
MIN_BITS = 200
#: The overlap must hold this share of the shorter sound's known bits ...
MIN_SHARE = 0.3
#: ... or some stretch of it this many bits, about a second and a half: sounds that share a part.
LONG_BITS = 6_000

#: Frames by which two hits of one pair may differ and still speak for the same offset.
JITTER = 2
#: Sounds with fewer frames of content than this are indexed by shorter, more forgiving keys as well.
SHORT = 250
#: About as many frames of each sound enter the index; of longer sounds, those whose key happens to be even.
INDEXED = 1024

# (first bit, bits, of which known, sounds that may share a key before it is taken for commonplace)
LONG_KEYS = [(0, 24, 18, 32), (20, 24, 18, 32), (40, 24, 18, 32)]
SHORT_KEYS = [(0, 20, 17, 64), (11, 20, 17, 64), (22, 20, 17, 64), (33, 20, 17, 64), (44, 20, 17, 64)]

COLUMNS = ["a", "b", "offset", "overlap", "error", "bits"]


def near_pairs(prints: Sequence[Fingerprint], max_error: float = MAX_ERROR) -> pd.DataFrame:
    """Pairs of sounds that share a stretch of sound.

    Candidates are sounds in which two groups of 20 or 24 neighbouring bits recur exactly at one offset in time;
    each is then compared bit by bit over its whole overlap. The work grows with the number of chance
    recurrences and not with that of pairs.

    Parameters
    ----------
    prints
        One fingerprint a sound; an empty one matches nothing.
    max_error
        The share of differing bits up to which a pair is one of copies.

    Returns
    -------
    DataFrame
        One row a pair: ``a < b`` (positions in ``prints``), ``offset`` (seconds from the beginning of ``a`` to
        that of ``b``), ``overlap`` (seconds), ``error`` (share of differing bits), ``bits`` (compared).
    """
    if len(prints) < 2:
        return pd.DataFrame({name: np.empty(0, int if name in "ab" else float) for name in COLUMNS})
    code = np.concatenate([p.code for p in prints])
    known = np.concatenate([p.known for p in prints])
    count = np.array([len(p) for p in prints], dtype=np.int64)
    first = np.cumsum(count) - count
    a, b, offset = _candidates(code, known, count)
    from aurist.audit._kernels import compare

    offset, *columns = compare(code, known, first, count, a, b, offset, JITTER + 1, max_error).T
    whole = pd.DataFrame(dict(zip(("frames", "bits", "wrong"), columns[:3], strict=True)))
    stretch = pd.DataFrame(dict(zip(("frames", "bits", "wrong"), columns[3:], strict=True)))
    total = np.array([int(_ones(p.known).sum()) for p in prints], dtype=np.int64)
    allowed = max_error * np.minimum(1.0, FEW_BITS + (1 - FEW_BITS) * whole["bits"] / SURE_BITS)
    enough = whole["bits"] >= np.maximum(MIN_BITS, MIN_SHARE * np.minimum(total[a], total[b]))
    same = enough & (whole["wrong"] <= allowed * whole["bits"])
    part = (stretch["bits"] >= LONG_BITS) & (stretch["wrong"] <= max_error * stretch["bits"])
    shown = whole.where(same, stretch)
    hop = np.array([p.hop for p in prints])[a]
    pairs = pd.DataFrame(
        {
            "a": a,
            "b": b,
            "offset": offset * hop,
            "overlap": shown["frames"] * hop,
            "error": shown["wrong"] / np.maximum(shown["bits"], 1),
            "bits": shown["bits"],
        }
    )[same | part]
    best = pairs.sort_values(["a", "b", "bits"], ascending=[True, True, False]).drop_duplicates(["a", "b"])
    return pd.DataFrame(best.reset_index(drop=True))


def _candidates(code: Bits, known: Bits, count: I64) -> tuple[I64, I64, I64]:
    """Pairs and offsets (in frames) at which two keys recur."""
    item = np.repeat(np.arange(len(count)), count)
    frame = np.arange(len(code)) - np.repeat(np.cumsum(count) - count, count)
    content = np.bincount(item, weights=_ones(known) >= 16, minlength=len(count))
    # powers of two, so that a key kept in a long sound is also kept in an excerpt of it
    sparsity = np.exp2(np.ceil(np.log2(np.maximum(content / INDEXED, 1)))).astype(np.uint64)
    short = (content < SHORT)[item]
    hits = _hits(code, known, item, frame, sparsity[item], LONG_KEYS)
    if short.any():
        one = np.ones(int(short.sum()), dtype=np.uint64)
        forgiving = _hits(code[short], known[short], item[short], frame[short], one, SHORT_KEYS)
        hits = np.sort(np.concatenate([hits, forgiving]))
    if len(hits) < 2:
        return hits[:0], hits[:0], hits[:0]
    # hits are ordered by pair and then offset: neighbours that hardly differ are two votes for one offset
    twice = hits[1:][np.diff(hits) <= JITTER]
    twice = np.unique(twice)
    return twice >> 44, (twice >> 24) & 0xFFFFF, (twice & 0xFFFFFF) - (1 << 23)


def _hits(
    code: Bits,
    known: Bits,
    item: npt.NDArray[np.intp],
    frame: I64,
    sparsity: Bits,
    keys: Sequence[tuple[int, int, int, int]],
) -> I64:
    """Every recurrence of a key in another sound, sorted, packed as a (20 bits), b (20), offset (24)."""
    out: list[I64] = []
    for begin, width, least, common in keys:
        field = np.uint64((1 << width) - 1)
        key = (code >> np.uint64(begin)) & field
        use = _ones((known >> np.uint64(begin)) & field) >= least
        use &= ((key * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(40)) % sparsity == 0
        # a sound that stands still repeats its key: once is enough
        use[1:] &= (key[1:] != key[:-1]) | (item[1:] != item[:-1])
        rows = np.flatnonzero(use)
        rows = rows[np.argsort(key[rows], kind="stable")]
        out += _within_runs(key[rows], rows, item, frame, common)
    return np.sort(np.concatenate(out)) if out else np.empty(0, dtype=np.int64)


def _within_runs(
    key: Bits, rows: npt.NDArray[np.intp], item: npt.NDArray[np.intp], frame: I64, common: int
) -> list[I64]:
    """Pairs within each run of equal keys, leaving out the runs longer than ``common``."""
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


def _ones(words: Bits) -> npt.NDArray[np.int64]:
    """Number of bits set in each word."""
    counts = _TABLE[np.ascontiguousarray(words).view(np.uint16)].reshape(-1, 4)
    return np.asarray(counts.sum(axis=1, dtype=np.int64))
