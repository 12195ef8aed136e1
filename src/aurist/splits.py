"""Build folds without leaks: stratified, grouped, and checked."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.errors import DataError

Rows = npt.NDArray[np.intp]
Groups = npt.NDArray[np.int64]
Targets = npt.NDArray[np.int8]

#: Above this many groups, groups of one row are assigned separately.
MANY_GROUPS = 2000
#: The fold number of a row that is always trained on and never scored.
NEVER_SCORED = -1


@dataclass(frozen=True)
class Split:
    """The rows of one fold: for training, for validation (to choose epochs, rounds, weights), and for scoring."""

    fold: int
    train: Rows
    validation: Rows
    scored: Rows


def assign_folds(targets: Targets, groups: Groups, n_splits: int, seed: int) -> npt.NDArray[np.int64]:
    """Assign a fold to every row, stratified by label and grouped.

    Parameters
    ----------
    targets : (n, n_classes)
        Indicator matrix with one 1 per row (single label) or any number of them (multi-label). Unknown cells count as
        absent.
    groups : (n,)
        Rows of one group go to one fold.
    n_splits
        Number of folds; fewer if there are fewer groups.
    seed
        Shuffles the groups.

    Returns
    -------
    (n,), int64
        0 .. n_splits-1.

    Raises
    ------
    DataError
        If there are fewer than two groups.

    Notes
    -----
    Single label: scikit-learn's StratifiedGroupKFold. Multi-label: iterative stratification (Sechidis et al. 2011) of
    the groups by their labels.

    Examples
    --------
    >>> targets = np.eye(2, dtype=np.int8)[[0, 0, 1, 1, 0, 1]]
    >>> folds = assign_folds(targets, np.array([0, 0, 1, 1, 2, 3]), n_splits=2, seed=0)
    >>> bool(folds[0] == folds[1] and folds[2] == folds[3])
    True
    """
    targets = (targets > 0).astype(np.int8)
    distinct = np.unique(groups)
    if len(distinct) < 2:
        raise DataError(
            f"Found {len(distinct)} group among {len(groups)} clips, but scoring needs at least two groups "
            "(recordings, artists, sites), since a group is never split over folds. "
            "Add recordings, or check the group column (group=)."
        )
    n_splits = min(n_splits, len(distinct))
    if (targets.sum(axis=1) == 1).all():
        return _single_label(targets, groups, n_splits, seed)
    return _multi_label(targets, groups, n_splits, seed)


def _single_label(targets: Targets, groups: Groups, n_splits: int, seed: int) -> npt.NDArray[np.int64]:
    label = targets.argmax(axis=1)
    n_splits = min(n_splits, max(int(np.bincount(label).max()), 2))
    _, member, size = np.unique(groups, return_inverse=True, return_counts=True)
    is_single = size[member] == 1
    if len(size) <= MANY_GROUPS or is_single.all() or not is_single.any():
        return _renumbered(_stratified(label, None if is_single.all() else groups, n_splits, seed))
    # scikit-learn loops over groups, which is slow; single rows need no groups
    folds = np.empty(len(label), dtype=np.int64)
    folds[is_single] = _stratified(label[is_single], None, n_splits, seed)
    folds[~is_single] = _stratified(label[~is_single], groups[~is_single], n_splits, seed)
    return _renumbered(folds)


def _stratified(
    label: npt.NDArray[np.intp], groups: Groups | None, n_splits: int, seed: int
) -> npt.NDArray[np.int64]:
    """Assign stratified folds, of whole groups if given; if there are too few rows, assign groups at random."""
    member = np.arange(len(label)) if groups is None else np.unique(groups, return_inverse=True)[1]
    n_groups = int(member.max()) + 1
    if n_groups < n_splits or np.bincount(label).max() < n_splits:
        return np.random.default_rng(seed).permutation(n_groups)[member] % n_splits
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    kind = StratifiedKFold if groups is None else StratifiedGroupKFold
    folds = np.zeros(len(label), dtype=np.int64)
    with warnings.catch_warnings():
        # the audit reports classes with fewer rows than folds
        warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
        splitter = kind(n_splits, shuffle=True, random_state=seed)
        for fold, (_, scored) in enumerate(splitter.split(label, label, groups)):
            folds[scored] = fold
    return folds


def _multi_label(targets: Targets, groups: Groups, n_splits: int, seed: int) -> npt.NDArray[np.int64]:
    from iterstrat.ml_stratifiers import MultilabelStratifiedKFold

    _, member = np.unique(groups, return_inverse=True)
    group_targets = np.zeros((member.max() + 1, targets.shape[1]), dtype=np.int8)
    np.maximum.at(group_targets, member, targets)
    # clips without labels count as one more class, so they are also spread over the folds
    group_targets = np.column_stack([group_targets, group_targets.sum(axis=1) == 0])
    splitter = MultilabelStratifiedKFold(n_splits, shuffle=True, random_state=seed)
    folds = np.zeros(len(group_targets), dtype=np.int64)
    for fold, (_, scored) in enumerate(splitter.split(group_targets, group_targets)):
        folds[scored] = fold
    return _renumbered(folds[member])


def _renumbered(folds: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Renumber folds without gaps."""
    return np.unique(folds, return_inverse=True)[1].astype(np.int64)


def given_folds(fold: Sequence[str | None], part: Sequence[str]) -> npt.NDArray[np.int64] | None:
    """Return the folds that the data prescribes, or None.

    Clips of the part "valid" are the only scored fold, and all others are always trained on. Without them, the ``fold``
    column is used, in the order of its names (numbers by value).
    """
    parts = np.asarray(part, dtype=object)
    if (parts == "valid").any():
        return np.where(parts == "valid", 0, NEVER_SCORED).astype(np.int64)
    names = pd.Series(list(fold), dtype=object)
    if names.isna().all():
        return None
    if names.isna().any():
        raise DataError(
            f"{int(names.isna().sum())} of {len(names)} clips have no fold while the others have one. "
            'Give every clip a fold, or drop the column (fold="none") to have folds made.'
        )
    order = sorted(names.unique(), key=_by_value)
    if len(order) < 2:
        return None
    return names.map({name: i for i, name in enumerate(order)}).to_numpy(dtype=np.int64)


def _by_value(name: str) -> tuple[float, str]:
    digits = "".join(c for c in str(name) if c.isdigit())
    return (float(digits) if digits else float("inf"), str(name))


def cross_splits(
    folds: npt.NDArray[np.int64],
    targets: Targets,
    groups: Groups,
    seed: int,
    validation_share: float = 0.1,
) -> list[Split]:
    """Build the splits of a cross-validation, each with a validation part of its training folds.

    Rows whose group is also in the scored fold are not used for training, as given folds may cut through a group or a
    pair of duplicates. The validation part is grouped and stratified too. Early stopping and every other choice use
    it, never the scored rows.

    Raises
    ------
    DataError
        If a fold leaves nothing to train on.
    """
    splits = []
    for fold in range(int(folds.max()) + 1):
        scored = np.flatnonzero(folds == fold)
        outside = np.flatnonzero((folds != fold) & ~np.isin(groups, groups[scored]))
        if len(np.unique(groups[outside])) < 2:
            raise DataError(
                f"Fold {fold}: fewer than two groups are left to train on without the groups that are scored there. "
                "Check the fold and group columns with `aurist check`."
            )
        train, validation = validation_split(outside, targets, groups, seed + fold, validation_share)
        split = Split(fold, train, validation, scored)
        check_disjoint(split, groups)
        splits.append(split)
    return splits


def validation_split(
    rows: Rows, targets: Targets, groups: Groups, seed: int, share: float
) -> tuple[Rows, Rows]:
    """Divide rows into training and validation, grouped, with about ``share`` of them in validation."""
    n_parts = max(2, round(1 / share))
    folds = assign_folds(targets[rows], groups[rows], n_parts, seed)
    return rows[folds != 0], rows[folds == 0]


def check_disjoint(split: Split, groups: Groups) -> None:
    """Check that no group is on two sides of a split.

    Raises
    ------
    DataError
        If a group is on two sides. Splits of this module never raise it: it is a last guard against leaks.
    """
    sides = [set(groups[rows].tolist()) for rows in (split.train, split.validation, split.scored)]
    shared = (sides[0] & sides[1]) | (sides[0] & sides[2]) | (sides[1] & sides[2])
    if shared:
        raise DataError(f"Fold {split.fold}: {len(shared)} groups are on both sides of the split.")


def group_codes(names: Sequence[str | None], default: Sequence[str]) -> Groups:
    """Return integer codes of a group column; a row without a group is its own group (``default``)."""
    filled = [("d", d) if n is None else ("g", str(n)) for n, d in zip(names, default, strict=True)]
    codes = {key: i for i, key in enumerate(dict.fromkeys(filled))}
    return np.array([codes[key] for key in filled], dtype=np.int64)
