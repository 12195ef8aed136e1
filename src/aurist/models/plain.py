"""The loops of `aurist.models._kernels` with numpy, for a few rows: loading compiled code takes over a second."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float32]
Ints = npt.NDArray[np.integer]
Doubles = npt.NDArray[np.float64]


def add_leaves(
    numbers: Float,
    roots: Ints,
    feature: Ints,
    threshold: Float,
    left: Ints,
    right: Ints,
    missing_left: npt.NDArray[np.bool_],
    first_word: Ints,
    words: npt.NDArray[np.uint32],
    leaf_begin: Ints,
    leaf_column: Ints,
    leaf_value: Float,
    out: Doubles,
) -> None:
    """Add the leaves that rows reach in every tree to ``out``; all trees of a row take a step at a time."""
    for row, x in enumerate(numbers):
        nodes = roots.astype(np.int64)
        walking = np.flatnonzero(feature[nodes] >= 0)
        while len(walking):
            at = nodes[walking]
            value = x[feature[at]]
            go_left = np.where(np.isnan(value), missing_left[at], value <= threshold[at])
            sets = np.flatnonzero(first_word[at] >= 0)
            go_left[sets] = _in_set(value[sets], first_word[at[sets]], words)
            nodes[walking] = np.where(go_left, left[at], right[at])
            walking = walking[feature[nodes[walking]] >= 0]
        begins, ends = leaf_begin[nodes], leaf_begin[nodes + 1]
        leaves = np.concatenate([np.arange(begin, end) for begin, end in zip(begins, ends, strict=True)])
        np.add.at(out[row], leaf_column[leaves], leaf_value[leaves].astype(np.float64))


def _in_set(value: Float, first: Ints, words: npt.NDArray[np.uint32]) -> npt.NDArray[np.bool_]:
    """Tell for each category whether its bit is set in the words that follow ``words[first]``, their number."""
    code = np.where(value >= 0, value, -1).astype(np.int64)
    inside = (code >= 0) & (code < 32 * words[first].astype(np.int64))
    code = np.where(inside, code, 0)
    word = words[np.where(inside, first + 1 + code // 32, 0)]
    bits: npt.NDArray[np.bool_] = (word >> (code % 32).astype(np.uint32)) & np.uint32(1) == 1
    return inside & bits


def city_block(a: Float, b: Float, out: Doubles) -> None:
    """Compute sums of absolute differences of rows."""
    for row, values in enumerate(a):
        out[row] = np.abs(values - b).sum(axis=1)


def ranks(numbers: Float, columns: Ints, median: Float, quantiles: Float, out: Float) -> None:
    """Compute the rank of numbers among quantiles, 0 to 1, into the first columns of ``out``."""
    q = quantiles.shape[1]
    every = np.arange(len(columns))
    for row, values in enumerate(numbers):
        x = values[columns]
        x = np.where(np.isnan(x), median, x)[:, None]
        below, above = (quantiles < x).sum(axis=1), (quantiles <= x).sum(axis=1)
        upper = np.clip(below, 1, q - 1)
        low, high = quantiles[every, upper - 1], quantiles[every, upper]
        between = upper - 1 + (x[:, 0] - low) / np.where(high > low, high - low, 1)
        rank = np.where(above > below, 0.5 * (below + above - 1), between)
        rank = np.where(x[:, 0] <= quantiles[:, 0], 0.0, np.where(x[:, 0] >= quantiles[:, -1], q - 1, rank))
        out[row, : len(columns)] = rank / (q - 1)
