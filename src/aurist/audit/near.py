"""Find near duplicates: fingerprints that contain the same stretch of sound, at any position."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from aurist.audit.candidates import JITTER, candidates
from aurist.audit.fingerprint import Fingerprint
from aurist.audit.prints import I64, Prints, stored_prints
from aurist.errors import DataError

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

#: Sounds that can be compared: their numbers have 19 bits in a hit.
MOST = 1 << 19

#: Frames of candidates that are compared at once.
_COMPARED = 1 << 21

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
    with stored_prints(prints) as sounds:
        steps = [
            _best(_same_sound(sounds, a[step], b[step], offset[step], max_error))
            for a, b, offset in candidates(sounds)
            for step in _steps(sounds.n_frames[a] + sounds.n_frames[b])
        ]
    if not steps:
        return pd.DataFrame({name: np.empty(0, int if name in "ab" else float) for name in COLUMNS})
    return _best(pd.concat(steps)).reset_index(drop=True)


def _best(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return each pair once, at the offset with the most bits."""
    in_order = pairs.sort_values(["a", "b", "bits"], ascending=[True, True, False])
    return pd.DataFrame(in_order.drop_duplicates(["a", "b"]))


def _steps(frames: I64) -> list[slice]:
    """Divide candidates with so many frames into steps of about `_COMPARED` frames; at least one step."""
    edges = [0, *(np.flatnonzero(np.diff(np.cumsum(frames) // _COMPARED)) + 1).tolist(), len(frames)]
    return [slice(begin, end) for begin, end in pairwise(edges)]


def _same_sound(prints: Prints, a: I64, b: I64, offset: I64, max_error: float) -> pd.DataFrame:
    """Compare candidates bit by bit; return those that share sound."""
    # only these are compared: their fingerprints are put together, and numbered anew
    items, (at_a, at_b) = _numbered(a, b)
    code, reliable = prints.frames(items)
    count = prints.n_frames[items]
    first = np.cumsum(count) - count
    from aurist.audit._kernels import compare, reliable_bits

    offset, *columns = compare(
        code, reliable, first, count, at_a, at_b, offset, JITTER + 1, max_error, LONG_BITS
    ).T
    whole = pd.DataFrame(dict(zip(("frames", "bits", "wrong"), columns[:3], strict=True)))
    stretch = pd.DataFrame(dict(zip(("frames", "bits", "wrong"), columns[3:], strict=True)))
    total = reliable_bits(reliable, first, count)
    allowed = max_error * np.minimum(1.0, FEW_BITS + (1 - FEW_BITS) * whole["bits"] / SURE_BITS)
    enough = whole["bits"] >= np.maximum(MIN_BITS, MIN_SHARE * np.minimum(total[at_a], total[at_b]))
    same = enough & (whole["wrong"] <= allowed * whole["bits"])
    shares_part = (stretch["bits"] >= LONG_BITS) & (stretch["wrong"] <= max_error * stretch["bits"])
    measured = whole.where(same, stretch)
    hop = prints.hop[items][at_a]
    pairs = pd.DataFrame(
        {
            "a": a,
            "b": b,
            "offset": offset * hop,
            "overlap": measured["frames"] * hop,
            "error": measured["wrong"] / np.maximum(measured["bits"], 1),
            "bits": measured["bits"],
        }
    )
    return pd.DataFrame(pairs[same | shares_part])


def _numbered(a: I64, b: I64) -> tuple[I64, tuple[I64, I64]]:
    """Return the distinct items of pairs, and the pairs by their positions among them."""
    items, positions = np.unique(np.concatenate([a, b]), return_inverse=True)
    at = positions.reshape(2, -1).astype(np.int64)
    return items, (at[0], at[1])
