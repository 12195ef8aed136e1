"""What cells hold: text, labels (``a``, ``a;b``, ``a;-b``, or nothing), and whole numbers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

#: How programs spell a cell that has no value (R: NA; pandas: nan; SQL: NULL; Excel: #N/A).
MISSING = frozenset((
    "", "NA", "N/A", "n/a", "#N/A", "#NA", "<NA>", "NaN", "nan", "-NaN", "-nan", "NULL", "null", "None",
))  # fmt: skip

_WHOLE = re.compile(r"-?\d+(\.0*)?")


def cell_text(value: object) -> str:
    """A cell as text: whole numbers without a decimal point, what is missing as nothing.

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
    """The cells of a column as text; in a column of whole numbers ``2.0`` is ``2``.

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
    """Numbers of text, to the last bit (``pd.to_numeric`` rounds text otherwise); NaN where there is none.

    Examples
    --------
    >>> exact_numbers(pd.Series(["4.0773632573905997e-289", "x"])).tolist()
    [4.0773632573905997e-289, nan]
    """
    numbers = pd.to_numeric(cells, errors="coerce").astype(np.float64)
    there = numbers.notna()
    try:
        numbers[there] = cells[there].astype(np.float64)
    except ValueError:  # pandas takes a number with NULs behind it for one
        numbers[there] = np.array([_float(cell) for cell in cells[there]])
    return numbers


def _float(cell: Any) -> float:
    try:
        return float(cell)
    except ValueError:
        return float("nan")


def label_name(text: str) -> str:
    """A label without blanks around it, and composed (NFC): file names from a Mac are not.

    Examples
    --------
    >>> label_name(" Me\\u0301sange ") == "M\\u00e9sange"
    True
    """
    return unicodedata.normalize("NFC", text.strip())


def sort_labels(pieces: Sequence[object]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The labels of a list, and those known to be absent (``-crow``); each once, in order."""
    present, absent = [], []
    for piece in pieces:
        name = label_name(cell_text(piece))
        if name.startswith("-") and len(name) > 1:
            absent.append(name[1:].strip())
        elif name:
            present.append(name)
    return tuple(dict.fromkeys(present)), tuple(dict.fromkeys(absent))
