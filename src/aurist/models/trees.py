"""Decision trees as arrays: those of forests and of boosting, from any library, predicted by one compiled loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from aurist.models.loops import model_loops

Ints = npt.NDArray[np.int32]
#: Rows predicted at once by a thread.
_BLOCK = 1024
LEAF = -1
#: No set of categories: the node compares numbers.
NUMBER = -1


@dataclass(frozen=True)
class Tree:
    """One tree, before it joins others: node numbers count from its root, 0.

    Parameters
    ----------
    feature, threshold, left, right, missing_left
        (n_nodes,): as in `Trees`.
    sets
        By node, the set of categories that go left, as 32-bit words.
    leaf_count
        (n_nodes,): the number of values of each leaf; 0 for other nodes.
    leaf_column, leaf_value
        (n_values,): as in `Trees`.
    """

    feature: npt.NDArray[np.integer[Any]]
    threshold: npt.NDArray[np.float32]
    left: npt.NDArray[np.integer[Any]]
    right: npt.NDArray[np.integer[Any]]
    missing_left: npt.NDArray[np.bool_]
    sets: Mapping[int, npt.NDArray[np.uint32]]
    leaf_count: npt.NDArray[np.integer[Any]]
    leaf_column: npt.NDArray[np.integer[Any]]
    leaf_value: npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Trees:
    """Trees whose leaves add to columns.

    Node numbers ascend from a root to its leaves.

    Parameters
    ----------
    roots
        (n_trees,): the root of each tree.
    feature
        (n_nodes,): the column that a node looks at; `LEAF` for a leaf.
    threshold
        (n_nodes,), float32: numbers at most as large go left.
    left, right
        (n_nodes,): the next node.
    missing_left
        (n_nodes,): True if missing numbers go left.
    first_word
        (n_nodes,): position in ``words`` of the set of categories that go left; `NUMBER` for other nodes.
    words
        The sets of categories: the number of words, then as many words with a bit for each category.
    leaf_begin
        (n_nodes + 1,): the values of node ``i`` are those from ``leaf_begin[i]`` to ``leaf_begin[i + 1]``.
    leaf_column, leaf_value
        (n_values,): the columns, and the values that are added to them.
    n_columns
        The number of columns.
    """

    roots: Ints
    feature: Ints
    threshold: npt.NDArray[np.float32]
    left: Ints
    right: Ints
    missing_left: npt.NDArray[np.bool_]
    first_word: Ints
    words: npt.NDArray[np.uint32]
    leaf_begin: Ints
    leaf_column: Ints
    leaf_value: npt.NDArray[np.float32]
    n_columns: int

    def sums(self, numbers: npt.NDArray[np.float32], jobs: int = 1) -> npt.NDArray[np.float64]:
        """Sum the leaves of each row over all trees.

        Parameters
        ----------
        numbers
            (n, n_features).
        jobs
            Threads.

        Returns
        -------
        (n, n_columns)
        """
        loops: Any = model_loops(len(numbers))
        out = np.zeros((len(numbers), self.n_columns))
        if not len(self.roots):
            return out
        arrays = tuple(getattr(self, name) for name in _ARRAYS)
        numbers = np.ascontiguousarray(numbers, dtype=np.float32)

        def add(start: int) -> None:
            block = slice(start, start + _BLOCK)
            loops.add_leaves(numbers[block], *arrays, out[block])

        starts = range(0, len(numbers), _BLOCK)
        if len(starts) < 2 or jobs < 2:
            for start in starts:
                add(start)
            return out
        with ThreadPoolExecutor(jobs) as pool:
            list(pool.map(add, starts))
        return out

    @classmethod
    def join(cls, parts: Sequence[Tree], n_columns: int) -> Self:
        """Join trees."""
        sizes = [len(part.feature) for part in parts]
        roots = np.cumsum([0, *sizes[:-1]]) if parts else np.zeros(0)
        first_word = np.full(sum(sizes), NUMBER, dtype=np.int32)
        words: list[npt.NDArray[np.uint32]] = []
        n_words = 0
        for root, part in zip(roots, parts, strict=True):
            for node, bits in part.sets.items():
                first_word[int(root) + node] = n_words
                words += [np.array([len(bits)], dtype=np.uint32), bits]
                n_words += 1 + len(bits)
        return cls(
            roots=roots.astype(np.int32),
            feature=_joined([part.feature for part in parts], np.int32),
            threshold=_joined([part.threshold for part in parts], np.float32),
            left=_joined([part.left + root for root, part in zip(roots, parts, strict=True)], np.int32),
            right=_joined([part.right + root for root, part in zip(roots, parts, strict=True)], np.int32),
            missing_left=_joined([part.missing_left for part in parts], np.bool_),
            first_word=first_word,
            words=_joined(words, np.uint32),
            leaf_begin=np.cumsum(
                [0, *_joined([part.leaf_count for part in parts], np.int64)], dtype=np.int32
            ),
            leaf_column=_joined([part.leaf_column for part in parts], np.int32),
            leaf_value=_joined([part.leaf_value for part in parts], np.float32),
            n_columns=n_columns,
        )

    @classmethod
    def concatenate(cls, parts: Sequence[Trees], n_columns: int) -> Self:
        """Put the trees of several models into one."""
        nodes = np.cumsum([0, *(len(part.feature) for part in parts)])
        words = np.cumsum([0, *(len(part.words) for part in parts)])
        values = np.cumsum([0, *(len(part.leaf_value) for part in parts)])
        shifted = {
            "roots": [part.roots + first for part, first in zip(parts, nodes, strict=False)],
            "left": [part.left + first for part, first in zip(parts, nodes, strict=False)],
            "right": [part.right + first for part, first in zip(parts, nodes, strict=False)],
            "first_word": [
                np.where(part.first_word == NUMBER, NUMBER, part.first_word + first)
                for part, first in zip(parts, words, strict=False)
            ],
            "leaf_begin": [
                *(part.leaf_begin[:-1] + first for part, first in zip(parts, values, strict=False)),
                values[-1:],
            ],
        }
        kept = {name: [getattr(part, name) for part in parts] for name in _ARRAYS if name not in shifted}
        types = {"i": np.int32, "f": np.float32, "b": np.bool_, "u": np.uint32}
        arrays = {name: _joined(several, types[_KINDS[name]]) for name, several in (shifted | kept).items()}
        return cls(**arrays, n_columns=n_columns)

    def only(self, column: int, moved_to: int) -> Trees:
        """Keep the values of one column, and move them to another."""
        keep = self.leaf_column == column
        owner = np.repeat(np.arange(len(self.feature)), np.diff(self.leaf_begin))
        counts = np.bincount(owner[keep], minlength=len(self.feature))
        return replace(
            self,
            leaf_begin=np.cumsum([0, *counts], dtype=np.int32),
            leaf_column=np.full(int(keep.sum()), moved_to, dtype=np.int32),
            leaf_value=self.leaf_value[keep],
            n_columns=moved_to + 1,
        )

    def with_features(self, position: npt.NDArray[np.integer[Any]]) -> Trees:
        """Look at ``position[feature]`` instead of each feature."""
        feature = np.where(self.feature == LEAF, LEAF, position[np.maximum(self.feature, 0)])
        return replace(self, feature=feature.astype(np.int32))

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Give the arrays by name, for a file. Small numbers are stored in small types."""
        small = np.int16 if self.feature.max(initial=0) < 1 << 15 else np.int32
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        # differences of ascending numbers compress well
        return arrays | {
            "feature": self.feature.astype(small),
            "left": self.left - np.arange(len(self.left), dtype=np.int32),
            "right": self.right - np.arange(len(self.right), dtype=np.int32),
            "leaf_begin": np.diff(self.leaf_begin, prepend=np.int32(0)),
            "n_columns": np.asarray(self.n_columns),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], n_features: int) -> Self:
        """Make trees from the arrays of a file, and check that every row reaches a leaf.

        Raises
        ------
        ValueError
            If nodes point at no later node or at no feature, or leaves at no column or value.
        """
        ints = {name: arrays[name].astype(np.int32) for name in _ARRAYS if _KINDS[name] == "i"}
        own = np.arange(len(ints["feature"]), dtype=np.int32)
        trees = cls(
            **{name: arrays[name] for name in _ARRAYS if _KINDS[name] != "i"}
            | ints
            | {
                "left": ints["left"] + own,
                "right": ints["right"] + own,
                "leaf_begin": np.cumsum(ints["leaf_begin"], dtype=np.int32),
            },
            n_columns=int(arrays["n_columns"]),
        )
        trees.check(n_features)
        return trees

    def check(self, n_features: int) -> None:
        """Refuse arrays of a damaged file: the compiled loop would follow them out of memory."""
        n_nodes, n_values = len(self.feature), len(self.leaf_value)
        if {len(getattr(self, name)) for name in _PER_NODE} != {n_nodes} or len(
            self.leaf_begin
        ) != n_nodes + 1:
            raise ValueError("its arrays of nodes differ in their lengths")
        if len(self.leaf_column) != n_values or self.leaf_begin[0] != 0 or self.leaf_begin[-1] != n_values:
            raise ValueError("its leaves differ in their lengths")
        if (np.diff(self.leaf_begin) < 0).any():
            raise ValueError("the values of a leaf end before they begin")
        inner = np.flatnonzero(self.feature != LEAF)
        if not ((self.feature[inner] >= 0) & (self.feature[inner] < n_features)).all():
            raise ValueError("a node of a tree points at no feature")
        for children in (self.left[inner], self.right[inner]):
            if not ((children > inner) & (children < n_nodes)).all():
                raise ValueError("a node of a tree points at no later node")
        if not ((self.roots >= 0) & (self.roots < n_nodes)).all():
            raise ValueError("a tree begins at no node")
        if not ((self.leaf_column >= 0) & (self.leaf_column < self.n_columns)).all():
            raise ValueError("a leaf points at no column")
        sets = self.first_word[self.first_word != NUMBER]
        if (
            not ((sets >= 0) & (sets < len(self.words))).all()
            or not (sets + self.words[sets].astype(np.int64) < len(self.words)).all()
        ):
            raise ValueError("a node points at no set of categories")


def float32_floor(values: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float32]:
    """Round down to single precision: a float32 number is at most a value if it is at most the rounded value.

    Examples
    --------
    >>> rounded = float32_floor(np.array([0.1, 0.5]))
    >>> bool(rounded[0] < 0.1), float(rounded[1])
    (True, 0.5)
    """
    rounded = values.astype(np.float32)
    with np.errstate(over="ignore"):  # the least number is next to minus infinity
        below = np.nextafter(rounded, np.float32(-np.inf))
    return np.where(rounded > values, below, rounded)


def _joined(arrays: Sequence[npt.ArrayLike], dtype: Any) -> npt.NDArray[Any]:
    return np.concatenate([np.zeros(0, dtype=dtype), *arrays]).astype(dtype)


_KINDS = {
    "roots": "i", "feature": "i", "threshold": "f", "left": "i", "right": "i", "missing_left": "b", "first_word": "i",
    "words": "u", "leaf_begin": "i", "leaf_column": "i", "leaf_value": "f",
}  # fmt: skip
#: In the order of `aurist.models._kernels.add_leaves`.
_ARRAYS = tuple(_KINDS)
_PER_NODE = ("feature", "threshold", "left", "right", "missing_left", "first_word")
#: Dimensions of the arrays of a file, for `aurist.stored.read_arrays`.
TREE_ARRAYS: Mapping[str, tuple[int, ...]] = dict.fromkeys(_ARRAYS, (1,)) | {"n_columns": (0,)}
