"""Find how a preparation of features makes each of its columns, by passing rows through it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.features.matrix import float_matrix
from aurist.models.tree_model import TreeColumn

Floats = npt.NDArray[np.float32]
#: Numbers that no feature has: a column that shows one is a copy of that feature.
_MARK = 1_000_001.0
#: The most categories of all features together.
_MOST_CATEGORIES = 20_000


@dataclass(frozen=True)
class Frames:
    """Prepared rows.

    Parameters
    ----------
    matrix
        (n, n_columns)
    zero_is_missing
        True if zeros count as missing numbers.
    """

    matrix: Floats
    zero_is_missing: bool = False


def columns_of(prepare: Callable[[pd.DataFrame], Frames], features: pd.DataFrame) -> list[TreeColumn]:
    """Find the feature and the rule of each column that a preparation makes.

    Parameters
    ----------
    prepare
        From features to the matrix that a model sees. Each column depends on one feature: it copies a number (or puts
        a constant in the place of missing ones), says if a number has a certain value, or looks up a category.
    features
        (n, n_features): rows of training data.

    Raises
    ------
    ValueError
        If a column is made in another way.
    """
    probes = _Probes(features)
    result = prepare(probes.table)
    matrix, zero = result.matrix, result.zero_is_missing
    columns = [_number(column, probes, zero) for column in matrix.T]
    for position, column in enumerate(columns):
        if column is None:
            columns[position] = _other(matrix[:, position], probes, zero, position)
    return [column for column in columns if column is not None]


class _Probes:
    """Rows that differ in one feature each: marks, missing values, and the values of one feature after another."""

    def __init__(self, features: pd.DataFrame) -> None:
        n = features.shape[1]
        is_category = [isinstance(dtype, pd.CategoricalDtype) for dtype in features.dtypes]
        self.marks = np.where(is_category, np.nan, _MARK + np.arange(n))
        rows = [self.marks, np.full(n, np.nan)]
        #: By feature, its values and the rows that have them.
        self.values: dict[int, tuple[list[float], list[int]]] = {}
        matrix = float_matrix(features)
        for source in range(n):
            values = _values_to_try(features.iloc[:, source], matrix[:, source], is_category[source])
            if not values:
                continue
            self.values[source] = (values, list(range(len(rows), len(rows) + len(values))))
            for value in values:
                rows.append(np.full(n, np.nan))
                rows[-1][source] = value
            if len(rows) > _MOST_CATEGORIES:
                raise ValueError(f"the features have more than {_MOST_CATEGORIES} categories")
        numbers = np.stack(rows).astype(np.float32)
        self.is_category = is_category
        self.table = pd.DataFrame(
            {name: _cells(numbers[:, i], features[name]) for i, name in enumerate(features.columns)}
        )


def _values_to_try(cells: pd.Series[Any], numbers: Floats, is_category: bool) -> list[float]:
    """List the codes of a category, or the values of a number that has two at most, and one that it does not have."""
    if is_category:
        return [*map(float, range(len(cells.cat.categories))), float("nan")]
    values = np.unique(numbers[~np.isnan(numbers)])
    return [*map(float, values), float(values.sum()) + _MARK] if 1 <= len(values) <= 2 else []


def _cells(numbers: Floats, like: pd.Series[Any]) -> pd.Series[Any] | pd.Categorical:
    if isinstance(like.dtype, pd.CategoricalDtype):
        codes = np.where(np.isnan(numbers), -1, np.nan_to_num(numbers)).astype(int).tolist()
        return pd.Categorical.from_codes(codes, dtype=like.dtype)
    return pd.Series(numbers)


def _number(column: Floats, probes: _Probes, zero_is_missing: bool) -> TreeColumn | None:
    """Recognise a copy of a number by its mark; None for other columns."""
    sources = np.flatnonzero(probes.marks == column[0])
    if not len(sources):
        return None
    missing = float(column[1])
    return TreeColumn(
        int(sources[0]),
        missing=None if np.isnan(missing) or (zero_is_missing and missing == 0) else missing,
        zero_is_missing=zero_is_missing,
    )


def _other(column: Floats, probes: _Probes, zero_is_missing: bool, position: int) -> TreeColumn:
    """Recognise the values of a category, or the value of a number of two values."""
    base = column[1]
    changed = [source for source, (_, rows) in probes.values.items() if not _all_equal(column[rows], base)]
    if len(changed) > 1:
        raise ValueError(f"column {position} depends on several features")
    if not changed:  # such as the indicator of a category that no row has
        if not _all_equal(column, base):
            raise ValueError(f"column {position} depends on a number in a way that is not known")
        return TreeColumn(0, codes=(float(base),), zero_is_missing=zero_is_missing)
    source = changed[0]
    values, rows = probes.values[source]
    results = column[rows].astype(float).tolist()
    if probes.is_category[source]:
        return TreeColumn(source, codes=tuple(results), zero_is_missing=zero_is_missing)
    ones = [value for value, result in zip(values, results, strict=True) if result == 1]
    if base != 0 or len(ones) != 1 or sorted(results) != [0.0] * (len(results) - 1) + [1.0]:
        raise ValueError(f"column {position} depends on a number in a way that is not known")
    return TreeColumn(source, equals=ones[0], zero_is_missing=zero_is_missing)


def _all_equal(values: Floats, base: np.float32) -> bool:
    return bool(np.array_equal(values, np.full(len(values), base), equal_nan=True))
