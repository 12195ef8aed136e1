"""The mark between the cells of a text table, and the names of rows that R writes without a name for their column."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from aurist.clips.guess import NAMES
from aurist.clips.suffixes import is_audio
from aurist.clips.times import plain

#: So many characters are looked at.
HEAD = 1 << 16
_MARKS = ",;\t|"
#: What a column of row names is called, if no other is.
_ROW_NAMES = ("id", "row_id", "idx", "uid")


def separator_of(head: str) -> str:
    """Find the mark that gives the first rows equal lengths, and the most columns.

    Blanks are one only where the rows are of equal lengths by them alone, and the header is in quotes, as R writes
    tables, or lacks the name of a column of row names.

    Examples
    --------
    >>> separator_of("a;b\\n1,5;2\\n"), separator_of('"path" "label"\\n"1" "a.wav" "dog"\\n')
    (';', ' ')
    """
    quoted = _in_quotes(head)

    def fit(mark: str) -> tuple[int, int]:
        widths = [len(cells) for cells in first_rows(head, mark)] or [0]
        if len(set(widths)) == 1:
            return 2, widths[0]
        if set(widths[1:]) == {widths[0] + 1} and (quoted or widths[0] > 1):
            return 1, widths[1]
        return 0, widths[0]

    fits = {mark: fit(mark) for mark in _MARKS}
    several = [mark for mark in fits if fits[mark][1] > 1]
    best = max(several, key=fits.__getitem__) if several else ","
    if best in several and fits[best][0]:
        return best
    kind, width = fit(" ")
    first = [cells[0] for cells in first_rows(head, " ")[1:]]
    if width > 1 and (quoted if kind == 2 else kind and first and are_row_names(first, head, " ")):
        return " "
    return best


def are_row_names(first: Sequence[str], head: str, separator: str) -> bool:
    """Tell whether the first cells of all rows, which have one more than the header, are names as R gives them.

    They differ. Without the quotes that R puts around the header they might be the first column as well, where a cell
    of another holds the separator: row names then are counted, or are no numbers, and no recordings beside others.

    Parameters
    ----------
    first
        The first cells of all rows.
    head
        The beginning of the table.
    separator
        Between its cells.

    Examples
    --------
    >>> are_row_names(["1", "2"], "path,label\\n1,a.wav,dog\\n2,b.wav,cat\\n", ",")
    True
    >>> are_row_names(["a.wav", "b.wav"], "path,label\\na.wav,dog,cat\\nb.wav,cat,owl\\n", ",")
    False
    """
    if len(set(first)) < len(first):
        return False
    if _in_quotes(head):
        return True
    header, *rows = first_rows(head, separator)
    name = plain(header[0])
    if name in NAMES["path"]:
        return all(is_audio(cells[1]) for cells in rows if len(cells) > 1) and not any(map(is_audio, first))
    if name in NAMES["id"]:
        return False
    return _counted(first) or not any(map(_is_number, first))


def name_of_row_names(header: Sequence[str]) -> str:
    """Call the column of row names as ids are called."""
    return next((name for name in _ROW_NAMES if plain(name) not in map(plain, header)), "row names")


def first_rows(head: str, separator: str, count: int = 50) -> list[list[str]]:
    """The first rows of a table, the header among them."""
    whole = head if len(head) < HEAD else head[: head.rfind("\n") + 1]
    rows: list[list[str]] = []
    for _, cells in records_of(io.StringIO(whole, newline=""), separator):
        rows.append(cells)
        if len(rows) == count:
            break
    return rows


def records_of(file: Iterator[str], separator: str, first: int = 1) -> Iterator[tuple[int, list[str]]]:
    """The rows with the line each begins at, counted from ``first``; blank lines are none."""
    reader = csv.reader(file, delimiter=separator)
    begins = first
    for cells in reader:
        if len(cells) > 1 or (cells and cells[0].strip()):
            yield begins, cells
        begins = first + reader.line_num


def _in_quotes(head: str) -> bool:
    """Tell whether the header and the first row begin with a quote, as R writes names of columns and of rows."""
    return all(line.startswith('"') for line in head.splitlines()[:2])


def _counted(names: Sequence[str]) -> bool:
    """Tell whether names are whole numbers that rise, as R counts rows."""
    if not all(name.isascii() and name.isdigit() and len(name) < 19 for name in names):
        return False
    numbers = [int(name) for name in names]
    return numbers == sorted(numbers)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
