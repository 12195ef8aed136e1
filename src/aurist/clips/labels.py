"""Read cells of a table: text, labels (``a``, ``a;b``, ``a;-b``, or nothing), and whole numbers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

#: Spellings of a missing value (R: NA; pandas: nan; SQL: NULL; Excel: #N/A).
MISSING = frozenset((
    "", "NA", "N/A", "n/a", "#N/A", "#NA", "<NA>", "NaN", "nan", "-NaN", "-nan", "NULL", "null", "None",
))  # fmt: skip

_WHOLE = re.compile(r"-?\d+(\.0*)?")


def cell_text(value: object) -> str:
    """Return a cell as text: whole numbers without a decimal point, missing values as "".

    Examples
    --------
    >>> cell_text(2.0), cell_text(" rock "), cell_text(float("nan"))
    ('2', 'rock', '')
    """
    if isinstance(value, str):
        return value.strip()
    if value is None or value is pd.NA or value is pd.NaT:
        return ""
    if isinstance(value, (float, np.floating)):
        if np.isnan(value):
            return ""
        return str(int(value)) if float(value).is_integer() else str(value)
    return str(value).strip()


def texts(column: pd.Series[Any]) -> list[str]:
    """Return the cells of a column as text; in a column of whole numbers ``2.0`` is ``2``.

    Examples
    --------
    >>> texts(pd.Series(["2.0", "10", ""])), texts(pd.Series(["2.0", "2.5"])), texts(pd.Series(["007"]))
    (['2', '10', ''], ['2.0', '2.5'], ['007'])
    """
    cells = [cell_text(cell) for cell in column]
    if all(_WHOLE.fullmatch(cell) for cell in cells if cell):
        return [cell.partition(".")[0] for cell in cells]
    return cells


def exact_numbers(cells: pd.Series[Any]) -> pd.Series[Any]:
    """Parse numbers to the last bit (``pd.to_numeric`` rounds text otherwise); NaN for other cells.

    Examples
    --------
    >>> exact_numbers(pd.Series(["4.0773632573905997e-289", "x"])).tolist()
    [4.0773632573905997e-289, nan]
    """
    numbers = pd.to_numeric(cells, errors="coerce").astype(np.float64)
    valid = numbers.notna()
    try:
        numbers[valid] = cells[valid].astype(np.float64)
    except ValueError:  # pandas accepts a number with NULs behind it
        numbers[valid] = np.array([_float(cell) for cell in cells[valid]])
    return numbers


def _float(cell: Any) -> float:
    try:
        return float(cell)
    except ValueError:
        return float("nan")


def label_name(text: str) -> str:
    """Strip a label and compose its letters (NFC): file names from a Mac are not composed.

    Examples
    --------
    >>> label_name(" Me\\u0301sange ") == "M\\u00e9sange"
    True
    """
    return unicodedata.normalize("NFC", text.strip())


def sort_labels(pieces: Sequence[object]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split a list into labels and labels that are absent (``-crow``); each once, in order."""
    present, absent = [], []
    for piece in pieces:
        name = label_name(cell_text(piece))
        if name.startswith("-") and len(name) > 1:
            absent.append(name[1:].strip())
        elif name:
            present.append(name)
    return tuple(dict.fromkeys(present)), tuple(dict.fromkeys(absent))
