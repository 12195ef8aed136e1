"""Bring features to normal distributions by their ranks, and categories to indicators.

No unit and no outlier counts for more than another. The values of a category are told apart, not ordered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.models.loops import model_loops

Floats = npt.NDArray[np.float32]
#: Quantiles of a feature. Values beyond the first and the last half quantile all count as equal: their distance from
#: the rest is not known.
_QUANTILES = 100
_OUTERMOST = 0.5 / _QUANTILES
#: More rows are represented by so many of them.
_ROWS = 10_000
#: With a smaller share of ones the indicators of categories are a sparse matrix.
_DENSE_SHARE = 0.3


@dataclass(frozen=True)
class NormalScores:
    """The quantiles of each number, and the categories of each other feature.

    Parameters
    ----------
    numbers
        (d,): the columns of numbers.
    median
        (d,): it takes the place of a missing number; 0 for a column without numbers.
    quantiles
        (d, n_quantiles), ascending.
    categories, codes
        (k,) each: an indicator is 1 where this column has this code; NaN is the code of a missing category.
    """

    numbers: npt.NDArray[np.int32]
    median: Floats
    quantiles: Floats
    categories: npt.NDArray[np.int32]
    codes: Floats

    @property
    def n_columns(self) -> int:
        """The number of columns that it makes."""
        return len(self.numbers) + len(self.categories)

    @classmethod
    def fit(cls, features: pd.DataFrame, matrix: Floats, seed: int) -> Self:
        """Compute medians and quantiles, as scikit-learn's QuantileTransformer does.

        Parameters
        ----------
        features
            Its types tell numbers from categories.
        matrix
            (n, n_features): the same features, see `aurist.features.matrix.float_matrix`.
        seed
            Of the sample of rows, if there are many.
        """
        is_category = np.array(
            [isinstance(dtype, pd.CategoricalDtype) for dtype in features.dtypes], dtype=bool
        )
        columns = np.flatnonzero(~is_category).astype(np.int32)
        values = matrix[:, columns]
        empty = np.isnan(values).all(axis=0)
        median = np.zeros(len(columns), dtype=np.float32)
        median[~empty] = np.nanmedian(values[:, ~empty], axis=0)
        values = np.where(np.isnan(values), median, values)
        if len(values) > _ROWS:
            values = values[np.random.default_rng(seed).choice(len(values), _ROWS, replace=False)]
        shares = 100 * np.linspace(0, 1, min(_QUANTILES, len(features)))
        quantiles = np.percentile(values, shares, axis=0).T.astype(np.float32)
        pairs = [
            (column, code)
            for column in np.flatnonzero(is_category)
            for code in np.unique(matrix[:, column])  # NaN is one value, the last
        ]
        return cls(
            columns,
            median,
            # rounding must not change their order
            np.ascontiguousarray(np.maximum.accumulate(quantiles, axis=1)),
            np.array([column for column, _ in pairs], dtype=np.int32),
            np.array([code for _, code in pairs], dtype=np.float32),
        )

    def transform(self, matrix: Floats) -> Floats:
        """Convert rows, (n, n_features), to normal scores and indicators, (n, d + k)."""
        scores = self._scores(matrix)
        if not len(self.categories):
            return scores
        return np.concatenate([scores, self._indicators(matrix)], axis=1)

    def transform_sparse(self, matrix: Floats) -> Any:
        """Convert rows as `transform` does; to a sparse matrix if most of it is zero."""
        from scipy import sparse

        n_categories = len(np.unique(self.categories))
        if len(self.numbers) + n_categories >= _DENSE_SHARE * (len(self.numbers) + len(self.categories)):
            return self.transform(matrix)
        blocks = [
            sparse.csr_array(self._indicators(matrix[start : start + 1024]))
            for start in range(0, len(matrix), 1024)
        ]
        return sparse.hstack([sparse.csr_array(self._scores(matrix)), sparse.vstack(blocks)], format="csr")

    def _scores(self, matrix: Floats) -> Floats:
        from scipy.special import ndtri

        out = np.empty((len(matrix), len(self.numbers)), dtype=np.float32)
        matrix = np.ascontiguousarray(matrix, dtype=np.float32)
        model_loops(len(matrix)).ranks(matrix, self.numbers, self.median, self.quantiles, out)
        return np.asarray(ndtri(np.clip(out, _OUTERMOST, 1 - _OUTERMOST)), dtype=np.float32)

    def _indicators(self, matrix: Floats) -> Floats:
        values = matrix[:, self.categories]
        equal = (values == self.codes) | (np.isnan(values) & np.isnan(self.codes))
        return np.asarray(equal, dtype=np.float32)

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Give the arrays by name, for a file."""
        return {name: getattr(self, name) for name in SCORE_ARRAYS}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], n_features: int) -> Self:
        """Make it from the arrays of a file.

        Raises
        ------
        ValueError
            If the arrays do not fit each other, or tables of ``n_features`` columns.
        """
        scores = cls(
            arrays["numbers"].astype(np.int32),
            arrays["median"].astype(np.float32),
            arrays["quantiles"].astype(np.float32),
            arrays["categories"].astype(np.int32),
            arrays["codes"].astype(np.float32),
        )
        d = len(scores.numbers)
        if (
            scores.quantiles.shape[0] != d
            or len(scores.median) != d
            or len(scores.codes) != len(scores.categories)
        ):
            raise ValueError("its quantiles and categories differ in their lengths")
        if d and scores.quantiles.shape[1] < 1:
            raise ValueError("it has no quantiles")
        columns = np.concatenate([scores.numbers, scores.categories])
        if not ((columns >= 0) & (columns < n_features)).all():
            raise ValueError(f"it names columns beyond the {n_features} features")
        return scores


#: Dimensions of the arrays of a file, for `aurist.stored.read_arrays`.
SCORE_ARRAYS: dict[str, tuple[int, ...]] = {
    "numbers": (1,), "median": (1,), "quantiles": (2,), "categories": (1,), "codes": (1,),
}  # fmt: skip
