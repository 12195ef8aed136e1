"""Measure how unlike the training clips a clip is, so that "unknown" can be an answer.

Features are standardised and projected on few principal directions. In this space the distance to each class is
Mahalanobis's: to the mean of the class, by the covariance that the classes share. A clip is unlike if its nearest class
is far away, in relation to all classes. No training clip is kept: only means, one covariance and sorted scores.

Sources: K. Lee et al., "A simple unified framework for detecting out-of-distribution samples and adversarial attacks",
NeurIPS 2018; the relation to other distances after J. Ren et al., "A simple fix to Mahalanobis distance for improving
near-OOD detection", 2021. The comparison with other scores is in docs/decisions/0031.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from aurist.errors import ConfigError, plural

Floats = npt.NDArray[np.float32]
#: The least and the most directions; between them as many as there are classes. Embeddings need more of them.
_DIRECTIONS, _WITH_EMBEDDINGS = (12, 50), (40, 50)
#: Rows, beyond one for each class, that a direction needs.
_ROWS_A_DIRECTION = 3
#: The fewest rows to learn from, and the most that are used.
FEWEST_ROWS, MOST_ROWS = 8, 2000
#: Standard deviations at which a feature is cut off.
_FARTHEST = 3.0
#: The share of the covariance that is spread evenly over the directions.
_EVEN = 0.1
#: Directions beyond those needed, and rounds, of the randomised decomposition.
_SPARE, _ROUNDS = 10, 6
#: Likeness is stored in single precision.
_ROUNDING = 1e-6
#: The label of a clip that sounds unlike all classes.
UNKNOWN_LABEL = "unknown"
#: The likeness at or below which clips are counted as unlike, if no other is given.
DEFAULT_SHARE = 0.05


@dataclass(frozen=True)
class OpenSet:
    """Class means in few directions, and the scores of training clips.

    Parameters
    ----------
    columns
        (k,): the features that are used, by position.
    centre, scale
        (k,): mean and standard deviation of each.
    directions
        (k, m): from standardised features to a space in which the shared covariance of the classes is the identity.
    means
        (n_means, m): the mean of each class in this space.
    typical
        (n,), ascending: the scores of training clips by models that had not learnt from them.
    n_features
        Number of features of a clip.
    """

    columns: npt.NDArray[np.int32]
    centre: Floats
    scale: Floats
    directions: Floats
    means: Floats
    typical: Floats
    n_features: int

    def scores(self, matrix: Floats) -> Floats:
        """Score rows of features, (n, n_features): 0 at the mean of a class, towards 1 far from all; (n,)."""
        projected = standardised(matrix[:, self.columns], self.centre, self.scale) @ self.directions
        distances = ((projected[:, None, :] - self.means[None, :, :]) ** 2).sum(axis=2)
        m = self.directions.shape[1]
        return np.asarray(distances.min(axis=1) / (m + distances.mean(axis=1)), dtype=np.float32)

    def likeness(self, matrix: Floats) -> npt.NDArray[np.float64]:
        """Compute the share of training clips that are at least as unlike as each row, (n,); NaN for rows of NaN alone.

        It is a p-value: of clips like the training clips, at most about a share s has a likeness of s or less.
        """
        out = likeness(self.scores(matrix), self.typical)
        out[np.isnan(matrix[:, self.columns]).all(axis=1)] = np.nan
        return out

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Give the arrays by name, for a file."""
        return {name: np.asarray(getattr(self, name)) for name in OPEN_SET_ARRAYS}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Make it from the arrays of a file.

        Raises
        ------
        ValueError
            If the arrays do not fit each other.
        """
        n_features = int(arrays["n_features"])
        numbers = {
            name: arrays[name].astype(np.float32)
            for name in OPEN_SET_ARRAYS
            if name not in ("columns", "n_features")
        }
        open_set = cls(columns=arrays["columns"].astype(np.int32), n_features=n_features, **numbers)
        k, m = open_set.directions.shape
        if not (len(open_set.columns) == len(open_set.centre) == len(open_set.scale) == k) or not k:
            raise ValueError(f"its directions have the shape {open_set.directions.shape}")
        if open_set.means.shape[1] != m or not len(open_set.means) or not len(open_set.typical) or not m:
            raise ValueError(f"its means have the shape {open_set.means.shape}")
        if not ((open_set.columns >= 0) & (open_set.columns < n_features)).all():
            raise ValueError(f"it names columns beyond the {n_features} features")
        if not all(np.isfinite(array).all() for array in numbers.values()) or not (open_set.scale > 0).all():
            raise ValueError("it holds numbers that are not finite, or a scale of zero")
        return open_set


#: Dimensions of the arrays of a file, for `aurist.stored.read_arrays`.
OPEN_SET_ARRAYS: dict[str, tuple[int, ...]] = {
    "columns": (1,), "centre": (1,), "scale": (1,), "directions": (2,), "means": (2,), "typical": (1,),
    "n_features": (0,),
}  # fmt: skip


def likeness(scores: Floats, typical: Floats) -> npt.NDArray[np.float64]:
    """Compute the share of ascending ``typical`` scores that are at least as high, counting the clip itself, (n,).

    Source: V. Vovk et al., Algorithmic Learning in a Random World (2005), conformal p-values.

    Examples
    --------
    >>> likeness(np.float32([0.1, 0.9]), np.float32([0.1, 0.2, 0.3])).tolist()
    [1.0, 0.25]
    """
    as_high = len(typical) - np.searchsorted(typical, scores, side="left")
    return np.asarray((1 + as_high) / (1 + len(typical)), dtype=np.float64)


def unlike(
    likeness: npt.NDArray[np.floating[Any]] | None, share: float | None, n: int
) -> npt.NDArray[np.bool_]:
    """Decide which of n rows are unlike the training clips: none without a likeness or a share."""
    if likeness is None or share is None:
        return np.zeros(n, dtype=bool)
    return np.asarray(likeness <= share + _ROUNDING)


def unlike_note(
    likeness: npt.NDArray[np.floating[Any]] | None, unit: str, unknown: float | None = None
) -> str | None:
    """Write a sentence if more rows sound unlike the training clips than would of clips like these; else None.

    Examples
    --------
    >>> unlike_note(np.array([0.01, 0.02, 0.5, 0.7]), "recording")
    '2 of 4 recordings are unlike what was learnt (likeness of at most 0.05, as of about 5% of clips like the training \
data). The column likeness tells which; unknown=0.05 labels them unknown.'
    >>> unlike_note(np.array([0.01]), "recording").endswith("give the length of those with window=.")
    True
    """
    if likeness is None or not np.isfinite(likeness).any():
        return None
    share = DEFAULT_SHARE if unknown is None else unknown
    n, count = int(np.isfinite(likeness).sum()), int((likeness <= share).sum())
    if unknown is None and count <= share * n + 2 * (share * (1 - share) * n) ** 0.5:
        return None
    verb = "is" if count == 1 else "are"
    text = (
        f"{count:,} of {plural(n, unit)} {verb} unlike what was learnt (likeness of at most {share:g}, as of about "
        f"{share:.0%} of clips like the training data)."
    )
    if unknown is None:
        of = ' of windows.csv (formats="windows")' if unit == "window" else ""
        end = f"The column likeness{of} tells which; unknown={share:g} labels them unknown."
        if unit == "recording" and count > n / 2:
            end += " If they are longer than the training clips, give the length of those with window=."
    else:
        end = "They count for no event." if unit == "window" else f"Labelled: {UNKNOWN_LABEL}."
    return f"{text} {end}"


def check_share(share: float | None) -> None:
    """Check the likeness up to which clips are called unknown.

    Raises
    ------
    ConfigError
        If it is no share between 0 and 1.
    """
    if share is not None and not 0 < share < 1:
        raise ConfigError(f"unknown is {share:g}, but must be a share between 0 and 1, such as 0.05.")


def fit_open_set(
    matrix: Floats, targets: npt.NDArray[np.int8], seed: int, *, embedded: bool = False
) -> OpenSet | None:
    """Learn means and covariance, without typical scores; None if there are too few rows or no feature that varies.

    Parameters
    ----------
    matrix
        (n, n_features): numbers; a column of NaN alone, such as a category, is not used.
    targets
        (n, n_classes): indicator matrix. A row with several labels counts for each of them; rows without a label are
        one more class.
    seed
        Of the sample of rows, if there are many, and of the decomposition.
    embedded
        True if there are embeddings of networks among the features.
    """
    rng = np.random.default_rng(seed)
    if len(matrix) > MOST_ROWS:
        rows = np.sort(rng.choice(len(matrix), MOST_ROWS, replace=False))
        matrix, targets = matrix[rows], targets[rows]
    owner, label = _members(targets)
    n_means = len(np.unique(label))
    if len(matrix) < FEWEST_ROWS:
        return None
    columns, centre, scale = _varying(matrix)
    least, most = _WITH_EMBEDDINGS if embedded else _DIRECTIONS
    m = min(
        max(least, n_means),
        most,
        (len(matrix) - n_means) // _ROWS_A_DIRECTION,
        len(columns),
    )
    if m < 1:
        return None
    ready = standardised(matrix[:, columns], centre, scale)
    principal = _principal(ready, m, rng)
    projected = ready @ principal
    _, position = np.unique(label, return_inverse=True)
    sums = np.zeros((n_means, principal.shape[1]))
    np.add.at(sums, position, projected[owner])
    means = sums / np.bincount(position)[:, None]
    within = projected[owner] - means[position]
    covariance = within.T @ within / max(1, len(owner) - n_means)
    even = max(float(np.trace(covariance)) / len(covariance), 1e-6)
    covariance = (1 - _EVEN) * covariance + _EVEN * even * np.eye(len(covariance))
    whitener = np.linalg.inv(np.linalg.cholesky(covariance)).T
    return OpenSet(
        columns,
        centre,
        scale,
        np.asarray(principal @ whitener, dtype=np.float32),
        np.asarray(means @ whitener, dtype=np.float32),
        np.zeros(1, dtype=np.float32),
        matrix.shape[1],
    )


def standardised(matrix: Floats, centre: Floats, scale: Floats) -> Floats:
    """Subtract the mean, divide by the standard deviation, cut off outliers; a missing value is the mean."""
    ready = np.clip((matrix - centre) / scale, -_FARTHEST, _FARTHEST)
    return np.asarray(np.nan_to_num(ready, nan=0.0), dtype=np.float32)


def _members(targets: npt.NDArray[np.int8]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """List rows with the class of each: a row once for each of its labels, or once without a label."""
    without = np.flatnonzero(~(targets == 1).any(axis=1))
    rows, columns = np.nonzero(targets == 1)
    return np.concatenate([rows, without]), np.concatenate([columns, np.full(len(without), -1)])


def _varying(matrix: Floats) -> tuple[npt.NDArray[np.int32], Floats, Floats]:
    """Select the columns that vary, with their means and standard deviations."""
    numbers = np.where(np.isfinite(matrix), matrix, np.nan).astype(np.float64)
    usable = np.flatnonzero(~np.isnan(numbers).all(axis=0))
    centre, scale = np.nanmean(numbers[:, usable], axis=0), np.nanstd(numbers[:, usable], axis=0)
    # sums of large numbers vary by rounding alone
    varying = scale > 1e-6 * np.abs(centre) + 1e-30
    return (
        usable[varying].astype(np.int32),
        centre[varying].astype(np.float32),
        scale[varying].astype(np.float32),
    )


def _principal(ready: Floats, m: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Compute the first m principal directions, (k, m), by subspace iteration.

    Source: N. Halko et al., "Finding structure with randomness", SIAM Review 2011.
    """
    centred = ready - ready.mean(axis=0)
    width = min(m + _SPARE, *centred.shape)
    basis = rng.normal(size=(centred.shape[1], width)).astype(np.float32)
    for _ in range(_ROUNDS):
        basis, _ = np.linalg.qr(centred.T @ (centred @ basis))
    _, _, rotation = np.linalg.svd(centred @ basis, full_matrices=False)
    return np.asarray(basis @ rotation.T, dtype=np.float64)[:, :m]
