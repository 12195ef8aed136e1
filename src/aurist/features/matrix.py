"""Feature tables as one array of numbers, and the hash of each row."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

#: Prefix of columns that a network computes from recordings.
EMBEDDED = "aurist_embedding_"
#: Rows hashed at once, to limit memory.
_BLOCK = 4096


def float_matrix(
    features: pd.DataFrame, dtype: type[np.floating[Any]] = np.float32, *, missing_category: float = np.nan
) -> npt.NDArray[Any]:
    """Return features as one array, (n, n_features): a category as its number, a missing value as NaN.

    Parameters
    ----------
    features
        (n, n_features): numbers or categories.
    dtype
        The type of the array.
    missing_category
        The number of a missing category.

    Examples
    --------
    >>> float_matrix(pd.DataFrame({"key": pd.Categorical(["a", None]), "tempo": [120, 90]})).tolist()
    [[0.0, 120.0], [nan, 90.0]]
    """
    is_category = np.array([isinstance(kind, pd.CategoricalDtype) for kind in features.dtypes], dtype=bool)
    # one conversion for all columns: hundreds of columns one by one cost more than a forest
    if not is_category.any():
        return np.array(features.to_numpy(dtype=dtype, na_value=np.nan), order="C")
    out = np.empty(features.shape, dtype=dtype)
    out[:, ~is_category] = features.loc[:, ~is_category].to_numpy(dtype=dtype, na_value=np.nan)
    for column in np.flatnonzero(is_category).tolist():
        codes = features.iloc[:, column].cat.codes.to_numpy(dtype=dtype)
        out[:, column] = np.where(codes < 0, dtype(missing_category), codes)
    return out


def row_keys(features: pd.DataFrame) -> npt.NDArray[np.uint64]:
    """Hash each row, (n,): rows with equal features have equal hashes.

    Embeddings of networks are left out, as their last bits depend on the batch.

    Examples
    --------
    >>> same = row_keys(pd.DataFrame({"tempo": [0.0, -0.0, float("nan"), -float("nan"), 1.0]}))
    >>> bool(same[0] == same[1]), bool(same[2] == same[3]), len(set(same.tolist()))
    (True, True, 3)
    """
    given = [not str(name).startswith(EMBEDDED) for name in features.columns]
    table = features if all(given) else features.loc[:, given]
    blocks = [_block_keys(table.iloc[start : start + _BLOCK]) for start in range(0, len(table), _BLOCK)]
    return np.concatenate(blocks) if blocks else np.zeros(0, dtype=np.uint64)


def _block_keys(table: pd.DataFrame) -> npt.NDArray[np.uint64]:
    # adding zero turns -0.0 into 0.0; missing values may be different NaNs
    values = float_matrix(table, np.float64, missing_category=-1.0) + 0.0
    values[np.isnan(values)] = np.nan
    digests = [blake2b(row, digest_size=8).digest() for row in values]
    return np.frombuffer(b"".join(digests), dtype=np.uint64).copy()
