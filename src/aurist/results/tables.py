"""Tabulate the errors of a model: a table by class, the confusion matrix, the calibration."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.arrays import Proba
from aurist.errors import ConfigError, DataError
from aurist.metrics.ranking import average_precision, roc_auc
from aurist.metrics.scorer import UNKNOWN, Truth, check, decide, ratio

#: Number of bins of equal width: other bins give another calibration error for the same predictions.
BINS = 15


def per_class(
    truth: Truth,
    proba: Proba,
    classes: Sequence[str],
    *,
    multilabel: bool | None = None,
    named: npt.NDArray[np.bool_] | None = None,
) -> pd.DataFrame:
    """Score each class.

    Parameters
    ----------
    truth, proba
        (n, n_classes), as the metrics take them.
    classes
        The names of the columns.
    multilabel
        Whether rows may have several labels; taken from the truth if not given.
    named
        (n, n_classes): decisions for data with several labels a row; None: all probabilities above one half.

    Returns
    -------
    pandas.DataFrame
        ``class, n, precision, recall, f1, average_precision, roc_auc``, in the order of ``classes``. NaN
        if a score is not defined (the precision of a class never decided for, the recall of one that never
        occurs), so that the mean of ``f1`` is the metric ``f1_macro``.

    Raises
    ------
    DataError
        If the arrays do not fit together.

    Examples
    --------
    >>> truth = np.eye(2)[[0, 0, 1, 1]]
    >>> proba = np.array([[0.9, 0.1], [0.3, 0.7], [0.4, 0.6], [0.1, 0.9]])
    >>> per_class(truth, proba, ["cat", "dog"]).round(2)
      class  n  precision  recall    f1  average_precision  roc_auc
    0   cat  2       1.00     0.5  0.67               0.83     0.75
    1   dog  2       0.67     1.0  0.80               0.83     0.75
    """
    truth, proba, multilabel = check(truth, proba, multilabel)
    if len(classes) != truth.shape[1]:
        raise DataError(f"There are {len(classes)} class names for {truth.shape[1]} columns")
    chosen = decide(proba, multilabel) if named is None or not multilabel else named.astype(np.int8)
    decided = chosen * (truth != UNKNOWN)
    hits = (decided * truth).sum(axis=0).astype(float)
    n_decided, n_true = decided.sum(axis=0).astype(float), (truth == 1).sum(axis=0).astype(float)
    columns = range(truth.shape[1])
    return pd.DataFrame(
        {
            "class": list(classes),
            "n": n_true.astype(np.int64),
            "precision": ratio(hits, n_decided),
            "recall": ratio(hits, n_true),
            "f1": ratio(2 * hits, n_decided + n_true),
            "average_precision": [average_precision(truth[:, [c]], proba[:, [c]]) for c in columns],
            "roc_auc": [roc_auc(truth[:, [c]], proba[:, [c]]) for c in columns],
        }
    )


def confusion(truth: Truth, proba: Proba) -> npt.NDArray[np.int64]:
    """Compute the confusion matrix, (n_classes, n_classes): rows are true classes, columns are decided classes.

    Raises
    ------
    DataError
        If rows have no label or several.

    Examples
    --------
    >>> confusion(np.eye(2)[[0, 0, 1]], np.array([[0.9, 0.1], [0.3, 0.7], [0.4, 0.6]]))
    array([[1, 1],
           [0, 1]])
    """
    truth, proba, _ = check(truth, proba, multilabel=False)
    return truth.T.astype(np.int64) @ decide(proba, multilabel=False).astype(np.int64)


def reliability(
    truth: Truth, proba: Proba, bins: int = BINS, *, multilabel: bool | None = None
) -> pd.DataFrame:
    """Compare the model's confidence with the share of right decisions.

    With one label a row, only the decided class counts; with several, every class of every row.
    Source: Guo et al., On Calibration of Modern Neural Networks (2017).

    Parameters
    ----------
    truth, proba
        (n, n_classes), as the metrics take them.
    bins
        Number of bins of equal width between 0 and 1; each includes its upper bound.

    Returns
    -------
    pandas.DataFrame
        ``low, high, n, confidence, frequency``, one row for each bin: its bounds, the number of decisions in it,
        their mean probability and the share of right ones; NaN in an empty bin.

    Raises
    ------
    ConfigError
        If there is no bin.
    DataError
        If the arrays do not fit together or are no probabilities.

    Examples
    --------
    >>> reliability(np.eye(2)[[0, 0, 1]], np.array([[0.9, 0.1], [0.3, 0.7], [0.2, 0.8]]), bins=2)
       low  high  n  confidence  frequency
    0  0.0   0.5  0         NaN        NaN
    1  0.5   1.0  3         0.8   0.666667
    """
    if bins < 1:
        raise ConfigError(f"A reliability table needs at least one bin; {bins} were asked for")
    truth, proba, multilabel = check(truth, proba, multilabel)
    if len(proba) and (proba.min() < -1e-6 or proba.max() > 1 + 1e-6):
        raise DataError(f"Probabilities lie in 0 to 1; these lie in {proba.min():g} to {proba.max():g}")
    if multilabel:
        labelled = truth != UNKNOWN
        confidence, right = proba[labelled], truth[labelled]
    else:
        confidence, right = proba.max(axis=1), (decide(proba, multilabel=False) * truth).sum(axis=1)
    edges = np.linspace(0, 1, bins + 1)
    bin_index = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    n = np.bincount(bin_index, minlength=bins)
    return pd.DataFrame(
        {
            "low": edges[:-1],
            "high": edges[1:],
            "n": n,
            "confidence": ratio(np.bincount(bin_index, confidence, bins).astype(float), n.astype(float)),
            "frequency": ratio(np.bincount(bin_index, right, bins).astype(float), n.astype(float)),
        }
    )


def ece(truth: Truth, proba: Proba, bins: int = BINS, *, multilabel: bool | None = None) -> float:
    """Compute the expected calibration error: the mean distance of confidence from frequency over decisions.

    0 is best. The parameters and errors are those of `reliability`; NaN without rows.

    Examples
    --------
    >>> round(ece(np.eye(2)[[0, 0, 1]], np.array([[0.9, 0.1], [0.3, 0.7], [0.2, 0.8]]), bins=2), 4)
    0.1333
    """
    table = reliability(truth, proba, bins, multilabel=multilabel)
    filled = table[table["n"] > 0]
    if filled.empty:
        return float("nan")
    return float(np.average((filled["confidence"] - filled["frequency"]).abs(), weights=filled["n"]))
