"""Feature tables as one array, and the hash of each row."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurist.features.matrix import EMBEDDED, float_matrix, row_keys


def _table(n_rows: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    numbers = rng.normal(size=(n_rows, 5)).astype(np.float32)
    numbers[rng.random(numbers.shape) < 0.2] = np.nan
    table = pd.DataFrame(numbers, columns=list("abcde"))
    keys = pd.Categorical(
        rng.choice(["major", "minor", None], n_rows), categories=["major", "minor", "other"]
    )
    table.insert(2, "key", keys)
    return table


def test_a_table_becomes_the_array_of_its_columns() -> None:
    table = _table(50)
    columns = [
        table[name].cat.codes.replace(-1, np.nan) if name == "key" else table[name] for name in table.columns
    ]
    assert np.array_equal(float_matrix(table), np.column_stack(columns).astype(np.float32), equal_nan=True)


def test_equal_rows_have_equal_keys_and_others_have_others() -> None:
    table = _table(6000)
    twice = pd.concat([table, table.iloc[::-1]], ignore_index=True)
    keys = row_keys(twice)
    assert (keys[:6000] == keys[6000:][::-1]).all()
    assert len(np.unique(keys)) == 6000
    assert len(row_keys(table.iloc[:0])) == 0


@pytest.mark.parametrize("column", ["a", "key", "e"])
def test_a_missing_cell_is_a_value_of_its_own(column: str) -> None:
    table = _table(40).dropna(ignore_index=True)
    changed = table.assign(**{column: table[column].where(table.index != 3)})
    assert np.flatnonzero(row_keys(changed) != row_keys(table)).tolist() == [3]


@given(st.permutations(range(20)))
def test_keys_belong_to_rows_and_not_to_their_order(order: list[int]) -> None:
    table = _table(20)
    assert np.array_equal(row_keys(table.iloc[order]), row_keys(table)[order])


def test_keys_leave_embeddings_out() -> None:
    table = _table(10)
    more = table.assign(**{f"{EMBEDDED}net_0000": np.arange(10.0)})
    assert np.array_equal(row_keys(more), row_keys(table))
