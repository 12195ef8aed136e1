"""Feature tables as one array, and row hashes: as pandas would give them column by column."""

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


@pytest.mark.parametrize("n_rows", [0, 1, 50, 9000])
def test_row_keys_are_those_of_pandas(n_rows: int) -> None:
    table = _table(n_rows)
    peer = table.assign(key=table["key"].cat.codes).astype(np.float64)
    assert np.array_equal(row_keys(table), pd.util.hash_pandas_object(peer, index=False).to_numpy())


@given(st.permutations(range(20)))
def test_keys_belong_to_rows_and_not_to_their_order(order: list[int]) -> None:
    table = _table(20)
    assert np.array_equal(row_keys(table.iloc[order]), row_keys(table)[order])


def test_keys_leave_embeddings_out() -> None:
    table = _table(10)
    more = table.assign(**{f"{EMBEDDED}net_0000": np.arange(10.0)})
    assert np.array_equal(row_keys(more), row_keys(table))
