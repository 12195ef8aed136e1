import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold

from aurist.errors import DataError
from aurist.splits import (
    NEVER_SCORED,
    assign_folds,
    check_disjoint,
    cross_splits,
    given_folds,
    group_codes,
)


@st.composite
def grouped_targets(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, int]:
    n_groups = draw(st.integers(6, 30))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    groups = rng.integers(0, n_groups, size=draw(st.integers(n_groups, 120)))
    groups = np.concatenate([groups, np.arange(n_groups)])
    n_classes = draw(st.integers(2, 5))
    if draw(st.booleans()):
        targets = np.eye(n_classes, dtype=np.int8)[rng.integers(0, n_classes, len(groups))]
    else:
        targets = (rng.random((len(groups), n_classes)) < 0.3).astype(np.int8)
    return targets, groups, draw(st.integers(2, 5))


@given(grouped_targets())
@settings(max_examples=60, deadline=None)
def test_every_row_is_scored_once_and_no_group_is_on_two_sides(data) -> None:
    targets, groups, n_splits = data
    folds = assign_folds(targets, groups, n_splits, seed=1)
    # few and uneven groups may all but fill one fold: then there is nothing to train on, which is an error
    assume(all(len(np.unique(groups[folds != fold])) > 1 for fold in np.unique(folds)))
    splits = cross_splits(folds, targets, groups, seed=1)
    assert sorted(np.concatenate([s.scored for s in splits])) == list(range(len(groups)))
    for s in splits:
        sides = [set(groups[r]) for r in (s.train, s.validation, s.scored)]
        assert not (sides[0] & sides[1] or sides[0] & sides[2] or sides[1] & sides[2])
        assert len(s.train) + len(s.validation) + len(s.scored) == len(groups)


def test_single_label_folds_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    label, groups = rng.integers(0, 3, 200), rng.integers(0, 40, 200)
    folds = assign_folds(np.eye(3, dtype=np.int8)[label], groups, 5, seed=3)
    for fold, (_, scored) in enumerate(
        StratifiedGroupKFold(5, shuffle=True, random_state=3).split(label, label, groups)
    ):
        assert (np.flatnonzero(folds == fold) == scored).all()


def test_multilabel_folds_share_out_a_rare_label() -> None:
    targets = np.zeros((100, 3), dtype=np.int8)
    targets[:5, 0] = 1
    targets[:50, 1] = 1
    folds = assign_folds(targets, np.arange(100), 5, seed=0)
    assert sorted(folds[:5]) == [0, 1, 2, 3, 4]


def test_the_same_seed_gives_the_same_folds_and_another_seed_others() -> None:
    targets = np.eye(2, dtype=np.int8)[np.arange(60) % 2]
    a, b, c = (assign_folds(targets, np.arange(60), 3, seed=s) for s in (1, 1, 2))
    assert (a == b).all()
    assert (a != c).any()


def test_given_folds_keep_their_order_by_number() -> None:
    assert given_folds(["10", "2", "1"], ["train"] * 3).tolist() == [2, 1, 0]


def test_a_valid_part_is_the_only_scored_fold() -> None:
    folds = given_folds([None] * 3, ["train", "valid", "train"])
    assert folds.tolist() == [NEVER_SCORED, 0, NEVER_SCORED]


def test_some_clips_without_a_fold_are_refused() -> None:
    with pytest.raises(DataError, match="1 of 3 clips have no fold"):
        given_folds(["1", None, "2"], ["train"] * 3)


def test_rows_of_a_group_that_a_given_fold_cuts_are_left_out_of_training() -> None:
    targets = np.eye(2, dtype=np.int8)[np.arange(12) % 2]
    groups = np.array([0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    folds = np.array([0, 1] + [0, 1] * 5)
    first = cross_splits(folds, targets, groups, seed=0)[0]
    assert 0 in first.scored
    assert 1 not in np.concatenate([first.train, first.validation])


def test_one_group_is_refused() -> None:
    with pytest.raises(DataError, match="at least two groups"):
        assign_folds(np.ones((4, 1), dtype=np.int8), np.zeros(4, dtype=int), 2, 0)


def test_a_leak_is_found() -> None:
    targets = np.eye(2, dtype=np.int8)[np.arange(12) % 2]
    split = cross_splits(np.arange(12) % 3, targets, np.arange(12), seed=0)[0]
    with pytest.raises(DataError, match="both sides"):
        check_disjoint(split, np.zeros(12, dtype=int))


def test_clips_without_a_group_are_groups_of_their_own() -> None:
    assert group_codes(["a", None, "a", None], ["w", "a", "y", "z"]).tolist() == [0, 1, 0, 2]


def test_very_many_groups_are_stratified_too() -> None:
    rng = np.random.default_rng(0)
    groups = np.concatenate([np.arange(4000), rng.integers(0, 500, 1500) + 5000])
    label = rng.integers(0, 4, len(groups))
    folds = assign_folds(np.eye(4, dtype=np.int8)[label], groups, 5, seed=0)
    for group in np.unique(groups[4000:]):
        assert len(np.unique(folds[groups == group])) == 1
    counts = np.array([np.bincount(label[folds == k], minlength=4) for k in range(5)])
    assert (counts.max(axis=0) - counts.min(axis=0)).max() <= 8


@pytest.mark.parametrize("pairs", [1, 3, 2001])
@pytest.mark.parametrize("n_splits", [2, 5, 10])
def test_few_rows_among_very_many_that_are_otherwise_grouped(pairs: int, n_splits: int) -> None:
    lone = 3 if pairs > 2000 else 3000
    groups = np.concatenate([np.repeat(np.arange(pairs), 2), pairs + np.arange(lone)])
    label = np.random.default_rng(0).integers(0, 4, len(groups))
    folds = assign_folds(np.eye(4, dtype=np.int8)[label], groups, n_splits, seed=0)
    assert set(folds) == set(range(n_splits))
    assert (folds[: 2 * pairs : 2] == folds[1 : 2 * pairs : 2]).all()


@pytest.mark.parametrize("n_splits", [2, 5])
def test_classes_of_one_clip_each_are_dealt_out(n_splits: int) -> None:
    folds = assign_folds(np.eye(6, dtype=np.int8), np.arange(6), n_splits, seed=0)
    assert np.bincount(folds).min() >= 1 and len(set(folds)) == 2
