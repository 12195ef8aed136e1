"""Read the lines before the header of a text table: Excel's ``sep=`` line, and comments."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass

from aurist.clips.guess import NAMES
from aurist.clips.suffixes import is_audio
from aurist.clips.times import TIME_NAMES, normalise_name
from aurist.formulas import original_cell

#: The first line of a table may name the separator for Excel; a program may have added separators to this line.
_EXCEL = re.compile(r'"?sep=(?P<mark>[^\w\s"]|\t)(?P=mark)*"?', re.IGNORECASE)
_NUMBER = re.compile(r"[-+]?\d+([.,]\d+)?(e[-+]?\d+)?", re.IGNORECASE)
_KNOWN = {
    *(name for names in NAMES.values() for name in names),
    *(name for names in TIME_NAMES.values() for name in names),
}


@dataclass(frozen=True)
class Preamble:
    """Lines before the header, and the separator from them.

    Parameters
    ----------
    lines
        Count of lines before the header.
    separator
        From the first line; None if it names none.
    notes
        The lines that were skipped, for people.
    """

    lines: int = 0
    separator: str | None = None
    notes: tuple[str, ...] = ()


def preamble_of(head: str) -> Preamble:
    r"""Find the lines before the header of a table.

    The first line may be ``sep=;``. Lines that begin with # are comments, with two exceptions. # may be the name of the
    first column. Or the last of these lines is the header, as numpy writes it: it has as many cells as the next line,
    and the next line holds a number, a name of a recording, or fewer common names of columns.

    Parameters
    ----------
    head
        The beginning of the text.

    Examples
    --------
    >>> preamble_of("sep=;\npath;label\n").separator
    ';'
    >>> preamble_of("# made in May\npath,label\n")
    Preamble(lines=1, separator=None, notes=('1 line before the header skipped: # made in May',))
    >>> preamble_of("# path,label\na.wav,dog\n").lines
    0
    """
    # lines end as in the csv module, not as in str.splitlines
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
        comments = []  # no line is left for the header
    if comments:
        skipped = comments[-1] + 1
    mark = match["mark"] if match else None
    if mark is not None and not any(mark in text for text in texts[skipped : skipped + 3]):
        mark = None
    return Preamble(skipped, mark, _notes([texts[number] for number in comments]))


def without_preamble(text: str, preamble: Preamble) -> str:
    """Remove the lines before the header."""
    rest = io.StringIO(text, newline="")
    for _ in range(preamble.lines):
        rest.readline()
    return rest.read()


def column_name(cell: str, index: int) -> str:
    """Return a column's name without a formula's quote, and without the # of a header that is a comment.

    Examples
    --------
    >>> column_name("# path ", 0), column_name("#", 0), column_name("#2", 1), column_name("'-x", 1)
    ('path', '#', '#2', '-x')
    """
    text: str = original_cell(cell.strip())
    name = text.strip()
    return name.lstrip("#").strip() or name if index == 0 else name


def _is_column(line: str) -> bool:
    """Tell whether the first cell is only #: a column of row numbers."""
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
    return sum(normalise_name(cell) in _KNOWN for cell in cells)


def _notes(comments: list[str]) -> tuple[str, ...]:
    if not comments:
        return ()
    count = "1 line" if len(comments) == 1 else f"{len(comments)} lines"
    return (f"{count} before the header skipped: {comments[0][:60]}",)
