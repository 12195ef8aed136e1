"""Identical rows, joined groups, conflicts, the best accuracy possible; leaks over lines."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurist.audit.duplicates import ceiling, conflicting, connect_sets, repeated_sets, row_hashes
from aurist.audit.leaks import crossing, find_leaks
from aurist.clips.table import make_clips

CELLS = st.sampled_from([0.0, -0.0, 1.0, 0.1, 0.1 + 1e-12, np.nan, -np.nan, np.inf, 1e300])


@given(st.lists(st.tuples(CELLS, CELLS, st.sampled_from(["a", "b", None])), min_size=1, max_size=30))
def test_hashes_are_equal_where_rows_are(rows):
    hashes = row_hashes(pd.DataFrame(rows, columns=["x", "y", "z"]))

    def plain(row):
        # as the models see it: 1e300 is infinite, 0.1 and 0.1 + 1e-12 are one number
        with np.errstate(over="ignore"):
            numbers = [np.float32(v) for v in row[:2]]
        return (
            "nan" if np.isnan(numbers[0]) else numbers[0],
            "nan" if np.isnan(numbers[1]) else numbers[1],
            row[2],
        )

    for i, a in enumerate(rows):
        for j, b in enumerate(rows):
            assert (hashes[i] == hashes[j]) == (plain(a) == plain(b))


def test_hashes_do_not_depend_on_how_numbers_are_kept():
    whole = pd.DataFrame({"x": [1, 2], "y": [3, 4]})
    assert (row_hashes(whole) == row_hashes(whole.astype(float))).all()
    assert (row_hashes(whole) == row_hashes(whole.astype("Int64"))).all()


def test_columns_are_not_interchangeable():
    a, b = row_hashes(pd.DataFrame({"x": [1.0, 2.0], "y": [2.0, 1.0]}))
    assert a != b


@given(st.lists(st.integers(0, 6), max_size=40))
def test_repeated_sets_hold_exactly_the_rows_of_repeated_keys(keys):
    sets = repeated_sets(np.array(keys, dtype=int), np.arange(len(keys)))
    assert sorted(tuple(s.tolist()) for s in sets) == sorted(
        tuple(i for i, k in enumerate(keys) if k == key) for key in set(keys) if keys.count(key) > 1
    )


@given(st.integers(1, 20), st.data())
def test_rows_are_joined_directly_and_by_way_of_others(n, data):
    sets = data.draw(st.lists(st.lists(st.integers(0, n - 1), min_size=1, max_size=4), max_size=8))
    parent = list(range(n))

    def find(x):
        while parent[x] != x:
            x = parent[x]
        return x

    for members in sets:
        for member in members[1:]:
            parent[find(member)] = find(members[0])
    result = connect_sets(n, sets)
    for i in range(n):
        for j in range(n):
            assert (result[i] == result[j]) == (find(i) == find(j))
    assert sorted(set(result.tolist())) == list(range(result.max() + 1))


def test_conflicts_and_ceiling():
    labels = [("rap",), ("trap",), ("rap",), ("emo",), ("emo",), ("rap", "emo"), ("emo", "rap")]
    keys = np.array([1, 1, 1, 2, 2, 3, 3])
    sets = repeated_sets(keys, np.arange(7))
    assert [rows.tolist() for rows in conflicting(sets, labels)] == [[0, 1, 2]]
    assert ceiling(keys, labels) == pytest.approx(6 / 7)
    assert np.isnan(ceiling(keys[:0], []))


def test_a_crossing_counts_the_rows_of_the_held_out_side():
    sides = np.array(["train", "train", "test", "test", None, "test"], dtype=object)
    members = np.array([0, 1, 0, -1, 1, 1])
    result = crossing("train and test", "group", sides, members, list("abcdef"), "test")
    assert result == {
        "between": "train and test",
        "what": "group",
        "sets": 2,
        "rows": 2,
        "share": 2 / 3,
        "example": "a (train) and c (test)",
    }
    assert crossing("folds", "group", sides, np.array([0, 0, 1, 1, 2, 2]), list("abcdef")) is None


def test_leaks_over_folds_and_over_parts_are_told_apart():
    clips = make_clips(
        [("x",)] * 6,
        folds=["1", "2", "2", None, None, None],
        parts=["train", "train", "train", "valid", "test", "test"],
    )
    result = find_leaks(clips.table, [("group", np.array([0, 0, 1, 1, 2, 2]))], list("abcdef"))
    assert [(leak["between"], leak["rows"]) for leak in result] == [("folds", 2), ("train and valid", 1)]
