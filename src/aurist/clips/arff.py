"""Read ARFF, dense and sparse, with one label or several (as in Mulan, with an XML file of the labels' names).

Source: the Weka manual's chapter on ARFF; http://mulan.sourceforge.net/format.html.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from aurist.clips.guess import NAMES, NONE, ReadOptions, match_column, mostly_numbers
from aurist.clips.labels import cell_text, exact_numbers
from aurist.clips.load_table import read_text
from aurist.clips.suffixes import is_audio
from aurist.clips.table import Clips
from aurist.clips.table_to_clips import read_table
from aurist.clips.times import normalise_name
from aurist.errors import DataError, listing, plural

_QUOTED = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_ATTRIBUTE = re.compile(rf"@attribute\s+({_QUOTED}|[^\s{{]+)\s*(\{{.*|\S.*)", re.IGNORECASE)
_CELL = re.compile(rf"\s*(?:({_QUOTED})\s*|([^,]*))(,|$)")
_PAIR = re.compile(rf"\s*(\d{{1,9}})\s+({_QUOTED}|[^,\s]+)\s*(,|$)")
_ON = frozenset(("1", "true", "yes"))
_OFF = frozenset(("0", "false", "no"))
#: The column that several labels are gathered in; no attribute can have this name.
_GATHERED = "labels of the row\n"
#: Of no more rows each may have another value.
_FEW_ROWS = 20

Cells = list[str | None]


@dataclass(frozen=True)
class Attribute:
    """A column: its name, and its values if it is nominal."""

    name: str
    nominal: tuple[str, ...] | None
    numeric: bool

    @property
    def on_off(self) -> bool:
        """True if its values can mark a label as present or absent."""
        return self.numeric or {value.lower() for value in self.nominal or ("?",)} <= _ON | _OFF


def read_arff(path: Path, options: ReadOptions, *, labelled: bool) -> Clips:
    """Read an ARFF table of features, with one or several labels per row.

    Several labels are the columns that Mulan's XML file names (``birds.xml`` for ``birds-train.arff``), or
    ``options.label`` (comma-separated), or the last columns of 0 and 1. A single label is the nominal column with a
    common name of labels, or the last one.

    Raises
    ------
    DataError
        If lines, cells or labels are wrong: all of them.
    """
    table, attributes, notes = load_arff(path)
    attributes = [_as_text(attribute, table[attribute.name]) for attribute in attributes]
    names, note = _label_names(path, attributes, options, labelled=labelled)
    notes += note
    if len(names) > 1:
        table = _gathered(table, [a for a in attributes if a.name in names], path)
        options = replace(options, label=_GATHERED)
    elif names:
        options = replace(options, label=names[0])
    for attribute in attributes:
        if attribute.nominal is not None and attribute.name in table.columns and attribute.name not in names:
            table[attribute.name] = _nominal(table[attribute.name], attribute)
    return read_table(table, options, where=str(path), root=path.parent, labelled=labelled, notes=notes)


def load_arff(path: Path) -> tuple[pd.DataFrame, list[Attribute], list[str]]:
    """Load the rows of an ARFF file (the index is their lines), its attributes, and notes on how it was read.

    Raises
    ------
    DataError
        If lines are no rows of the table: all of them.
    """
    text, notes = read_text(path)
    attributes: list[Attribute] = []
    rows: dict[int, Cells] = {}
    bad: list[str] = []
    in_data = False
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.strip()
        if not line or line.startswith("%"):
            continue
        if in_data:
            cells = _sparse(line, attributes) if line.startswith("{") else _dense(line)
            if cells is None or len(cells) != len(attributes):
                bad.append(f"line {number}: expected {plural(len(attributes), 'value')}: {line[:60]}")
            else:
                rows[number] = cells
        elif line.lower().startswith("@data"):
            in_data = True
        elif line.lower().startswith("@attribute"):
            attributes.append(_attribute(line, number, path))
        elif not line.startswith("@"):
            bad.append(f"line {number}: it comes before @data: {line[:60]}")
    names = [attribute.name for attribute in attributes]
    if not attributes or not (rows or bad):
        raise DataError(
            f"{path}: found {plural(len(names), 'attribute')} and "
            f"{plural(len(rows), 'row')}; it is no ARFF table."
        )
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise DataError(f"{path} has more than one attribute called: {', '.join(repeated)}.")
    if bad:
        what = "line is no row" if len(bad) == 1 else "lines are no rows"
        raise DataError(f"{path}: {len(bad):,} {what} of this table:\n{listing(bad)}")
    table = pd.DataFrame(list(rows.values()), columns=names, index=list(rows), dtype=object)
    return _typed(table, attributes, path), attributes, notes


def _attribute(line: str, number: int, path: Path) -> Attribute:
    match = _ATTRIBUTE.fullmatch(line)
    if match is None:
        raise DataError(f"{path}, line {number}: cannot read the attribute: {line[:80]}")
    name, kind = _unquoted(match.group(1)), match.group(2).strip()
    if kind.startswith("{"):
        inside = kind[1 : kind.rindex("}")] if "}" in kind else kind[1:]
        return Attribute(name, tuple(cell or "" for cell in _dense(inside)), numeric=False)
    return Attribute(name, None, numeric=kind.lower().split()[0] in ("numeric", "real", "integer"))


def _dense(line: str) -> Cells:
    cells: Cells = []
    at = 0
    while match := _CELL.match(line, at):
        cells.append(_value(match.group(1) or match.group(2).strip()))
        if not match.group(3):
            break
        at = match.end()
    return cells


def _sparse(line: str, attributes: Sequence[Attribute]) -> Cells | None:
    """Read ``{3 1.5, 7 yes}``; all other cells are 0, or the first value of a nominal attribute."""
    cells: Cells = [attribute.nominal[0] if attribute.nominal else "0" for attribute in attributes]
    inside = line.removeprefix("{").removesuffix("}").strip()
    at = 0
    while at < len(inside):
        match = _PAIR.match(inside, at)
        if match is None or int(match.group(1)) >= len(attributes):
            return None
        cells[int(match.group(1))] = _value(match.group(2))
        at = match.end()
    return cells


def _value(text: str) -> str | None:
    return None if text == "?" else _unquoted(text)


def _unquoted(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text


def _typed(table: pd.DataFrame, attributes: Sequence[Attribute], path: Path) -> pd.DataFrame:
    columns: dict[str, pd.Series[Any]] = {}
    bad = []
    for attribute in attributes:
        column = table[attribute.name]
        invalid = pd.Series(False, index=table.index)
        expected = "no number"
        if attribute.numeric:
            numbers = exact_numbers(column)
            invalid = numbers.isna() & column.notna()
            columns[attribute.name] = numbers
        else:
            if attribute.nominal is not None:
                invalid, expected = column.notna() & ~column.isin(attribute.nominal), "none of its values"
            columns[attribute.name] = column
        for line in table.index[invalid]:
            bad.append(f"line {line}, {attribute.name!r}: {column[line]!r} is {expected}")
    if bad:
        what = f"{plural(len(bad), 'cell')} {'is' if len(bad) == 1 else 'are'}"
        raise DataError(f"{path}: {what} not of the attribute's type:\n{listing(bad)}")
    return pd.DataFrame(columns, index=table.index)


def _as_text(attribute: Attribute, column: pd.Series[Any]) -> Attribute:
    """Read a list of values as text if they are names of recordings or of rows, as in other tables.

    Programs that convert CSV to ARFF write all text so. Labels stay a list: a few rows may each have another class.
    """
    values = attribute.nominal or ()
    if not values or normalise_name(attribute.name) in NAMES["label"]:
        return attribute
    of_rows = len(column) > _FEW_ROWS and column.is_unique and not mostly_numbers(column)
    return replace(attribute, nominal=None) if of_rows or all(map(is_audio, values)) else attribute


def _nominal(column: pd.Series[Any], attribute: Attribute) -> pd.Series[Any]:
    """Convert values 0 and 1 to numbers, all others to categories, even if they look like numbers."""
    values = list(dict.fromkeys(attribute.nominal or ()))
    if set(values) <= {"0", "1"}:
        return pd.to_numeric(column).astype(np.float64)
    return pd.Series(pd.Categorical(column, categories=values), index=column.index)


def _gathered(table: pd.DataFrame, attributes: Sequence[Attribute], path: Path) -> pd.DataFrame:
    """Replace the label columns of 0 and 1 by one column of lists of labels."""
    names = [attribute.name for attribute in attributes]
    cells = table[names].map(lambda cell: cell_text(cell).lower())
    valid = cells.isin(_ON | _OFF)
    if not valid.to_numpy().all():
        bad = [
            f"line {table.index[row]}, {names[column]!r}: {cells.iloc[row, column] or '?'}"
            for row, column in np.argwhere(~valid.to_numpy())
        ]
        raise DataError(
            f"{path}: {plural(len(bad), 'cell')} of label columns {'is' if len(bad) == 1 else 'are'} neither 0 nor "
            f"1:\n{listing(bad)}\n"
            "Correct them, or name the label columns with label=."
        )
    on = cells.isin(_ON).to_numpy()
    lists = [[name for name, present in zip(names, row, strict=True) if present] for row in on]
    return table.drop(columns=names).assign(**{_GATHERED: pd.Series(lists, index=table.index, dtype=object)})


def _label_names(
    path: Path, attributes: Sequence[Attribute], options: ReadOptions, *, labelled: bool
) -> tuple[list[str], list[str]]:
    """Find the label columns, with notes on the guess."""
    columns = [attribute.name for attribute in attributes]
    if options.label == NONE:
        return [], []
    if options.label is not None:
        if options.label in columns:
            return [options.label], []
        return [
            match_column(name.strip(), columns, "label=", str(path)) for name in options.label.split(",")
        ], []
    xml = _mulan_xml(path)
    if xml is not None:
        listed = _names_in(xml)
        unknown = [name for name in listed if name not in columns]
        if unknown and (labelled or len(unknown) < len(listed)):
            raise DataError(
                f"{xml} names {plural(len(unknown), 'label')} that {path} does not have:\n{listing(unknown)}"
            )
        if unknown:
            return [], [f"without labels: none of the {len(listed)} that {xml.name} names"]
        return listed, [f"labels: the {len(listed)} columns that {xml.name} names"]
    trailing: list[str] = []
    for attribute in reversed(attributes):
        if attribute.nominal is None or not attribute.on_off:
            break
        trailing.insert(0, attribute.name)
    if len(trailing) > 1:
        return trailing, [
            f"labels: the last {len(trailing)} columns, all 0 or 1 (guessed; label= names others)"
        ]
    return _single(attributes, labelled=labelled)


def _single(attributes: Sequence[Attribute], *, labelled: bool) -> tuple[list[str], list[str]]:
    nominal = [attribute.name for attribute in attributes if attribute.nominal is not None]
    by_name = [name for name in nominal if normalise_name(name) in NAMES["label"]]
    # data to predict may lack the label: then a nominal feature before the last column is no label
    last = nominal[-1:] if labelled or attributes[-1].nominal is not None else []
    label = (by_name or last)[:1]
    return label, [f"label column: {label[0]} (guessed; label= names another, or none)"] if label else []


def _names_in(xml: Path) -> list[str]:
    try:
        root = ElementTree.parse(xml).getroot()
    except (ElementTree.ParseError, OSError) as error:
        raise DataError(f"{xml}, which should name the labels, cannot be read: {error}") from error
    return [str(element.get("name")) for element in root.iter() if "name" in element.attrib]


def _mulan_xml(path: Path) -> Path | None:
    stems = (path.stem, re.sub(r"[-_](train|test)$", "", path.stem))
    candidates = [path.with_name(f"{stem}.xml") for stem in stems]
    return next((candidate for candidate in candidates if candidate.exists()), None)
