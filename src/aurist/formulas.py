"""Quote text that a spreadsheet would read as a formula, and remove these quotes again."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

#: First characters of a formula. A carriage return may be read as the end of a line.
_BEGINNINGS = r"[=+\-@\t\r\n]"
_FORMULA = re.compile(rf"'*{_BEGINNINGS}")
_QUOTED = re.compile(rf"'+{_BEGINNINGS}")


def safe_cell(cell: Any) -> Any:
    """Put a single quote in front of text that would be a formula, or that already has such quotes.

    Examples
    --------
    >>> safe_cell("=1+1"), safe_cell("'=1+1"), safe_cell("dog"), safe_cell(-1.5)
    ("'=1+1", "''=1+1", 'dog', -1.5)
    """
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell


def original_cell(cell: Any) -> Any:
    """Remove the quote that `safe_cell` put in front of a text.

    Examples
    --------
    >>> original_cell("'=1+1"), original_cell("''=1+1"), original_cell("'Apapane")
    ('=1+1', "'=1+1", "'Apapane")
    """
    return cell[1:] if isinstance(cell, str) and _QUOTED.match(cell) else cell


def safe_table(table: pd.DataFrame) -> pd.DataFrame:
    """Put single quotes in front of text cells and column names that would be formulas. Numbers stay.

    Examples
    --------
    >>> import pandas as pd
    >>> table = safe_table(pd.DataFrame({"label": ["=1+1", "dog"], "-x": [-1, 2]}))
    >>> list(table.columns), table["label"].tolist(), table["'-x"].tolist()
    (['label', "'-x"], ["'=1+1", 'dog'], [-1, 2])
    """
    return _changed(table, safe_cell).set_axis([safe_cell(name) for name in table.columns], axis=1)


def original_table(table: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Remove the quotes of `safe_table` from cells, and count them; column names stay.

    Examples
    --------
    >>> import pandas as pd
    >>> table, count = original_table(pd.DataFrame({"label": ["'=1+1", "dog"]}))
    >>> table["label"].tolist(), count
    (['=1+1', 'dog'], 1)
    """
    texts = [column for _, column in table.items() if column.dtype.kind == "O"]
    count = sum(original_cell(cell) is not cell for column in texts for cell in column)
    return (_changed(table, original_cell), count) if count else (table, 0)


def _changed(table: pd.DataFrame, change: Callable[[Any], Any]) -> pd.DataFrame:
    """Change the cells of text columns; column names may repeat."""
    import pandas as pd

    columns = {
        index: pd.Series([change(cell) for cell in column], index=table.index, dtype=object)
        if column.dtype.kind == "O"
        else column
        for index, (_, column) in enumerate(table.items())
    }
    return pd.DataFrame(columns, index=table.index).set_axis(table.columns, axis=1)
