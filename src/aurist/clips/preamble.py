"""What may stand before the header of a text table: Excel's word on the separator, and comments."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass

from aurist.clips.guess import NAMES
from aurist.clips.suffixes import is_audio
from aurist.clips.times import TIME_NAMES, plain
from aurist.formulas import original_cell

#: The first line of a table that says to Excel what stands between cells; a program may have added separators to it.
_EXCEL = re.compile(r'"?sep=(?P<mark>[^\w\s"]|\t)(?P=mark)*"?', re.IGNORECASE)
_NUMBER = re.compile(r"[-+]?\d+([.,]\d+)?(e[-+]?\d+)?", re.IGNORECASE)
_KNOWN = {
    *(name for names in NAMES.values() for name in names),
    *(name for names in TIME_NAMES.values() for name in names),
}


@dataclass(frozen=True)
class Preamble:
    """Lines before the header, and the separator that they name.

    Parameters
    ----------
    lines
        So many stand before the header.
    separator
        As the first line says; None: it does not.
    notes
        What was passed over, for people.
    """

    lines: int = 0
    separator: str | None = None
    notes: tuple[str, ...] = ()


def preamble_of(head: str) -> Preamble:
    r"""Find what stands before the header of a table.

    A line ``sep=;`` may be the first. Lines that begin with # are comments, unless # is the name of the first column,
    or the last of them names the columns, as numpy writes it: it has as many cells as the next line has, and that holds
    a number or the name of a recording, or fewer names of columns that are known.

    Parameters
    ----------
    head
        The beginning of the text.

    Examples
    --------
    >>> preamble_of("sep=;\npath;label\n").separator
    ';'
    >>> preamble_of("# made in May\npath,label\n")
    Preamble(lines=1, separator=None, notes=('1 line before the header passed over: # made in May',))
    >>> preamble_of("# path,label\na.wav,dog\n").lines
    0
    """
    # lines end as they do for the csv module, and not as for str.splitlines
    lines = list(io.StringIO(head, newline=""))
    texts = [line.strip(" \r\n\ufeff") for line in lines]
    first = next((i for i, text in enumerate(texts) if text.strip()), 0)
    match = _EXCEL.fullmatch(texts[first]) if texts else None
    skipped = first + 1 if match else 0
    comments: list[int] = []
    for number in range(skipped, len(texts)):
        if texts[number].startswith("#") and not _is_column(texts[number]):
            comments.append(number)
        elif texts[number].strip():
            if comments and _is_header(texts[comments[-1]], texts[number]):
                comments.pop()
            break
    else:
        comments = []  # no line is left to be the header
    if comments:
        skipped = comments[-1] + 1
    mark = match["mark"] if match else None
    if mark is not None and not any(mark in text for text in texts[skipped : skipped + 3]):
        mark = None
    return Preamble(skipped, mark, _notes([texts[number] for number in comments]))


def without_preamble(text: str, preamble: Preamble) -> str:
    """Leave out the lines before the header."""
    rest = io.StringIO(text, newline="")
    for _ in range(preamble.lines):
        rest.readline()
    return rest.read()


def column_name(cell: str, place: int) -> str:
    """Name a column as its header does, without the # of a header that is written as a comment or a formula's quote.

    Examples
    --------
    >>> column_name("# path ", 0), column_name("#", 0), column_name("#2", 1), column_name("'-x", 1)
    ('path', '#', '#2', '-x')
    """
    text: str = original_cell(cell.strip())
    name = text.strip()
    return name.lstrip("#").strip() or name if place == 0 else name


def _is_column(line: str) -> bool:
    """Tell whether # is all that the first cell holds: a column of row numbers."""
    return re.match(r"#\s*[,;|\t]", line) is not None


def _is_header(comment: str, following: str) -> bool:
    """Tell whether a line that begins with # names the columns of the line after it."""
    cells = max((_cells(comment, mark) for mark in ",;\t|"), key=len)
    below = max((_cells(following, mark) for mark in ",;\t|"), key=len)
    if len(cells) < 2 or len(cells) != len(below):
        return False
    if any(_NUMBER.fullmatch(cell) or is_audio(cell) for cell in cells):
        return False
    if any(_NUMBER.fullmatch(cell) or is_audio(cell) for cell in below):
        return True
    return _n_known(cells) > _n_known(below)


def _cells(line: str, mark: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line.lstrip("#")], delimiter=mark), [])]
    except csv.Error:
        return []


def _n_known(cells: list[str]) -> int:
    return sum(plain(cell) in _KNOWN for cell in cells)


def _notes(comments: list[str]) -> tuple[str, ...]:
    if not comments:
        return ()
    count = "1 line" if len(comments) == 1 else f"{len(comments)} lines"
    return (f"{count} before the header passed over: {comments[0][:60]}",)
