"""Read the labels of a table: one or several per row, with absent ones."""

from __future__ import annotations

from collections.abc import Sized

import numpy as np
import pandas as pd

from aurist.clips.guess import ReadOptions, Roles
from aurist.clips.labels import (
    label_name,
    sort_labels,
    texts,
)
from aurist.clips.multilabel import pieces_of, without_quotes
from aurist.clips.times import normalise_name
from aurist.errors import DataError, listing, plural

Names = list[tuple[str, ...]]


def read_labels(
    table: pd.DataFrame, roles: Roles, options: ReadOptions, where: str, *, labelled: bool
) -> tuple[Names, Names, bool]:
    """Return the labels of every row, its absent labels, and True if rows may have several labels."""
    no_labels: Names = [()] * len(table)
    column = roles.get("label")
    if column is None:
        if labelled:
            raise DataError(
                f"{where}: found no column of labels among: {', '.join(map(str, table.columns[:40]))}. "
                "Name it with label=."
            )
        return no_labels, no_labels, False
    if table[column].map(lambda cell: isinstance(cell, (list, tuple, set, frozenset, np.ndarray))).any():
        pairs = [_listed(cell) for cell in table[column]]
        return [pair[0] for pair in pairs], [pair[1] for pair in pairs], True
    cells = [label_name(cell) for cell in texts(table[column])]
    cells, notes = without_quotes(cells)
    pieces, guessed = pieces_of(cells, options.label_separator)
    secondary = _secondary(table, column, options) if pieces is None else None
    if secondary is not None:
        name, lists = secondary
        pieces = [[cell, *more] for cell, more in zip(cells, lists, strict=True)]
        guessed = [f'labels: {column} and {name} (guessed; label="{column}" reads one label of each)']
    roles.notes += [*notes, *guessed]
    if pieces is not None:
        return _several(table, pieces, column, where)
    empty = [f"row {row}" for row, cell in zip(table.index, cells, strict=True) if not cell]
    if empty and labelled:
        raise DataError(
            f"{where}: {plural(len(empty), 'row')} {verb(empty, 'has', 'have')} no label in column {column!r}:\n"
            f"{listing(empty)}\n"
            "Fill them in or take the rows out. (If several labels are allowed, written a;b, an empty cell "
            "means none.)"
        )
    return [(cell,) if cell else () for cell in cells], no_labels, False


def _secondary(table: pd.DataFrame, column: str, options: ReadOptions) -> tuple[str, list[list[str]]] | None:
    """Find BirdCLEF's secondary labels, a column of lists, if some rows have any."""
    if (
        options.label is not None
        or options.label_separator is not None
        or normalise_name(column) != "primarylabel"
    ):
        return None
    name = next((name for name in map(str, table.columns) if normalise_name(name) == "secondarylabels"), None)
    if name is None:
        return None
    lists, _ = pieces_of(texts(table[name]))
    return (name, lists) if lists is not None and any(map(any, lists)) else None


def _listed(cell: object) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if isinstance(cell, (list, tuple, np.ndarray)):
        return sort_labels(list(cell))
    if isinstance(cell, (set, frozenset)):
        return sort_labels(sorted(map(str, cell)))
    return sort_labels([cell])


def _several(
    table: pd.DataFrame, pieces: list[list[str]], column: str, where: str
) -> tuple[Names, Names, bool]:
    pairs = [sort_labels(cell) for cell in pieces]
    both = [
        f"row {row}: {', '.join(sorted(set(present) & set(absent)))}"
        for row, (present, absent) in zip(table.index, pairs, strict=True)
        if set(present) & set(absent)
    ]
    if both:
        raise DataError(
            f"{where}: {plural(len(both), 'row')} {verb(both, 'has', 'have')} a label that is both present and absent "
            f"(a;-a) in column {column!r}:\n"
            f"{listing(both)}"
        )
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs], True


def verb(items: Sized, single: str, many: str) -> str:
    """Choose the form of a verb by the number of items."""
    return single if len(items) == 1 else many
