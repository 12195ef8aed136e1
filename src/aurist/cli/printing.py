"""Tables and lines for people: on the terminal with rich, plain where the output is piped."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def say(line: str) -> None:
    """A line of progress: to standard error, so that results on standard output stay clean."""
    print(line, file=sys.stderr, flush=True)


def print_json(value: Any) -> None:
    """A value as JSON; what is not a number becomes null."""
    print(json.dumps(_plain(value), indent=2, ensure_ascii=False))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and value != value:
        return None
    return value


def print_table(table: pd.DataFrame, title: str | None = None, digits: int = 4) -> None:
    """A table of text and numbers; columns of seconds have one digit."""
    from rich.console import Console
    from rich.table import Table

    shown = Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)
    numeric = [bool(table[name].dtype.kind in "fiu") for name in table.columns]
    for name, right in zip(table.columns, numeric, strict=True):
        whole = right or name in ("model", "class", "feature")
        shown.add_column(str(name), justify="right" if right else "left", no_wrap=whole)
    places = [1 if str(name).endswith("_time") else digits for name in table.columns]
    for row in table.itertuples(index=False):
        shown.add_row(*(_cell(value, n) for value, n in zip(row, places, strict=True)))
    # a pipe has no width: whole lines, for grep and for logs
    Console(width=None if sys.stdout.isatty() else 160).print(shown)


def _cell(value: Any, digits: int) -> str:
    if isinstance(value, float):
        return "" if value != value else f"{value:.{digits}f}"
    return str(value)


def interval(score: dict[str, float]) -> str:
    """A score with its interval.

    Examples
    --------
    >>> interval({"score": 0.67712, "low": 0.66504, "high": 0.68901})
    '0.677 [0.665, 0.689]'
    """
    if score["low"] != score["low"]:
        return f"{score['score']:.3f}"
    return f"{score['score']:.3f} [{score['low']:.3f}, {score['high']:.3f}]"
