"""Shared by the engines of scikit-learn: store a model without pickle, find the classes to learn, scale features."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.errors import RunError
from aurist.files import atomic_path
from aurist.models.base import FitFailedError
from aurist.stored import stored

#: Quantiles of a feature. Values beyond the first and the last half quantile all count as equal: their distance from
#: the rest is not known.
_QUANTILES = 100
_OUTERMOST = 0.5 / _QUANTILES
#: Types that our models contain and skops does not trust by itself. Each by its full name: scikit-learn and numpy also
#: have functions that run code from a file.
_OUR_TYPES = ("numpy.clip", "numpy.dtype", "sklearn.tree._tree.Tree")
_TORCH_ADAPTER = "sklearn.externals.array_api_compat.torch"


def write_skops(path: Path, values: dict[str, Any]) -> None:
    """Write estimators and numbers to a skops file."""
    io = _import_skops()
    with atomic_path(path) as part:
        io.dump(values, part, compression=ZIP_DEFLATED, compresslevel=1)


def read_skops(path: Path) -> dict[str, Any]:
    """Read a file of `write_skops`. Refuse every type that it does not write.

    Raises
    ------
    RunError
        If the file is missing, damaged, or contains other types.
    """
    io = _import_skops()
    if not path.exists():
        raise RunError(
            f"Found no {path.name} in {path.parent}; delete that folder, and `aurist resume` fits it again."
        )
    with stored(path, refit(path)):
        unknown = sorted(set(io.get_untrusted_types(file=path)) - set(_OUR_TYPES))
    if unknown:
        raise RunError(
            f"{path} contains types that no model of aurist has, and is not loaded: {', '.join(unknown)}. It may "
            f"try to run a command on this machine. If the run is your own, delete {path.parent} and continue with "
            "`aurist resume`."
        )
    with stored(path, refit(path)):
        return dict(io.load(path, trusted=list(_OUR_TYPES)))


def refit(path: Path) -> str:
    """Give the next step for the user if the file of a model is damaged."""
    return f"Delete {path.parent}, and `aurist resume` fits it again."


def _import_skops() -> Any:
    """Import skops, and not PyTorch with it.

    skops lists all estimators, for which scikit-learn imports all of its packages. One of them imports PyTorch if it is
    installed: this would take more time than a prediction.
    """
    if _TORCH_ADAPTER in sys.modules:
        return importlib.import_module("skops.io")
    sys.modules[_TORCH_ADAPTER] = None  # type: ignore[assignment]  # importing it is an ImportError, which is passed over
    try:
        return importlib.import_module("skops.io")
    finally:
        del sys.modules[_TORCH_ADAPTER]


def always_present(targets: npt.NDArray[np.int8]) -> list[int]:
    """Find the labels that no row is known to lack. There is nothing to learn; the answer is always 1.

    Examples
    --------
    >>> always_present(np.array([[1, 0, -1], [1, 1, 1]], dtype=np.int8))
    [0, 2]
    """
    return [int(c) for c in np.flatnonzero((targets == 1).any(axis=0) & (targets != 0).all(axis=0))]


def learnable(
    targets: npt.NDArray[np.int8], *, multilabel: bool
) -> tuple[list[int], npt.NDArray[np.integer[Any]]]:
    """Find the columns of classes that can be learnt, and the truth of these columns.

    Parameters
    ----------
    targets
        (n, n_classes), indicator matrix; cells that are neither 0 nor 1 are unknown.
    multilabel
        If False, the truth is (n,), positions among the columns. If True, it is (n, n_seen), without labels that no
        row is known to have, and without labels that no row is known to lack.

    Examples
    --------
    >>> seen, truth = learnable(np.eye(4, dtype=np.int8)[[3, 1, 3]], multilabel=False)
    >>> seen, truth.tolist()
    ([1, 3], [1, 0, 1])
    """
    if multilabel:
        seen = np.flatnonzero((targets == 1).any(axis=0) & (targets == 0).any(axis=0))
        return [int(column) for column in seen], targets[:, seen]
    seen = np.flatnonzero(targets.sum(axis=0) > 0)
    return [int(column) for column in seen], np.searchsorted(seen, targets.argmax(axis=1))


def require_classes(seen: list[int], name: str, *, multilabel: bool) -> None:
    """Refuse rows with a single class: there is nothing to tell apart.

    Raises
    ------
    FitFailedError
        If there are fewer than two classes, or no label that varies.
    """
    if len(seen) < (1 if multilabel else 2):
        raise FitFailedError(f"{name}: the rows to learn from have a single class.")


def normal_features(features: pd.DataFrame, seed: int) -> Any:
    """Bring numbers to normal distributions by their ranks, and categories to indicators.

    No unit and no outlier counts for more than another.
    """
    from scipy.special import ndtri
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, QuantileTransformer

    is_category = [isinstance(features[name].dtype, pd.CategoricalDtype) for name in features]
    # QuantileTransformer's own normal distribution takes ten times as long, and puts all outermost values at five
    # standard deviations
    numbers = make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True),
        QuantileTransformer(n_quantiles=min(_QUANTILES, len(features)), random_state=seed),
        FunctionTransformer(np.clip, kw_args={"a_min": _OUTERMOST, "a_max": 1 - _OUTERMOST}),
        FunctionTransformer(ndtri),
    )
    return ColumnTransformer(
        [
            ("numbers", numbers, np.flatnonzero(~np.array(is_category)).tolist()),
            ("categories", OneHotEncoder(handle_unknown="ignore"), np.flatnonzero(is_category).tolist()),
        ]
    )
