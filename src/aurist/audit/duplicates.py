"""Find sets of equal rows by hashes, join them into groups, and compare their labels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.features.matrix import row_keys
from aurist.features.schema import infer_schema

Rows = npt.NDArray[np.intp]
Ints = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]


def row_hashes(features: pd.DataFrame) -> Keys:
    """Hash each row as the models see it after `aurist.features.schema`: equal inputs have equal hashes.

    Numbers are compared as float32. -0.0 equals 0.0, missing values are equal, and 1 equals 1.0. To compare two tables,
    hash them as one.

    Returns
    -------
    (n_rows,), uint64

    Examples
    --------
    >>> a, b, c = row_hashes(pd.DataFrame({"x": [0.0, -0.0, 0.5], "y": [np.nan, np.nan, 1.0]}))
    >>> bool(a == b), bool(a == c)
    (True, False)
    """
    # a number beyond float32 is infinite, also to the models
    with np.errstate(over="ignore"):
        ready, _ = infer_schema(features).apply(features)
    return row_keys(ready)


def repeated_sets(keys: npt.NDArray[np.generic], rows: Rows) -> list[Rows]:
    """Return the sets of two or more rows with one key, each in ascending order, ordered by first row.

    Parameters
    ----------
    keys : (n,)
        One key per row.
    rows : (n,)
        The row of each key.

    Examples
    --------
    >>> [rows.tolist() for rows in repeated_sets(np.array([7, 8, 7, 9, 8]), np.arange(5))]
    [[0, 2], [1, 4]]
    """
    codes, _ = pd.factorize(keys)
    repeated = (
        np.bincount(codes)[codes] > 1
    )  # an array for each single row would take more memory than the rows
    codes, rows = codes[repeated], rows[repeated]
    order = np.argsort(codes, kind="stable")
    edges = np.flatnonzero(np.diff(codes[order])) + 1
    return [rows[members] for members in np.split(order, edges) if len(members) > 1]


def connect_sets(n: int, sets: Iterable[Sequence[int] | npt.NDArray[np.integer]]) -> Ints:
    """Number rows so that rows that share a set, directly or through other sets, have one number.

    Parameters
    ----------
    n
        Number of rows.
    sets
        Sets of rows that belong together.

    Returns
    -------
    (n,), int64
        A number for each row, counted from 0 in the order of the rows.

    Examples
    --------
    >>> connect_sets(5, [[0, 3], [3, 4]]).tolist()
    [0, 1, 2, 0, 0]
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    members = [np.asarray(s, dtype=np.int64) for s in sets if len(s) > 1]
    if not members:
        return np.arange(n, dtype=np.int64)
    heads = np.concatenate([np.full(len(m) - 1, m[0]) for m in members])
    tails = np.concatenate([m[1:] for m in members])
    graph = coo_array((np.ones(len(heads), dtype=np.int8), (heads, tails)), shape=(n, n))
    _, component = connected_components(graph, directed=False)
    return np.asarray(pd.factorize(component)[0], dtype=np.int64)


def conflicting(sets: Sequence[Rows], labels: Sequence[tuple[str, ...]]) -> list[Rows]:
    """Return the sets whose rows have different labels. The order of a row's labels does not count."""
    codes, _ = pd.factorize(pd.Series([tuple(sorted(row)) for row in labels], dtype=object))
    return [rows for rows in sets if (codes[rows] != codes[rows[0]]).any()]


def ceiling(keys: npt.NDArray[np.generic], labels: Sequence[tuple[str, ...]]) -> float:
    """Return the best possible accuracy: identical inputs get one answer, at best their commonest label.

    Parameters
    ----------
    keys : (n,)
        Equal for identical inputs.
    labels
        The labels of each row; several labels are right only if all are right.

    Examples
    --------
    >>> ceiling(np.array([1, 1, 1, 2]), [("rap",), ("rap",), ("trap",), ("emo",)])
    0.75
    """
    if not len(keys):
        return float("nan")
    codes, _ = pd.factorize(pd.Series([tuple(sorted(row)) for row in labels], dtype=object))
    counts = pd.DataFrame({"key": keys, "label": codes}).groupby(["key", "label"], sort=False).size()
    return float(counts.groupby(level="key").max().sum() / len(keys))
