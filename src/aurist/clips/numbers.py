"""Read numbers as spreadsheets write them: thousands, percent, decimal commas, and marks for no value."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pandas as pd

from aurist.clips.labels import MISSING

#: Marks for a missing number.
_GAPS = frozenset(("?", "-", "--", "\u2013", "\u2014", ".", "..."))
_THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?")
_COMMA = re.compile(r"[-+]?\d+,\d+(e[-+]?\d+)?", re.IGNORECASE)


def without_value(column: pd.Series[Any]) -> pd.Series[bool]:
    """Mark the cells of a column of numbers without a value: empty, blank, or a mark such as ? or -."""
    return column.map(
        lambda cell: (
            (cell.strip() in MISSING or cell.strip() in _GAPS)
            if isinstance(cell, str)
            else bool(pd.isna(cell))
        )
    ).astype(bool)


def plain_numbers(cells: pd.Series[Any], *, decimal: bool = False) -> pd.Series[Any]:
    """Rewrite numbers as programs write them; other cells stay.

    Commas separate thousands if every comma of the column can do so, else they are decimal commas. 27% is 27. With
    ``decimal`` a comma that may be either is a decimal comma.

    Examples
    --------
    >>> plain_numbers(pd.Series(["1,234", "2,345,678.5", "7"])).tolist()
    ['1234', '2345678.5', '7']
    >>> plain_numbers(pd.Series(["120,5", "1,234", "27%", "x,y"])).tolist()
    ['120.5', '1.234', '27', 'x,y']
    >>> plain_numbers(pd.Series(["1,234"]), decimal=True).tolist()
    ['1.234']
    """
    bare = _bare(cells)
    decimal = _has_decimal_comma(bare, decimal=decimal)
    out = [_plain(cell, decimal) if isinstance(cell, str) else cell for cell in bare]
    return pd.Series(out, index=cells.index, dtype=object)


def decimal_commas(table: pd.DataFrame, names: Sequence[str]) -> tuple[str, ...]:
    """Find the columns whose numbers have a decimal comma, by their cells or because the whole file has.

    Examples
    --------
    >>> table = pd.DataFrame({"a": ["120,5", "1,234"], "b": ["1,234", "5"], "c": [1.5, 2.5]})
    >>> decimal_commas(table, ["a", "b", "c"])
    ('a',)
    """
    if table.attrs.get("decimal") == ",":
        return tuple(name for name in names if pd.api.types.is_float_dtype(table[name]))
    return tuple(
        name
        for name in names
        if not pd.api.types.is_numeric_dtype(table[name]) and _has_decimal_comma(_bare(table[name]))
    )


def _bare(cells: pd.Series[Any]) -> list[Any]:
    """Strip blanks and percent signs from cells."""
    return [cell.strip().removesuffix("%").rstrip() if isinstance(cell, str) else cell for cell in cells]


def _has_decimal_comma(cells: Sequence[Any], *, decimal: bool = False) -> bool:
    """Tell whether a comma of the cells must be a decimal comma; with ``decimal``, whether all commas can be."""
    commas = [cell for cell in cells if isinstance(cell, str) and "," in cell]
    if decimal and commas and all(map(_COMMA.fullmatch, commas)):
        return True
    return any(_COMMA.fullmatch(cell) and not _THOUSANDS.fullmatch(cell) for cell in commas)


def _plain(cell: str, decimal: bool) -> str:
    if decimal:
        return cell.replace(",", ".") if _COMMA.fullmatch(cell) else cell
    return cell.replace(",", "") if _THOUSANDS.fullmatch(cell) else cell


def spelling_note(table: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """Write a note on columns of unusual numbers, each with the first such cell."""
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
        f"read as numbers: {', '.join(examples[:5])}{more} (? and - are missing values, % is left out, commas separate "
        "thousands if all can)"
    ]
