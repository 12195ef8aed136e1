"""ARFF, dense and sparse, with one label or several (as Mulan writes them, with an XML of the labels' names).

Source: the Weka manual's chapter on ARFF; http://mulan.sourceforge.net/format.html.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from aurist.clips.guess import NAMES, ReadOptions, known_column, plain
from aurist.clips.labels import cell_text
from aurist.clips.table import Clips, make_clips
from aurist.clips.tables import read_table
from aurist.errors import DataError, listing

_QUOTED = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_ATTRIBUTE = re.compile(rf"@attribute\s+({_QUOTED}|\S+)\s+(.+)", re.IGNORECASE)
_CELL = re.compile(rf"\s*({_QUOTED}|[^,]*?)\s*(?:,|$)")


@dataclass(frozen=True)
class Attribute:
    """A column: its name, and its values where it is nominal."""

    name: str
    nominal: tuple[str, ...] | None
    numeric: bool


def load_arff(path: Path) -> tuple[pd.DataFrame, list[Attribute]]:
    """The rows of an ARFF file, and its attributes.

    Raises
    ------
    DataError
        Where lines are no rows of it: all of them.
    """
    attributes: list[Attribute] = []
    rows: list[list[str | None]] = []
    bad: list[str] = []
    in_data = False
    for number, raw in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("%"):
            continue
        if in_data:
            cells = _sparse(line, attributes) if line.startswith("{") else _dense(line)
            if cells is None or len(cells) != len(attributes):
                bad.append(f"line {number}: expected {len(attributes)} values: {line[:60]}")
            else:
                rows.append(cells)
        elif line.lower().startswith("@data"):
            in_data = True
        elif line.lower().startswith("@attribute"):
            attributes.append(_attribute(line, number, path))
    if bad:
        raise DataError(f"{path}: {len(bad)} lines are no rows of this table:\n{listing(bad)}")
    if not attributes or not rows:
        raise DataError(
            f"{path}: found {len(attributes)} attributes and {len(rows)} rows; it is no ARFF table."
        )
    table = pd.DataFrame(rows, columns=[attribute.name for attribute in attributes])
    return _typed(table, attributes, path), attributes


def _attribute(line: str, number: int, path: Path) -> Attribute:
    match = _ATTRIBUTE.fullmatch(line)
    if match is None:
        raise DataError(f"{path}, line {number}: cannot read the attribute: {line[:80]}")
    name, kind = _unquoted(match.group(1)), match.group(2).strip()
    if kind.startswith("{"):
        inside = kind[1 : kind.rindex("}")] if "}" in kind else kind[1:]
        return Attribute(name, tuple(cell or "" for cell in _dense(inside)), numeric=False)
    return Attribute(name, None, numeric=kind.lower().split()[0] in ("numeric", "real", "integer"))


def _dense(line: str) -> list[str | None]:
    cells: list[str | None] = []
    at = 0
    while at <= len(line):
        match = _CELL.match(line, at)
        if match is None:
            break
        cells.append(None if match.group(1) == "?" else _unquoted(match.group(1)))
        ended = match.end() == len(line) and not line[at:].endswith(",")
        at = match.end()
        if ended:
            break
    return cells


def _sparse(line: str, attributes: list[Attribute]) -> list[str | None] | None:
    """``{3 1.5, 7 yes}``: what is not named is 0, or the first value of a nominal attribute."""
    cells: list[str | None] = [attribute.nominal[0] if attribute.nominal else "0" for attribute in attributes]
    for piece in _dense(line.strip("{} ")):
        index, _, value = (piece or "").partition(" ")
        if not index:
            continue
        if not index.isdigit() or int(index) >= len(attributes):
            return None
        cells[int(index)] = None if value.strip() == "?" else _unquoted(value.strip())
    return cells


def _unquoted(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text


def _typed(table: pd.DataFrame, attributes: list[Attribute], path: Path) -> pd.DataFrame:
    bad = []
    for attribute in attributes:
        column = table[attribute.name]
        if attribute.numeric:
            numbers = pd.to_numeric(column, errors="coerce")
            for row in np.flatnonzero(numbers.isna() & column.notna()):
                bad.append(f"data row {row + 1}, {attribute.name!r}: {column.iloc[row]!r} is no number")
            table[attribute.name] = numbers
        elif attribute.nominal is not None:
            for row in np.flatnonzero(column.notna() & ~column.isin(attribute.nominal)):
                bad.append(
                    f"data row {row + 1}, {attribute.name!r}: {column.iloc[row]!r} is none of its values"
                )
    if bad:
        raise DataError(f"{path}: {len(bad)} cells are not of their attribute's type:\n{listing(bad)}")
    return table


def read_arff(path: Path, options: ReadOptions, *, labelled: bool) -> Clips:
    """Read an ARFF table of features, with one label a row or several."""
    table, attributes = load_arff(path)
    names, note = _label_names(path, attributes, options)
    if len(names) < 2:
        chosen = options if options.label or not names else _with_label(options, names[0])
        for attribute in attributes:
            if attribute.nominal is not None and attribute.name not in names:
                table[attribute.name] = pd.Categorical(
                    table[attribute.name], categories=list(attribute.nominal)
                )
        return read_table(table, chosen, where=str(path), root=path.parent, labelled=labelled, notes=note)
    on = np.column_stack([table[name].map(cell_text).isin(("1", "true", "True", "yes")) for name in names])
    features = table.drop(columns=names)
    numeric = [a.name for a in attributes if a.name in features.columns and _is_numeric(a)]
    for name in numeric:
        features[name] = pd.to_numeric(features[name])
    return make_clips(
        [tuple(name for name, there in zip(names, row, strict=True) if there) for row in on],
        features=features,
        multilabel=True,
        root=path.parent,
        notes=note,
    )


def _is_numeric(attribute: Attribute) -> bool:
    return attribute.numeric or (attribute.nominal is not None and set(attribute.nominal) <= {"0", "1"})


def _with_label(options: ReadOptions, label: str) -> ReadOptions:
    from dataclasses import replace

    return replace(options, label=label)


def _label_names(
    path: Path, attributes: list[Attribute], options: ReadOptions
) -> tuple[list[str], list[str]]:
    """The label columns: named by the user, by Mulan's XML, or the 0/1 columns at the end."""
    known = [attribute.name for attribute in attributes]
    if options.label is not None:
        if options.label in known:
            return [options.label], []
        return [
            known_column(name.strip(), known, "--label", str(path)) for name in options.label.split(",")
        ], []
    xml = _mulan_xml(path)
    if xml is not None:
        found = [
            element.get("name", "")
            for element in ElementTree.parse(xml).getroot().iter()
            if "name" in element.attrib
        ]
        strange = [name for name in found if name not in known]
        if strange:
            raise DataError(
                f"{xml} names {len(strange)} labels that {path} does not have:\n{listing(strange)}"
            )
        return found, [f"labels: the {len(found)} columns that {xml.name} names"]
    trailing: list[str] = []
    for attribute in reversed(attributes):
        if attribute.nominal is None or set(attribute.nominal) != {"0", "1"}:
            break
        trailing.insert(0, attribute.name)
    if len(trailing) > 1:
        return trailing, [
            f"labels: the last {len(trailing)} columns, all 0 or 1 (guessed; --label names others)"
        ]
    nominal = [a.name for a in attributes if a.nominal is not None]
    guessed = [name for name in nominal if plain(name) in NAMES["label"]] or nominal[-1:]
    return guessed[:1], [f"label column: {guessed[0]} (guessed)"] if guessed else []


def _mulan_xml(path: Path) -> Path | None:
    stems = (path.stem, re.sub(r"[-_](train|test)$", "", path.stem))
    places = [path.with_name(f"{stem}.xml") for stem in stems]
    return next((place for place in places if place.exists()), None)
