"""Find the separator of a text table, and row names that R writes without a column name."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from aurist.clips.guess import NAMES
from aurist.clips.suffixes import is_audio
from aurist.clips.times import normalise_name

#: Characters to look at.
HEAD = 1 << 16
_MARKS = ",;\t|"
#: Names for a column of row names; the first that no other column has.
_ROW_NAMES = ("id", "row_id", "idx", "uid")


def separator_of(head: str) -> str:
    """Find the separator that gives the first rows equal lengths and the most columns.

    A blank is the separator only if no other mark gives equal lengths, and the header is in quotes, as R writes it,
    or lacks the name of a column of row names.

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
    splitting = [mark for mark in fits if fits[mark][1] > 1]
    best = max(splitting, key=fits.__getitem__) if splitting else ","
    if best in splitting and fits[best][0]:
        return best
    kind, width = fit(" ")
    first = [cells[0] for cells in first_rows(head, " ")[1:]]
    if width > 1 and (quoted if kind == 2 else kind and first and are_row_names(first, head, " ")):
        return " "
    return best


def are_row_names(first: Sequence[str], head: str, separator: str) -> bool:
    """Tell whether the first cells are row names as R writes them. Rows have one cell more than the header.

    Row names are distinct. If the header is not in quotes, a cell that holds the separator would look the same. So row
    names must be counted, or be no numbers, and must not be recordings.

    Parameters
    ----------
    first
        The first cells of all rows.
    head
        The beginning of the table.
    separator
        The mark between its cells.

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
    name = normalise_name(header[0])
    if name in NAMES["path"]:
        return all(is_audio(cells[1]) for cells in rows if len(cells) > 1) and not any(map(is_audio, first))
    if name in NAMES["id"]:
        return False
    return _counted(first) or not any(map(_is_number, first))


def name_of_row_names(header: Sequence[str]) -> str:
    """Return a name for the column of row names."""
    return next(
        (name for name in _ROW_NAMES if normalise_name(name) not in map(normalise_name, header)), "row names"
    )


def first_rows(head: str, separator: str, count: int = 50) -> list[list[str]]:
    """Return the first rows of a table, with the header."""
    whole = head if len(head) < HEAD else head[: head.rfind("\n") + 1]
    rows: list[list[str]] = []
    for _, cells in records_of(io.StringIO(whole, newline=""), separator):
        rows.append(cells)
        if len(rows) == count:
            break
    return rows


def records_of(file: Iterator[str], separator: str, first: int = 1) -> Iterator[tuple[int, list[str]]]:
    """Yield rows with the line that each begins at, counted from ``first``; skip blank lines."""
    reader = csv.reader(file, delimiter=separator)
    begins = first
    for cells in reader:
        if len(cells) > 1 or (cells and cells[0].strip()):
            yield begins, cells
        begins = first + reader.line_num


def _in_quotes(head: str) -> bool:
    """Tell whether the header and the first row begin with a quote, as in tables from R."""
    return all(line.startswith('"') for line in head.splitlines()[:2])


def _counted(names: Sequence[str]) -> bool:
    """Tell whether names are rising whole numbers, as R counts rows."""
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
