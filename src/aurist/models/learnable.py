"""The classes that can be learnt from rows, shared by the engines of scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from aurist.models.base import FitFailedError


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


def checked_classes(positions: npt.NDArray[Any], n_classes: int) -> list[int]:
    """Return positions of classes that come from a file.

    Raises
    ------
    ValueError
        If one of them is no class.
    """
    if not ((positions >= 0) & (positions < n_classes)).all():
        raise ValueError(f"it names classes beyond {n_classes}")
    return [int(position) for position in positions]
