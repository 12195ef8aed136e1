"""Columns of numbers as spreadsheets write them: thousands, percent, decimal commas, and marks for no value."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pandas as pd

from aurist.clips.labels import MISSING

#: Marks for a number that is not there.
_GAPS = frozenset(("?", "-", "--", "\u2013", "\u2014", ".", "..."))
_THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?")
_COMMA = re.compile(r"[-+]?\d+,\d+(e[-+]?\d+)?", re.IGNORECASE)


def without_value(column: pd.Series[Any]) -> pd.Series[bool]:
    """Which cells of a column of numbers hold none: empty, blank, or a mark such as ? or -."""
    return column.map(
        lambda cell: (
            (cell.strip() in MISSING or cell.strip() in _GAPS)
            if isinstance(cell, str)
            else bool(pd.isna(cell))
        )
    ).astype(bool)


def plain_numbers(cells: pd.Series[Any]) -> pd.Series[Any]:
    """Cells with their numbers as programs write them; what is no number stays.

    A comma is one of thousands where every comma of the column can be that, else a decimal one. 27% is 27.

    Examples
    --------
    >>> plain_numbers(pd.Series(["1,234", "2,345,678.5", "7"])).tolist()
    ['1234', '2345678.5', '7']
    >>> plain_numbers(pd.Series(["120,5", "1,234", "27%", "x,y"])).tolist()
    ['120.5', '1.234', '27', 'x,y']
    """
    text = [cell.strip() if isinstance(cell, str) else cell for cell in cells]
    bare = [cell.removesuffix("%").rstrip() if isinstance(cell, str) else cell for cell in text]
    commas = [cell for cell in bare if isinstance(cell, str) and "," in cell]
    decimal = any(_COMMA.fullmatch(cell) and not _THOUSANDS.fullmatch(cell) for cell in commas)
    out = [_plain(cell, decimal) if isinstance(cell, str) else cell for cell in bare]
    return pd.Series(out, index=cells.index, dtype=object)


def _plain(cell: str, decimal: bool) -> str:
    if decimal:
        return cell.replace(",", ".") if _COMMA.fullmatch(cell) else cell
    return cell.replace(",", "") if _THOUSANDS.fullmatch(cell) else cell


def spelling_note(table: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """A note on columns of numbers that are not written as programs do, each with the first such cell."""
    examples = []
    for name in names:
        column = table[name]
        if pd.api.types.is_numeric_dtype(column) or isinstance(column.dtype, pd.CategoricalDtype):
            continue
        missing = without_value(column)
        unusual = column[
            (missing & column.map(lambda cell: isinstance(cell, str) and cell.strip() in _GAPS))
            | (~missing & column.map(lambda cell: isinstance(cell, str) and bool(re.search("[,%]", cell))))
        ]
        if len(unusual):
            examples.append(f"{name} ({unusual.iloc[0]!r})")
    if not examples:
        return []
    more = f" and {len(examples) - 5} more" if len(examples) > 5 else ""
    return [
        f"taken for numbers with gaps, though written otherwise: {', '.join(examples[:5])}{more} (? and - are gaps, % "
        "is left out, a comma is one of thousands where all can be)"
    ]
