"""Cells of text that a spreadsheet would take for formulas: written so that it does not, and read back as they were."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

#: What a formula begins with. A carriage return may be read back as the end of a line.
_BEGINNINGS = r"[=+\-@\t\r\n]"
_FORMULA = re.compile(rf"'*{_BEGINNINGS}")
_QUOTED = re.compile(rf"'+{_BEGINNINGS}")


def safe_cell(cell: Any) -> Any:
    """Put a single quote before a text that would be a formula, or that has such quotes already.

    Examples
    --------
    >>> safe_cell("=1+1"), safe_cell("'=1+1"), safe_cell("dog"), safe_cell(-1.5)
    ("'=1+1", "''=1+1", 'dog', -1.5)
    """
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell


def original_cell(cell: Any) -> Any:
    """Take off the quote that `safe_cell` put before a text.

    Examples
    --------
    >>> original_cell("'=1+1"), original_cell("''=1+1"), original_cell("'Apapane")
    ('=1+1', "'=1+1", "'Apapane")
    """
    return cell[1:] if isinstance(cell, str) and _QUOTED.match(cell) else cell


def safe_table(table: pd.DataFrame) -> pd.DataFrame:
    """Put single quotes before cells of text and names of columns that would be formulas; numbers are none.

    Examples
    --------
    >>> import pandas as pd
    >>> table = safe_table(pd.DataFrame({"label": ["=1+1", "dog"], "-x": [-1, 2]}))
    >>> list(table.columns), table["label"].tolist(), table["'-x"].tolist()
    (['label', "'-x"], ["'=1+1", 'dog'], [-1, 2])
    """
    return _changed(table, safe_cell).set_axis([safe_cell(name) for name in table.columns], axis=1)


def original_table(table: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Take the quotes of `safe_table` off the cells, and count them; names of columns stay.

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
    """Change the cells of the columns of text; a name of a column may stand twice."""
    import pandas as pd

    columns = {
        place: pd.Series([change(cell) for cell in column], index=table.index, dtype=object)
        if column.dtype.kind == "O"
        else column
        for place, (_, column) in enumerate(table.items())
    }
    return pd.DataFrame(columns, index=table.index).set_axis(table.columns, axis=1)
