"""What the engines of scikit-learn share: how a model is kept without pickle, which classes it can learn, and how
features are brought to one scale."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.errors import RunError
from aurist.files import atomic_path
from aurist.stored import stored

#: Of a feature. Half of one from either end on all values are alike: how far the outermost lie out is not known.
_QUANTILES = 100
_OUTERMOST = 0.5 / _QUANTILES
#: What our models hold beside the estimators, arrays and plain values that skops vouches for itself. Each by its full
#: name: scikit-learn and numpy hold functions that run what a file says.
_OUR_TYPES = ("numpy.clip", "numpy.dtype", "sklearn.tree._tree.Tree")


def write_kept(path: Path, values: dict[str, Any]) -> None:
    """Write estimators and numbers with skops."""
    from skops import io

    with atomic_path(path) as part:
        io.dump(values, part, compression=ZIP_DEFLATED, compresslevel=1)


def read_kept(path: Path) -> dict[str, Any]:
    """Read back what `write_kept` wrote; no type that it does not write is accepted.

    Raises
    ------
    RunError
        Where it is not there, or holds something else.
    """
    from skops import io

    if not path.exists():
        raise RunError(
            f"Found no {path.name} in {path.parent}; delete that folder, and `aurist resume` fits it again."
        )
    remedy = f"Delete {path.parent}, and `aurist resume` fits it again."
    with stored(path, remedy):
        unknown = sorted(set(io.get_untrusted_types(file=path)) - set(_OUR_TYPES))
    if unknown:
        raise RunError(
            f"{path} holds what no model of ours does, and is not loaded: {', '.join(unknown)}. Whoever made it may "
            f"want to run a command here. Where the run is your own, delete {path.parent} and go on with `aurist "
            "resume`."
        )
    with stored(path, remedy):
        return dict(io.load(path, trusted=list(_OUR_TYPES)))


def everywhere(targets: npt.NDArray[np.int8]) -> list[int]:
    """The labels that every row has of which it is known: there is nothing to learn of them, and one answer.

    Examples
    --------
    >>> everywhere(np.array([[1, 0, -1], [1, 1, 1]], dtype=np.int8))
    [0, 2]
    """
    return [int(c) for c in np.flatnonzero((targets == 1).any(axis=0) & (targets != 0).all(axis=0))]


def learnable(
    targets: npt.NDArray[np.int8], *, multilabel: bool
) -> tuple[list[int], npt.NDArray[np.integer[Any]]]:
    """The columns of classes that can be learnt, and the truth by them.

    Parameters
    ----------
    targets
        (n, n_classes), indicator matrix; what is neither 0 nor 1 is not known.
    multilabel
        With one label a row, the truth is (n,), positions among the columns; else it is (n, n_seen), without labels
        that no row is known to have, or to lack.

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


def normal_features(features: pd.DataFrame, seed: int) -> Any:
    """Brings numbers to normal distributions by their ranks, and categories to indicators.

    No unit and no outlier counts for more than another.
    """
    from scipy.special import ndtri
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, QuantileTransformer

    named = [isinstance(features[name].dtype, pd.CategoricalDtype) for name in features]
    # QuantileTransformer's own normal distribution takes ten times as long, column by column, and puts all that is
    # outermost five deviations from the middle
    numbers = make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True),
        QuantileTransformer(n_quantiles=min(_QUANTILES, len(features)), random_state=seed),
        FunctionTransformer(np.clip, kw_args={"a_min": _OUTERMOST, "a_max": 1 - _OUTERMOST}),
        FunctionTransformer(ndtri),
    )
    return ColumnTransformer(
        [
            ("numbers", numbers, np.flatnonzero(~np.array(named)).tolist()),
            ("categories", OneHotEncoder(handle_unknown="ignore"), np.flatnonzero(named).tolist()),
        ]
    )
