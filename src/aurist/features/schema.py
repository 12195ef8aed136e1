"""The schema of a run's feature columns, with the same preparation for training and prediction."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.errors import DataError, listing, plural
from aurist.features.matrix import EMBEDDED
from aurist.records import OPTIONAL

_DECIMAL_COMMA = re.compile(r"\s*[-+]?\d+,\d+\s*")


@dataclass(frozen=True)
class Column:
    """One feature: a number (with a decimal comma or not), or one of a set of categories."""

    name: str
    kind: Literal["number", "category"]
    categories: tuple[str, ...] = ()
    decimal_comma: bool = field(default=False, metadata=OPTIONAL)


@dataclass(frozen=True)
class Schema:
    """The feature columns that a run was fitted on, in order."""

    columns: tuple[Column, ...]

    @cached_property
    def names(self) -> list[str]:
        """The names of the columns."""
        return [column.name for column in self.columns]

    @cached_property
    def _number_names(self) -> list[str]:
        return [column.name for column in self.columns if column.kind == "number"]

    def without_embeddings(self) -> Schema:
        """Return the schema without embeddings of networks."""
        return Schema(tuple(column for column in self.columns if not column.name.startswith(EMBEDDED)))

    def apply(self, table: pd.DataFrame, rows: Sequence[object] = ()) -> tuple[pd.DataFrame, list[str]]:
        """Convert a table to the form that the models were fitted on.

        Parameters
        ----------
        table
            It may have more columns, in any order.
        rows
            Names of rows for messages; the index by default.

        Returns
        -------
        features
            These columns in this order: float32, or categorical with the categories of the schema.
        notes
            Ignored data: other columns, new categories (read as missing).

        Raises
        ------
        DataError
            If columns are missing or hold text instead of numbers: all of them at once.
        """
        notes = [] if list(table.columns) == self.names else self._other_columns(table)
        numbers, problems = self._numbers(table, rows)
        if problems:
            raise DataError(
                f"{plural(len(problems), 'cell')} with text where this run expects numbers:\n{listing(problems)}\n"
                "Correct these cells, or leave them empty if the value is unknown."
            )
        categories, new_categories = self._categories(table)
        ready = pd.concat([numbers, categories], axis=1)[self.names] if len(categories.columns) else numbers
        return ready, notes + new_categories

    def _other_columns(self, table: pd.DataFrame) -> list[str]:
        """Refuse a table that lacks columns, and return a note on columns that the schema lacks."""
        problems = [_missing(name, table) for name in self.names if name not in table.columns]
        if problems:
            raise DataError(
                f"{len(problems)} of the {len(self.columns)} feature columns that this run was fitted on are "
                f"missing:\n{listing(problems)}\nGive a table with the same columns as the training data."
            )
        names = set(self.names)
        extra = [str(name) for name in table.columns if name not in names]
        return [f"ignored columns that the run does not know: {', '.join(extra[:10])}"] if extra else []

    def _numbers(self, table: pd.DataFrame, rows: Sequence[object]) -> tuple[pd.DataFrame, list[str]]:
        """Return the columns of numbers as float32, and a message for each cell that is no number."""
        names = self._number_names
        given = table if list(table.columns) == names else table[names]
        out = np.empty(given.shape, dtype=np.float32)
        # all columns at once where they are numbers already: hundreds one by one cost more than a forest
        ready = np.array(
            [isinstance(kind, np.dtype) and kind.kind in "fiu" for kind in given.dtypes], dtype=bool
        )
        out[:, ready] = given.loc[:, ready].to_numpy(dtype=np.float32)
        problems = []
        row_names = list(rows) or list(table.index)
        for column in np.flatnonzero(~ready).tolist():
            cells = given.iloc[:, column]
            out[:, column], bad = _numbers(cells)
            problems += [
                f"row {row_names[row]}, column {names[column]!r}: {cells.iloc[row]!r}" for row in bad
            ]
        return pd.DataFrame(out, columns=names, index=table.index), problems

    def _categories(self, table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
        """Return the columns of categories, and a note for each column with new ones."""
        out: dict[str, Any] = {}
        notes = []
        for column in self.columns:
            if column.kind == "category":
                text = _named_alike(table[column.name].astype(object).map(_text), column.categories)
                unseen = sorted({str(v) for v in text.dropna().unique()} - set(column.categories))
                if unseen:
                    notes.append(
                        f"column {column.name!r}: values that are new in this column are read as missing: "
                        f"{', '.join(unseen[:5])}"
                    )
                out[column.name] = pd.Categorical(text, categories=list(column.categories))
        return pd.DataFrame(out, index=table.index), notes


def infer_schema(table: pd.DataFrame, decimal_commas: Collection[str] = ()) -> Schema:
    """Infer the schema of a training table: text and categories become categories, all else numbers.

    Parameters
    ----------
    table
        The features.
    decimal_commas
        Columns whose numbers have a decimal comma; new tables are read in the same way.

    Examples
    --------
    >>> table = pd.DataFrame({"tempo": [120.0, 90.0], "mode": ["minor", None]})
    >>> [(c.name, c.kind, c.categories) for c in infer_schema(table).columns]
    [('tempo', 'number', ()), ('mode', 'category', ('minor',))]
    """
    columns = []
    for name in table.columns:
        values = table[name]
        if pd.api.types.is_numeric_dtype(values.dtype):
            columns.append(Column(str(name), "number", decimal_comma=name in decimal_commas))
        else:
            categories = sorted({str(value) for value in values.dropna().unique()})
            columns.append(Column(str(name), "category", tuple(categories)))
    return Schema(tuple(columns))


def _numbers(values: pd.Series[float]) -> tuple[npt.NDArray[np.float32], list[int]]:
    """Return the column as float32, and the rows whose cells are no numbers."""
    numbers = pd.to_numeric(values, errors="coerce")
    bad = np.flatnonzero(numbers.isna() & values.notna())
    return np.asarray(numbers, dtype=np.float32), [int(row) for row in bad]


def _text(value: object) -> str | None:
    return None if value is None or value is pd.NA or value != value else str(value)


def _named_alike(cells: pd.Series[Any], categories: Sequence[str]) -> pd.Series[Any]:
    """Rewrite cells that are a category's number in another spelling (1, 1.0, 01; 2.5, 2,5).

    Examples
    --------
    >>> _named_alike(pd.Series(["1.0", "C", "2", "2,5"]), ("01", "2.0", "C", "2.50")).tolist()
    ['01', 'C', '2.0', '2.50']
    """
    spellings: dict[float, list[str]] = {}
    for name in categories:
        if (number := _as_number(name)) is not None:
            spellings.setdefault(number, []).append(name)
    exact = set(categories)
    respelled = {
        text: spellings[number][0]
        for text in cells.dropna().unique()
        if text not in exact
        and (number := _as_number(text)) is not None
        and len(spellings.get(number, ())) == 1
    }
    return cells.replace(respelled) if respelled else cells


def _as_number(text: str) -> float | None:
    """Return the number in a text, or None; True and False are 1 and 0."""
    text = {"True": "1", "False": "0"}.get(text, text)
    try:
        number = float(text.replace(",", ".") if _DECIMAL_COMMA.fullmatch(text) else text)
    except ValueError:
        return None
    return None if math.isnan(number) else number


def _missing(name: str, table: pd.DataFrame) -> str:
    near = difflib.get_close_matches(name, [str(c) for c in table.columns], n=1)
    return f"{name!r}" + (f" (there is {near[0]!r})" if near else "")
