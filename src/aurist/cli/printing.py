"""Print tables and lines: with rich on a terminal, plain into a pipe."""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from aurist.progress import logger

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd
    from rich.text import Text

    from aurist.inference.clip_predictions import ClipPredictions
    from aurist.metrics import Interval


#: Control characters, marks that change the direction of writing, and code points that are no characters.
_OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff]"
)


def visible(text: str) -> str:
    r"""Spell out control characters, which names of files and labels may hold.

    Lines and tabs stay. A byte of a file name that is no character is spelt as that byte.

    Examples
    --------
    >>> print(visible("a\x1b[31m.wav"), visible("caf\udce9.wav"), visible("\u202egpj.wav"))
    a\x1b[31m.wav caf\xe9.wav \u202egpj.wav
    """
    return _OBEYED.sub(_spelt, text)


def _spelt(character: re.Match[str]) -> str:
    code = ord(character.group())
    code = code - 0xDC00 if 0xDC80 <= code <= 0xDCFF else code
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


#: Printed if neither the data nor its names tell the groups.
UNKNOWN_GROUPS = "each clip counted as its own group: if clips were cut from longer recordings, give --group"


def group_words(n_groups: int, *, known: bool) -> str:
    """Describe the groups of the scored clips, if they are known.

    Examples
    --------
    >>> group_words(24, known=True)
    ' in 24 groups that its models had not seen'
    """
    from aurist.errors import plural

    return f" in {plural(n_groups, 'group')} that its models had not seen" if known else f", {UNKNOWN_GROUPS}"


def say(line: str) -> None:
    """Print a line of progress to standard error; standard output holds results alone."""
    from aurist.cli.messages import in_options

    print(visible(in_options(line)), file=sys.stderr, flush=True)


class _Lines(logging.Handler):
    """Shows what the library logs, a line at a time."""

    def emit(self, record: logging.LogRecord) -> None:
        say(record.getMessage())


def show_log() -> None:
    """Show from now on what the library logs."""
    if not any(isinstance(handler, _Lines) for handler in logger.handlers):
        logger.addHandler(_Lines())
    logger.setLevel(logging.INFO)


def show(line: str = "", end: str = "\n") -> None:
    """Print a line of the result to standard output."""
    print(visible(line), end=end)


def print_applied(applied: ClipPredictions) -> None:
    """Print notes on predictions: left out columns, failed clips, clips of the training data."""
    from aurist.errors import about, plural

    for note in (*applied.clips.notes, *applied.notes):
        say(note)
    for row, message in applied.failures.items():
        say(f"not predicted: {about(applied.clips.display_name(row), message)}")
    seen = int(applied.seen.sum())
    if seen:
        verb = "is" if seen == 1 else "are"
        say(f"{seen:,} of {plural(len(applied.seen), 'row')} {verb} in the run's training data")


def paragraph(text: str, indent: str = "") -> None:
    """Print sentences to standard output; on a terminal, break lines between words."""
    import textwrap

    text = visible(text)
    terminal = sys.stdout.isatty() or "COLUMNS" in os.environ
    width = max(line_width(), 20)
    if not terminal:
        print(indent + text)
        return
    print(
        textwrap.fill(
            text,
            width,
            initial_indent=indent,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
    )


def print_json(value: Any) -> None:
    """Print a value as JSON; NaN becomes null."""
    text = json.dumps(_plain(value), indent=2, ensure_ascii=False)
    # JSON's own escapes are read back as the same characters
    print(_OBEYED.sub(lambda character: json.dumps(character.group())[1:-1], text))


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
    """Print a table; columns of seconds, of clips per second and of millions have one digit."""
    from rich.console import Console
    from rich.table import Table

    if title is not None:
        # rich would wrap a title to the width of the table
        paragraph(title)
    rich_table = Table(header_style="bold", box=None, pad_edge=False)
    numeric = [bool(table[name].dtype.kind in "fiu") for name in table.columns]
    for name, right in zip(table.columns, numeric, strict=True):
        whole = right or name in ("model", "class", "feature")
        rich_table.add_column(_text(str(name)), justify="right" if right else "left", no_wrap=whole)
    column_digits = [1 if str(name).endswith(("_time", "/s", "(M)")) else digits for name in table.columns]
    for row in table.itertuples(index=False):
        rich_table.add_row(*(_text(_cell(value, n)) for value, n in zip(row, column_digits, strict=True)))
    Console(width=line_width()).print(rich_table)


def _text(cell: str) -> Text:
    """Make the text of a cell: brackets in a label are no markup, and a line break is spelt out."""
    from rich.text import Text

    return Text(visible(cell).replace("\n", "\\n").replace("\t", " "))


def line_width() -> int:
    """Give the width to print in; a pipe gets long lines, for grep and for logs."""
    from rich.console import Console

    return Console().width if sys.stdout.isatty() or "COLUMNS" in os.environ else 160


def print_confusion(matrix: npt.NDArray[np.int64], classes: Sequence[str], most: int = 20) -> None:
    """Print a confusion matrix that fits the terminal: by name, by number, or only the commonest confusions."""
    from rich.cells import cell_len, set_cell_size

    classes = [visible(name).replace("\n", "\\n") for name in classes]
    longest = max(map(cell_len, classes), default=0)
    name_width = min(longest, 30)
    names = [
        set_cell_size(class_name, name_width) if cell_len(class_name) > name_width else class_name
        for class_name in classes
    ]
    digits = max([len(str(matrix.max(initial=0))), len(str(len(classes)))])
    width = line_width() - name_width - 1
    if sum(max(cell_len(class_name), digits) + 2 for class_name in classes) <= width:
        _print_matrix(matrix, ["truth", *classes], names, 2)
    elif len(classes) * (digits + 1) + len(str(len(classes))) + 1 <= width:
        numbers = [str(i) for i in range(1, len(classes) + 1)]
        rows = [f"{i:>{len(numbers[-1])}} {class_name}" for i, class_name in zip(numbers, names, strict=True)]
        _print_matrix(matrix, ["truth", *numbers], rows, 1)
    else:
        _print_pairs(matrix, classes, most)


def _print_matrix(
    matrix: npt.NDArray[np.int64], header: Sequence[str], names: Sequence[str], gap: int
) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    numbered = header[1:2] == ["1"]
    by = " by number" if numbered else ""
    paragraph(f"confusions: the truth down, the predictions across{by}; a dot is 0")
    rich_table = Table(header_style="bold", box=None, pad_edge=False, padding=(0, gap, 0, 0))
    for i, title in enumerate(header):
        rich_table.add_column(Text(title), justify="left" if i == 0 else "right", no_wrap=True)
    for name, counts in zip(names, matrix, strict=True):
        rich_table.add_row(Text(name), *(str(count) if count else "." for count in counts.tolist()))
    Console(width=line_width()).print(rich_table)


def _print_pairs(matrix: npt.NDArray[np.int64], classes: Sequence[str], most: int) -> None:
    """Print the commonest confusions; -o writes the whole matrix."""
    import pandas as pd

    pairs = [
        (int(matrix[i, j]), i, j)
        for i in range(len(matrix))
        for j in range(len(matrix))
        if i != j and matrix[i, j]
    ]
    pairs.sort(key=lambda pair: (-pair[0], pair[1], pair[2]))
    rows = [
        (classes[i], classes[j], count, f"{count / max(int(matrix[i].sum()), 1):.0%}")
        for count, i, j in pairs[:most]
    ]
    paragraph(
        f"the commonest {len(rows)} of {len(pairs):,} confusions of {len(classes)} classes; "
        "-o FOLDER writes the whole matrix"
    )
    print_table(pd.DataFrame(rows, columns=["truth", "predicted as", "clips", "of the class"]))


def _cell(value: Any, digits: int) -> str:
    if isinstance(value, float):
        return "" if value != value else f"{value:.{digits}f}"
    return str(value)


def interval(score: Interval) -> str:
    """Format a score with its interval, if it has one.

    Examples
    --------
    >>> from aurist.metrics import Interval
    >>> interval(Interval(0.67712, 0.66504, 0.68901)), interval(Interval(0.5, float("nan"), float("nan")))
    ('0.677 [0.665, 0.689]', '0.500')
    """
    return f"{score.score:.3f}" if score.low != score.low else str(score)


@contextmanager
def going_on() -> Iterator[None]:
    """Add to the error of a full disk: the same command continues where it stopped."""
    from aurist.errors import FullDiskError

    try:
        yield
    except FullDiskError as error:
        error.advice = "Make room, and give the same command again: it continues where it stopped."
        raise
