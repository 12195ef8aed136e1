"""Read text tables of annotation programs: header, separator, and lines numbered as in an editor."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from aurist.clips.load_table import quoted_note, read_text
from aurist.clips.preamble import column_name, preamble_of, without_preamble
from aurist.errors import DataError, listing
from aurist.formulas import original_cell

#: Characters to search for lines before the header.
_HEAD = 1 << 16
_DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+")


@dataclass(frozen=True)
class TextTable:
    """A text table: its columns, its rows as dictionaries, the line of each row, and the separator."""

    where: Path
    columns: tuple[str, ...]
    rows: tuple[dict[str, str], ...]
    numbers: tuple[int, ...]
    notes: tuple[str, ...]
    separator: str

    def need(self, names: tuple[str, ...], kind: str) -> None:
        """Raise DataError if columns are missing."""
        missing = [name for name in names if name not in self.columns]
        if missing:
            raise DataError(
                f"{self.where} is no {kind}: it has no column {', '.join(missing)}. It has: {', '.join(self.columns)}."
            )

    def with_points(self, columns: Iterable[str]) -> TextTable:
        """Turn decimal commas of some columns into points, with a note, unless commas separate cells."""
        if self.separator == ",":
            return self
        present = [name for name in dict.fromkeys(columns) if name in self.columns]
        rows = tuple({**row, **{name: with_point(row[name]) for name in present}} for row in self.rows)
        note = f"{self.where.name}: numbers are written with a decimal comma"
        return self if rows == self.rows else replace(self, rows=rows, notes=(*self.notes, note))


def with_point(cell: str) -> str:
    """Turn the decimal comma of a number into a point.

    Examples
    --------
    >>> with_point("61,5"), with_point("wren, song")
    ('61.5', 'wren, song')
    """
    return cell.replace(",", ".") if _DECIMAL_COMMA.fullmatch(cell) else cell


def unquoted(cell: str) -> str:
    """Strip the quotes that a spreadsheet puts around a cell with a comma or quotes inside.

    Examples
    --------
    >>> unquoted('"wren, song"'), unquoted('"a ""tick"" call"'), unquoted('"wren" or "robin"')
    ('wren, song', 'a "tick" call', '"wren" or "robin"')
    """
    inside = cell[1:-1]
    if len(cell) > 2 and cell[0] == cell[-1] == '"' and '"' not in inside.replace('""', ""):
        return inside.replace('""', '"').strip()
    return cell


def read_text_table(path: Path) -> TextTable:
    """Read a table with a header. The separator is a tab if there is one, else the more frequent of comma and
    semicolon.

    Raises
    ------
    DataError
        If it cannot be read, is empty, has an open quotation mark, or rows of another length than its header: all of
        these at once.
    """
    text, notes = read_text(path)
    before = preamble_of(text[:_HEAD])
    text = without_preamble(text, before)
    head = text.lstrip().partition("\n")[0]
    separator = before.separator or ("\t" if "\t" in head else max(",;", key=head.count))
    columns: list[str] = []
    rows, numbers, bad = [], [], []
    quoted = 0
    for number, cells in _records(path, text, separator, before.lines):
        if not columns:
            columns = [column_name(unquoted(cell.strip()), index) for index, cell in enumerate(cells)]
        elif len(cells) != len(columns):
            bad.append(f"line {number}: {len(cells)} cells, but the header has {len(columns)}")
        else:
            unquoted_cells = [unquoted(cell.strip()) for cell in cells]
            texts = [original_cell(cell).strip() for cell in unquoted_cells]
            quoted += sum(cell != text for cell, text in zip(unquoted_cells, texts, strict=True))
            rows.append(dict(zip(columns, texts, strict=True)))
            numbers.append(number)
    if not columns:
        raise DataError(
            f"{path} is empty: expected a table of annotations with column names in its first line."
        )
    if bad:
        raise DataError(f"{path} has lines of another length than its header:\n{listing(bad)}")
    notes += [f"{path.name}: {note}" for note in (*before.notes, *quoted_note(quoted))]
    return TextTable(path, tuple(columns), tuple(rows), tuple(numbers), tuple(notes), separator)


def _records(path: Path, text: str, separator: str, skipped: int) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not blank, with the last line of each. ``skipped`` lines were removed before.

    Raven writes quotes as they are typed. Tables with commas use quotes as spreadsheets do.
    """
    reader = csv.reader(
        io.StringIO(text),
        delimiter=separator,
        quoting=csv.QUOTE_NONE if separator == "\t" else csv.QUOTE_MINIMAL,
        strict=True,
    )
    before = skipped
    try:
        for cells in reader:
            before = skipped + reader.line_num
            if any(cell.strip() for cell in cells):
                yield before, cells
    except csv.Error as error:
        raise DataError(
            f"{path} cannot be read as a table from line {before + 1} on: {error}. Close the quotation mark there, or "
            "take it out."
        ) from error
