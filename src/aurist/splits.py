"""Folds that nothing leaks through: built once, stratified, grouped, and checked."""

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

#: Above this many groups, those of one row are divided apart from the others.
MANY_GROUPS = 2000
#: The fold of a row that is always trained on and never scored.
NEVER_SCORED = -1


@dataclass(frozen=True)
class Split:
    """One fold's rows: fitted on, kept apart for choices (epochs, rounds, weights), and scored."""

    fold: int
    train: Rows
    validation: Rows
    scored: Rows


def assign_folds(targets: Targets, groups: Groups, n_splits: int, seed: int) -> npt.NDArray[np.int64]:
    """Fold of every row, stratified by label and grouped.

    Parameters
    ----------
    targets : (n, n_classes)
        Indicator matrix; one 1 a row (single label) or any number of them (multi-label). Cells that are not known count
        as absent.
    groups : (n,)
        Rows of one group go to one fold.
    n_splits
        Folds wanted; fewer are made where there are fewer groups.
    seed
        Shuffles the groups.

    Returns
    -------
    (n,), int64
        0 .. n_splits-1.

    Raises
    ------
    DataError
        Where there are fewer than two groups.

    Notes
    -----
    Single label: scikit-learn's StratifiedGroupKFold. Multi-label: iterative stratification (Sechidis et
    al. 2011) of the groups by the labels that they hold.

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
            "Add recordings, or check the group column (--group)."
        )
    n_splits = min(n_splits, len(distinct))
    if (targets.sum(axis=1) == 1).all():
        return _single_label(targets, groups, n_splits, seed)
    return _multi_label(targets, groups, n_splits, seed)


def _single_label(targets: Targets, groups: Groups, n_splits: int, seed: int) -> npt.NDArray[np.int64]:
    label = targets.argmax(axis=1)
    n_splits = min(n_splits, max(int(np.bincount(label).max()), 2))
    _, member, size = np.unique(groups, return_inverse=True, return_counts=True)
    alone = size[member] == 1
    if len(size) <= MANY_GROUPS or alone.all() or not alone.any():
        return _renumbered(_stratified(label, None if alone.all() else groups, n_splits, seed))
    # scikit-learn takes a step for each group: rows that are alone go the short way
    folds = np.empty(len(label), dtype=np.int64)
    folds[alone] = _stratified(label[alone], None, n_splits, seed)
    folds[~alone] = _stratified(label[~alone], groups[~alone], n_splits, seed)
    return _renumbered(folds)


def _stratified(
    label: npt.NDArray[np.intp], groups: Groups | None, n_splits: int, seed: int
) -> npt.NDArray[np.int64]:
    """Folds by label, of whole groups where there are some; rows too few for that are dealt out by their groups."""
    member = np.arange(len(label)) if groups is None else np.unique(groups, return_inverse=True)[1]
    n_groups = int(member.max()) + 1
    if n_groups < n_splits or np.bincount(label).max() < n_splits:
        return np.random.default_rng(seed).permutation(n_groups)[member] % n_splits
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    kind = StratifiedKFold if groups is None else StratifiedGroupKFold
    folds = np.zeros(len(label), dtype=np.int64)
    with warnings.catch_warnings():
        # a class rarer than the folds is the audit's to report
        warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
        splitter = kind(n_splits, shuffle=True, random_state=seed)
        for fold, (_, scored) in enumerate(splitter.split(label, label, groups)):
            folds[scored] = fold
    return folds


def _multi_label(targets: Targets, groups: Groups, n_splits: int, seed: int) -> npt.NDArray[np.int64]:
    from iterstrat.ml_stratifiers import MultilabelStratifiedKFold

    _, member = np.unique(groups, return_inverse=True)
    held = np.zeros((member.max() + 1, targets.shape[1]), dtype=np.int8)
    np.maximum.at(held, member, targets)
    # a clip without labels is a kind of its own, to be spread over the folds too
    held = np.column_stack([held, held.sum(axis=1) == 0])
    splitter = MultilabelStratifiedKFold(n_splits, shuffle=True, random_state=seed)
    folds = np.zeros(len(held), dtype=np.int64)
    for fold, (_, scored) in enumerate(splitter.split(held, held)):
        folds[scored] = fold
    return _renumbered(folds[member])


def _renumbered(folds: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Close the gaps that empty folds leave."""
    return np.unique(folds, return_inverse=True)[1].astype(np.int64)


def given_folds(fold: Sequence[str | None], part: Sequence[str]) -> npt.NDArray[np.int64] | None:
    """The folds that the data itself prescribes, or None where it prescribes none.

    A ``fold`` column is taken as it is, in the order of its names (numbers by value). Without one, clips of
    the part "valid" are the one fold that is scored, and the others are always trained on.
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
            "Give every clip a fold, or drop the column (--fold none) to have folds made."
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
    """The splits of a cross-validation, each with an validation part of its training folds.

    Rows whose group stands in the scored fold are left out of that fold's training: folds given by the
    user may cut through a group or a pair of duplicates. The validation part is grouped and stratified too; early
    stopping and every other choice is made on it, never on the scored rows.

    Raises
    ------
    DataError
        Where a fold leaves nothing to train on.
    """
    splits = []
    for fold in range(int(folds.max()) + 1):
        scored = np.flatnonzero(folds == fold)
        outside = np.flatnonzero((folds != fold) & ~np.isin(groups, groups[scored]))
        if len(np.unique(groups[outside])) < 2:
            raise DataError(
                f"Fold {fold}: without the groups that are scored there, fewer than two groups are left to "
                "train on. Check the fold and group columns with `aurist check`."
            )
        train, validation = validation_split(outside, targets, groups, seed + fold, validation_share)
        split = Split(fold, train, validation, scored)
        check_disjoint(split, groups)
        splits.append(split)
    return splits


def validation_split(
    rows: Rows, targets: Targets, groups: Groups, seed: int, share: float
) -> tuple[Rows, Rows]:
    """Divide rows into (fitted on, kept for choices), grouped, about ``share`` of them in the second."""
    parts = max(2, round(1 / share))
    folds = assign_folds(targets[rows], groups[rows], parts, seed)
    return rows[folds != 0], rows[folds == 0]


def check_disjoint(split: Split, groups: Groups) -> None:
    """Assert that no group is on two sides of a split.

    Raises
    ------
    DataError
        Which cannot happen with splits made here: the last line of defence against a leak.
    """
    sides = [set(groups[rows].tolist()) for rows in (split.train, split.validation, split.scored)]
    shared = (sides[0] & sides[1]) | (sides[0] & sides[2]) | (sides[1] & sides[2])
    if shared:
        raise DataError(f"Fold {split.fold}: {len(shared)} groups are on both sides of the split.")


def group_codes(names: Sequence[str | None], default: Sequence[str]) -> Groups:
    """Integer codes of a group column; a row without a group is a group of its own (``default``)."""
    filled = [("d", d) if n is None else ("g", str(n)) for n, d in zip(names, default, strict=True)]
    codes = {key: i for i, key in enumerate(dict.fromkeys(filled))}
    return np.array([codes[key] for key in filled], dtype=np.int64)
