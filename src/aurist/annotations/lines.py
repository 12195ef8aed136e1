"""Text tables as people's programs write them: header, separator, lines that are numbered as an editor does."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from aurist.clips.loading import read_text
from aurist.errors import DataError, listing


@dataclass(frozen=True)
class Lines:
    """A text table: its columns, its rows by column, and the line that each row stands in."""

    where: Path
    columns: tuple[str, ...]
    rows: tuple[dict[str, str], ...]
    numbers: tuple[int, ...]
    notes: tuple[str, ...]

    def need(self, names: tuple[str, ...], what: str) -> None:
        """Raise DataError where columns are missing."""
        missing = [name for name in names if name not in self.columns]
        if missing:
            raise DataError(
                f"{self.where} is no {what}: it has no column {', '.join(missing)}. It has: {', '.join(self.columns)}."
            )


def read_lines(path: Path) -> Lines:
    """Read a table with a header; between cells a tab where it has one, else a comma or a semicolon, whichever is more.

    Raises
    ------
    DataError
        Where it cannot be read, is empty, or has rows of another length than its header: all of them at once.
    """
    text, notes = read_text(path)
    head = text.lstrip().partition("\n")[0]
    separator = "\t" if "\t" in head else max(",;", key=head.count)
    # Raven writes quotes as they are typed; tables with commas quote as spreadsheets do
    file = io.StringIO(text)
    reader = (
        csv.reader(file, delimiter=separator, quoting=csv.QUOTE_NONE)
        if separator == "\t"
        else csv.reader(file, delimiter=separator)
    )
    columns: list[str] = []
    rows, numbers, bad = [], [], []
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        if not columns:
            columns = [cell.strip() for cell in cells]
        elif len(cells) != len(columns):
            bad.append(f"line {reader.line_num}: {len(cells)} cells, where the header has {len(columns)}")
        else:
            rows.append({name: cell.strip() for name, cell in zip(columns, cells, strict=True)})
            numbers.append(reader.line_num)
    if not columns:
        raise DataError(
            f"{path} is empty: expected a table of annotations with column names in its first line."
        )
    if bad:
        raise DataError(f"{path} has lines of another length than its header:\n{listing(bad)}")
    return Lines(path, tuple(columns), tuple(rows), tuple(numbers), tuple(notes))
