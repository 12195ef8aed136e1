"""Compiled loops of models: trees, distances, and ranks."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

# sums may be reordered (this vectorises them), but NaN and infinity keep their meaning
_FAST = {"reassoc", "contract", "nsz", "arcp"}


@numba.njit(nogil=True, cache=True)
def add_leaves(
    numbers: Any,
    roots: Any,
    feature: Any,
    threshold: Any,
    left: Any,
    right: Any,
    missing_left: Any,
    first_word: Any,
    words: Any,
    leaf_begin: Any,
    leaf_column: Any,
    leaf_value: Any,
    out: Any,
) -> None:
    """Add the leaves that rows reach in every tree to ``out`` (n, n_columns).

    ``numbers`` (n, n_features) float32. A node sends a row to ``left`` if its feature is at most ``threshold``. If it
    is a category, the row goes left if the bit of the category is set: ``words[first_word[node]]`` is the number of
    32-bit words that follow. Node ``i`` is a leaf if ``feature[i]`` is -1; its values are those from ``leaf_begin[i]``
    to ``leaf_begin[i + 1]``.
    """
    for row in range(numbers.shape[0]):
        x = numbers[row]
        for tree in range(roots.size):
            node = roots[tree]
            while feature[node] >= 0:
                value = x[feature[node]]
                first = first_word[node]
                if first >= 0:
                    code = -1
                    if value >= 0:  # not for a missing category
                        code = int(value)
                    go_left = False
                    if 0 <= code < 32 * words[first]:
                        go_left = (words[first + 1 + code // 32] >> np.uint32(code % 32)) & np.uint32(1) == 1
                elif np.isnan(value):
                    go_left = missing_left[node]
                else:
                    go_left = value <= threshold[node]
                node = left[node] if go_left else right[node]
            for k in range(leaf_begin[node], leaf_begin[node + 1]):
                out[row, leaf_column[k]] += leaf_value[k]


@numba.njit(nogil=True, cache=True, fastmath=_FAST)
def city_block(a: Any, b: Any, out: Any) -> None:
    """Compute sums of absolute differences: ``a`` (n, d) and ``b`` (m, d) float32 to ``out`` (n, m)."""
    for i in range(a.shape[0]):
        for j in range(b.shape[0]):
            total = np.float32(0.0)
            for k in range(a.shape[1]):
                total += abs(a[i, k] - b[j, k])
            out[i, j] = total


@numba.njit(nogil=True, cache=True)
def ranks(numbers: Any, columns: Any, median: Any, quantiles: Any, out: Any) -> None:
    """Compute the rank of numbers among quantiles, 0 to 1, into the first columns of ``out`` (n, n_out).

    ``numbers`` (n, n_features) float32; ``columns`` (d,) are those with ranks; ``median`` (d,) takes the place of a
    missing number; ``quantiles`` (d, q) ascend. Of equal quantiles the rank is the mean of the first and the last.
    """
    q = quantiles.shape[1]
    for row in range(numbers.shape[0]):
        for j in range(columns.size):
            x = numbers[row, columns[j]]
            if np.isnan(x):
                x = median[j]
            table = quantiles[j]
            if x <= table[0]:
                out[row, j] = 0.0
            elif x >= table[q - 1]:
                out[row, j] = 1.0
            else:
                below = np.searchsorted(table, x, side="left")  # the first that is not less
                above = np.searchsorted(table, x, side="right")  # the first that is greater
                if above > below:
                    rank = 0.5 * (below + above - 1)
                else:
                    low, high = table[below - 1], table[below]
                    rank = below - 1 + (x - low) / (high - low)
                out[row, j] = rank / (q - 1)
