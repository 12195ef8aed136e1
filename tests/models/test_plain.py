"""Loops of models with numpy against the compiled ones."""

from __future__ import annotations

import numpy as np
import pytest

from aurist.models import _kernels, plain


def forest(n_trees: int, depth: int, n_features: int, seed: int) -> tuple[np.ndarray, ...]:
    """Complete trees of this depth with numbers and categories, and several values in each leaf."""
    rng = np.random.default_rng(seed)
    size = 2 ** (depth + 1) - 1
    roots = np.arange(n_trees) * size
    node = np.arange(size)
    inner = node < 2**depth - 1
    feature = np.where(np.tile(inner, n_trees), rng.integers(0, n_features, n_trees * size), -1)
    left = np.where(inner, 2 * node + 1, -1)
    right = np.where(inner, 2 * node + 2, -1)
    offsets = np.repeat(roots, size)
    left, right = (
        np.where(np.tile(x, n_trees) >= 0, np.tile(x, n_trees) + offsets, -1) for x in (left, right)
    )
    words = np.concatenate([[2], rng.integers(0, 2**32, 2), [1], rng.integers(0, 2**32, 1)]).astype(np.uint32)
    is_category = (feature >= 0) & (feature % 3 == 0)
    first_word = np.where(is_category, rng.choice([0, 3], n_trees * size), -1)
    counts = np.where(feature < 0, rng.integers(0, 4, n_trees * size), 0)
    begin = np.concatenate([[0], np.cumsum(counts)])
    return (
        roots.astype(np.int32), feature.astype(np.int32), rng.normal(size=n_trees * size).astype(np.float32),
        left.astype(np.int32), right.astype(np.int32), rng.random(n_trees * size) < 0.5,
        first_word.astype(np.int32), words, begin.astype(np.int64),
        rng.integers(0, 3, begin[-1]).astype(np.int32), rng.normal(size=begin[-1]).astype(np.float32),
    )  # fmt: skip


@pytest.mark.parametrize("depth", [0, 1, 4])
def test_rows_reach_the_same_leaves_and_sums_are_equal(depth: int) -> None:
    rng = np.random.default_rng(depth)
    rows = rng.normal(size=(7, 6)).astype(np.float32)
    rows[:, ::3] = rng.integers(-2, 70, (7, 2))
    rows[rng.random(rows.shape) < 0.2] = np.nan
    arrays = forest(20, depth, 6, depth)
    expected, got = np.zeros((7, 3)), np.zeros((7, 3))
    _kernels.add_leaves(rows, *arrays, expected)
    plain.add_leaves(rows, *arrays, got)
    assert expected.any()
    np.testing.assert_array_equal(got, expected)


def test_distances_agree() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(3, 40)).astype(np.float32), rng.normal(size=(9, 40)).astype(np.float32)
    expected, got = np.empty((3, 9)), np.empty((3, 9))
    _kernels.city_block(a, b, expected)
    plain.city_block(a, b, got)
    np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_ranks_agree_with_ties_gaps_and_numbers_outside() -> None:
    rng = np.random.default_rng(0)
    quantiles = np.sort(np.round(rng.normal(size=(5, 30)), 1), axis=1).astype(np.float32)
    quantiles[4] = 0.5
    columns = np.array([6, 0, 2, 3, 5])
    numbers = np.round(rng.normal(size=(8, 7)), 2).astype(np.float32)
    numbers[0], numbers[1], numbers[2], numbers[3, 2] = -9.0, 9.0, quantiles[0, 10], np.nan
    median = np.median(quantiles, axis=1).astype(np.float32)
    expected, got = np.empty((8, 5), np.float32), np.empty((8, 5), np.float32)
    _kernels.ranks(numbers, columns, median, quantiles, expected)
    plain.ranks(numbers, columns, median, quantiles, got)
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-7)
