"""How labels are spelled in a cell: ``a``, ``a;b``, ``a;-b``, or nothing."""

from __future__ import annotations

import pandas as pd


def cell_text(value: object) -> str:
    """A cell as text: whole numbers without a decimal point, what is missing as nothing.

    Examples
    --------
    >>> cell_text(2.0), cell_text(" rock "), cell_text(float("nan"))
    ('2', 'rock', '')
    """
    if value is None or value is pd.NA or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def split_labels(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The labels of a cell of several, and those known to be absent; each once, in order.

    Examples
    --------
    >>> split_labels("wren; robin;-crow;wren")
    (('wren', 'robin'), ('crow',))
    """
    present, absent = [], []
    for piece in text.split(";"):
        name = piece.strip()
        if name.startswith("-") and len(name) > 1:
            absent.append(name[1:].strip())
        elif name:
            present.append(name)
    return tuple(dict.fromkeys(present)), tuple(dict.fromkeys(absent))
