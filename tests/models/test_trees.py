"""Trees as arrays: by hand, written and read back, and damaged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from aurist.models.trees import LEAF, Tree, Trees, float32_floor


def by_hand() -> Trees:
    """A tree: number <= 0.5, or missing, goes left to a set of categories {1, 40}; and a single leaf."""
    tree = Tree(
        feature=np.array([0, 1, LEAF, LEAF, LEAF]),
        threshold=np.array([0.5, 0, 0, 0, 0], dtype=np.float32),
        left=np.array([1, 2, 0, 0, 0]),
        right=np.array([4, 3, 0, 0, 0]),
        missing_left=np.array([True, False, False, False, False]),
        sets={1: np.array([1 << 1, 1 << 8], dtype=np.uint32)},
        leaf_count=np.array([0, 0, 1, 1, 2]),
        leaf_column=np.array([0, 1, 0, 1]),
        leaf_value=np.array([1.0, 2.0, 3.0, 4.0]),
    )
    leaf = Tree(
        feature=np.array([LEAF]),
        threshold=np.zeros(1, np.float32),
        left=np.zeros(1, int),
        right=np.zeros(1, int),
        missing_left=np.zeros(1, bool),
        sets={},
        leaf_count=np.array([1]),
        leaf_column=np.array([1]),
        leaf_value=np.array([10.0]),
    )
    return Trees.join([leaf, tree], 2)


@pytest.mark.parametrize("read_back", [False, True])
def test_rows_reach_their_leaves(read_back: bool) -> None:
    trees = by_hand()
    if read_back:
        trees = Trees.from_arrays(trees.to_arrays(), 2)
    nan = np.nan
    rows = [[0.5, 1], [0.5, 40], [nan, 41], [0.4, 999], [0.4, -1], [0.4, nan], [0.6, 1], [0.6, nan]]
    expected = [[1, 10], [1, 10], [0, 12], [0, 12], [0, 12], [0, 12], [3, 14], [3, 14]]
    assert trees.sums(np.array(rows, dtype=np.float32)).tolist() == expected


@pytest.mark.parametrize("n_rows", [2, 5000])
def test_no_trees_add_nothing(n_rows: int) -> None:
    trees = Trees.from_arrays(Trees.join([], 0).to_arrays(), 0)
    assert trees.sums(np.zeros((n_rows, 3), np.float32)).shape == (n_rows, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"left": lambda a: a + 1000}, "no later node"),
        ({"right": lambda a: a * 0}, "no later node"),
        ({"feature": lambda a: np.where(a == 0, 2, a)}, "no feature"),
        ({"feature": lambda a: a - 1}, "no feature|no later node"),
        ({"roots": lambda a: a - 9}, "begins at no node"),
        ({"leaf_column": lambda a: a + 5}, "no column"),
        ({"leaf_begin": lambda a: a[::-1]}, "leaves"),
        ({"leaf_begin": lambda a: a[:-1]}, "lengths"),
        ({"leaf_value": lambda a: a[:-1]}, "lengths"),
        ({"threshold": lambda a: a[:-1]}, "lengths"),
        ({"first_word": lambda a: np.where(a == 0, 7, a)}, "no set"),
        ({"words": lambda a: a + 9}, "no set"),
    ],
)
def test_damaged_trees_are_refused(change: dict[str, Callable[[Any], Any]], message: str) -> None:
    trees = by_hand()
    trees.check(2)
    damaged = replace(trees, **{name: alter(getattr(trees, name)) for name, alter in change.items()})
    with pytest.raises(ValueError, match=message):
        damaged.check(2)


def test_thresholds_are_rounded_down() -> None:
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=1000).astype(np.float32)
    thresholds = np.concatenate([numbers.astype(float), numbers + 1e-12, numbers - 1e-12])
    rounded = float32_floor(thresholds)
    assert ((numbers <= rounded[:, None]) == (numbers <= thresholds[:, None])).all()
