"""Load CSV, TSV and Parquet files as data frames. The index is each row's line in the file."""

from __future__ import annotations

import csv
import itertools
import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from aurist.clips.guess import NAMES, ReadOptions
from aurist.clips.labels import MISSING
from aurist.clips.preamble import Preamble, column_name, preamble_of, without_preamble
from aurist.clips.separators import (
    HEAD,
    are_row_names,
    first_rows,
    name_of_row_names,
    records_of,
    separator_of,
)
from aurist.clips.times import normalise_name
from aurist.errors import DataError, listing, plural
from aurist.extras import need_extra
from aurist.formulas import original_table

#: Excel in Korea writes cp949; latin-1 reads anything.
ENCODINGS = ("utf-8-sig", "cp949", "latin-1")
#: Columns that stay text: a class may be called NA or 007.
_TEXT_ROLES = ("path", "label", "group", "fold", "part", "id")
#: Runs of bytes beyond ASCII. A Korean letter has two bytes, in cp949 mostly both beyond ASCII.
_BEYOND = re.compile(rb"[\x80-\xff]+")


@dataclass(frozen=True)
class _Layout:
    """Encoding, separator, header and lines of a text table."""

    encoding: str
    separator: str
    decimal: str
    before: Preamble
    header: tuple[str, ...]
    lines: tuple[int, ...]
    row_names: bool


def load_table(path: Path, options: ReadOptions) -> tuple[pd.DataFrame, list[str]]:
    """Load a table file, with notes on how it was read.

    Returns
    -------
    table
        Columns that may be paths, labels, groups, folds or ids are text; pandas chooses the type of all others. The
        index is the line of each row in a text file. In a Parquet file it counts as a spreadsheet does: the header is
        row 1, the first row is row 2.
    notes
        Decisions of the reader.

    Raises
    ------
    DataError
        If it is empty, cannot be parsed, or has rows of another length than its header: all of them.
    """
    try:
        table, notes = _parquet(path) if path.suffix.lower() == ".parquet" else _text_table(path, options)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error
    if len(table) == 0:
        raise DataError(f"{path} has column names but no rows.")
    return table, notes


def read_text(path: Path) -> tuple[str, list[str]]:
    """Read a whole text file, with a note if it is not UTF-8.

    Raises
    ------
    DataError
        If it cannot be read.
    """
    try:
        encoding = _encoding(path)
        text = path.read_text(encoding=encoding)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error
    if "\0" in text:
        raise DataError(
            f"{path} is no text: it holds NUL characters. It may be damaged, or UTF-16 without its mark. "
            "Save it again, best as UTF-8."
        )
    return text, _encoding_note(path, encoding)


def quoted_note(count: int) -> list[str]:
    """Write a note on quotes that were left out; they keep spreadsheets from reading text as formulas."""
    if not count:
        return []
    return [f"the quote (') in front of {plural(count, 'text')} like a formula (=, +, -, @) is left out"]


def _parquet(path: Path) -> tuple[pd.DataFrame, list[str]]:
    need_extra("parquet", f"{path}, a Parquet file,")
    try:
        table = pd.read_parquet(path)
        named = [name for name in table.index.names if name is not None]
        table = table.reset_index(level=named).rename(columns=str)
    except Exception as error:  # damaged bytes may raise any error in pyarrow and pandas
        detail = " ".join(str(error).split())[:200]
        raise DataError(
            f"{path} cannot be read as Parquet: {detail or type(error).__name__}. If it was copied or downloaded, do "
            "that again. Else write it again, or give a CSV."
        ) from error
    table.index = pd.RangeIndex(2, len(table) + 2)
    return table, []


def _text_table(path: Path, options: ReadOptions) -> tuple[pd.DataFrame, list[str]]:
    layout = _layout(path)
    named = [i for i, name in enumerate(layout.header) if name]
    nameless = [str(i + 1) for i, name in enumerate(layout.header) if not name]
    names = [name or f"column {i + 1}" for i, name in enumerate(layout.header)]
    as_text = {names[i] for i in named if _stays_text(names[i], options)}
    categories = {name for name, kind in options.fitted if kind == "category"}
    try:
        # pandas hangs on a line that begins with a carriage return and a blank; an open text file has no such line
        with path.open(encoding=layout.encoding) as file:
            for _ in range(layout.before.lines):
                file.readline()
            table = pd.read_csv(
                file,
                sep=layout.separator,
                decimal=layout.decimal,
                header=0,
                names=names,
                usecols=named,
                index_col=False,
                dtype=dict.fromkeys(as_text | (categories & set(names)), str),
                keep_default_na=False,
                na_values={names[i]: sorted(MISSING) for i in named if names[i] not in as_text - categories},
                float_precision="round_trip",
                low_memory=False,
            )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as a table: {error}") from error
    table, quoted = original_table(table)
    whole = len(layout.lines) == len(table)
    table.index = pd.Index(layout.lines) if whole else pd.RangeIndex(2, len(table) + 2)
    notes = [*_encoding_note(path, layout.encoding), *layout.before.notes, *quoted_note(quoted)]
    if layout.decimal == ",":
        table.attrs["decimal"] = ","
        notes.append("numbers are written with a decimal comma")
    if layout.row_names:
        notes.append(
            f"the header names one column less than there are, as R writes it: the first holds row names ({names[0]})"
        )
    if nameless:
        notes.append(f"left out: column {', '.join(nameless)}, which has no name (a row number, as a rule)")
    return table, notes


def _stays_text(name: str, options: ReadOptions) -> bool:
    names = {names for role in _TEXT_ROLES for names in NAMES[role]}
    given = {normalise_name(value) for role in _TEXT_ROLES if (value := getattr(options, role, None))}
    return normalise_name(name) in names | given


def _layout(path: Path) -> _Layout:
    """Scan the file once for its encoding, separator, header, and the line of each row.

    pandas silently fills short rows and shifts long ones into an index; here they are errors.
    """
    encoding = _encoding(path)
    with path.open(encoding=encoding, newline="") as file:
        head = file.read(HEAD)
        if "\0" in head:
            raise DataError(f"{path} is no text: it holds NUL characters. Expected comma-separated values.")
        before = preamble_of(head)
        head = without_preamble(head, before)
        file.seek(0)
        for _ in range(before.lines):
            file.readline()
        try:
            separator = before.separator or separator_of(head)
            records = records_of(file, separator, before.lines + 1)
            header = tuple(map(column_name, next(records, (0, []))[1], itertools.count()))
            lines: list[int] = []
            ragged: dict[int, int] = {}
            first: list[str] = []
            for line, cells in records:
                lines.append(line)
                if len(cells) != len(header):
                    ragged[line] = len(cells)
                    first.append(cells[0])
        except csv.Error as error:
            raise DataError(f"{path} cannot be read as a table: {error}") from error
    if not any(header):
        raise DataError(f"{path} is empty. Expected a line of column names, then a line for each row.")
    repeated = sorted({name for name in header if name and header.count(name) > 1})
    if repeated:
        raise DataError(f"{path} has more than one column called: {', '.join(repeated)}. Rename all but one.")
    row_names = len(ragged) == len(lines) and set(ragged.values()) == {len(header) + 1}
    if row_names and are_row_names(first, head, separator):
        header = (name_of_row_names(header), *header)
    elif ragged:
        raise DataError(_of_another_length(path, ragged, len(header), separator))
    return _Layout(encoding, separator, _decimal(head, separator), before, header, tuple(lines), row_names)


def _of_another_length(path: Path, ragged: dict[int, int], width: int, separator: str) -> str:
    """Write the message on rows of a wrong length. The advice differs for missing cells and split cells."""
    rows = [f"row {line}: {plural(cells, 'cell')}" for line, cells in ragged.items()]
    advice = []
    if min(ragged.values()) < width:
        advice.append(
            f"Add the cells that are missing (an empty one still needs its {separator!r}), or take the rows out: "
            "a file that was cut short ends like this."
        )
    if max(ragged.values()) > width:
        advice.append(f"Put quotation marks around cells that hold {separator!r}.")
    return (
        f"{path}: {plural(len(rows), 'row')} {'does' if len(rows) == 1 else 'do'} not have "
        f"{plural(width, 'cell')}, as the first line does:\n{listing(rows)}\n{' '.join(advice)}"
    )


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        if file.read(2) in (b"\xff\xfe", b"\xfe\xff"):
            _check_whole(path, "utf-16")
            return "utf-16"
    for encoding in ENCODINGS[:-1]:
        try:
            with path.open(encoding=encoding, newline="") as text:
                while text.read(1 << 20):
                    pass
        except UnicodeDecodeError:
            continue
        if encoding == "cp949" and not _looks_korean(path):
            continue
        return encoding
    return ENCODINGS[-1]


def _check_whole(path: Path, encoding: str) -> None:
    try:
        with path.open(encoding=encoding, newline="") as text:
            while text.read(1 << 20):
                pass
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} begins as UTF-16 and cannot be read as that: {error.reason}. It was cut short, or it is of "
            "another encoding; save it once more, best as UTF-8."
        ) from error


def _looks_korean(path: Path) -> bool:
    """Tell whether bytes beyond ASCII mostly come in pairs; umlauts in latin-1 are single bytes."""
    with path.open("rb") as file:
        runs = _BEYOND.findall(file.read(HEAD << 4))
    return 2 * sum(len(run) % 2 for run in runs) <= len(runs)


def _encoding_note(path: Path, encoding: str) -> list[str]:
    if encoding == "utf-8-sig":
        return []
    return [f"{path.name} is not UTF-8; read as {encoding} (save it as UTF-8 if names come out wrong)"]


def _decimal(head: str, separator: str) -> str:
    if separator == ",":
        return "."
    cells = [cell for row in first_rows(head, separator)[1:] for cell in row]
    commas = any(re.fullmatch(r"-?\d+,\d+", cell) for cell in cells)
    points = any(re.fullmatch(r"-?\d+\.\d+", cell) for cell in cells)
    return "," if commas and not points else "."
