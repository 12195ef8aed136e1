"""Find the column of each role (label, path, group ...): given by name, or guessed and noted."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from aurist.clips.labels import cell_text
from aurist.clips.numbers import plain_numbers, without_value
from aurist.clips.suffixes import is_audio
from aurist.clips.times import normalise_name
from aurist.errors import DataError

NONE = "none"

#: Common names of columns, best first. They are compared without case, blanks, dots, underscores and brackets.
NAMES = {
    "path": ("path", "filepath", "audiopath", "file", "filename", "audiofile", "audiofilename", "audio", "wav",
             "beginpath", "slicefilename", "fname"),
    "label": ("label", "labels", "class", "classname", "category", "genre", "species", "target", "ytrue", "y",
              "primarylabel", "tag", "tags", "genretop", "annotation", "speciesid", "commonname",
              "scientificname", "classid", "labelid", "genreid", "genus", "family"),
    "group": ("group", "groups", "recordid", "recordingid", "recording", "artist", "artistid", "speaker",
              "speakerid", "site", "siteid", "srcfile", "fsid", "freesoundid", "author", "uploader"),
    "fold": ("fold", "folds", "foldid", "cvfold"),
    "part": ("part", "split", "subset", "set", "partition"),
    "id": ("id", "clipid", "rowid", "sampleid", "itemid", "trackid", "uid", "idx"),
    "low_hz": ("lowhz", "fmin", "lowfreq", "lowfreqhz", "lowfrequency"),
    "high_hz": ("highhz", "fmax", "highfreq", "highfreqhz", "highfrequency"),
}  # fmt: skip
#: Ids that may stand in several rows. If they repeat, they are groups.
_REPEATABLE = ("trackid", "clipid", "itemid", "sampleid", "uid")
#: A text column with at least this share of numbers is a column of numbers with bad cells.
MOSTLY_NUMBERS = 0.9

_PART_NAMES = {
    "train": "train", "training": "train", "dev": "train",
    "valid": "valid", "val": "valid", "validation": "valid",
    "test": "test", "testing": "test", "holdout": "test",
}  # fmt: skip


@dataclass(frozen=True)
class ReadOptions:
    """Columns and patterns that the user gives; None is guessed.

    Parameters
    ----------
    label, path, group, fold, start, end, id
        Names of columns; "none" if no column may be used for this.
    features
        Names of feature columns, with ``*`` for any letters.
    label_from
        A pattern of file names, such as "{label}_{group}_{n}".
    audio_root
        The folder that relative paths start from; that of the table by default.
    label_separator
        The mark between several labels of a cell, "space", or "none" if each cell is one label.
    fitted
        Feature columns that a run was fitted on, each with "number", "decimal" (a number with a decimal comma) or
        "category". They are read as that kind, whatever their cells are, unless ``features`` names others.
    """

    label: str | None = None
    path: str | None = None
    group: str | None = None
    fold: str | None = None
    start: str | None = None
    end: str | None = None
    id: str | None = None
    features: tuple[str, ...] | None = None
    label_from: str | None = None
    audio_root: Path | None = None
    label_separator: str | None = None
    fitted: tuple[tuple[str, Literal["number", "decimal", "category"]], ...] = ()


@dataclass
class Roles:
    """The column of each role, the units of times, and a sentence for each guess."""

    columns: dict[str, str] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def get(self, role: str) -> str | None:
        """Return the column of this role, or None."""
        return self.columns.get(role)


def part_of(name: object) -> str | None:
    """Return the part (train, valid, test) that a folder or a cell names, or None.

    Examples
    --------
    >>> part_of("Validation"), part_of("rock")
    ('valid', None)
    """
    return _PART_NAMES.get(str(name).strip().lower())


def find_roles(table: pd.DataFrame, options: ReadOptions, where: str) -> Roles:
    """Find the column of every role. Columns of times are found by `aurist.clips.spans.find_times`.

    Raises
    ------
    DataError
        If a column that the user named does not exist.
    """
    roles = Roles()
    names = [str(name) for name in table.columns]
    given = {role: getattr(options, role, None) for role in NAMES}
    for role, name in given.items():
        if role == "group" and name == "names" and name not in names:
            continue  # groups guessed from names, see `aurist.clips.guessed_groups`
        if name not in (None, NONE):
            roles.columns[role] = match_column(str(name), names, f"{role}=", where)
    reserved = {
        *(options.features or ()),
        *(name for name, _ in options.fitted),
        *(name for name in (options.start, options.end) if name),
    }
    for role in NAMES:
        if given[role] is not None:
            continue
        guess = _guess(role, table, taken=reserved | set(roles.columns.values()))
        if guess is not None:
            roles.columns[role] = guess
            roles.notes.extend(_guess_notes(role, guess, _others(role, table, set(roles.columns.values()))))
    if "path" not in roles.columns and not {"low_hz", "high_hz"} <= roles.columns.keys():
        roles.columns.pop("low_hz", None)
        roles.columns.pop("high_hz", None)
    return roles


def _guess_notes(role: str, column: str, others: Sequence[str]) -> list[str]:
    """Write the note of a guess. Other label columns are named, as a wrong label column costs much."""
    if role in ("low_hz", "high_hz"):
        return []
    over = f" over {', '.join(others)}" if role == "label" and others else ""
    change = "" if role == "part" else f"; {role}= names another, or none"
    return [f"{role} column: {column} (guessed{over}{change})"]


def _others(role: str, table: pd.DataFrame, taken: set[str]) -> list[str]:
    return [
        name for name in map(str, table.columns) if name not in taken and normalise_name(name) in NAMES[role]
    ]


def _guess(role: str, table: pd.DataFrame, taken: set[str]) -> str | None:
    by_name = {normalise_name(name): str(name) for name in reversed(table.columns) if str(name) not in taken}
    for common in NAMES[role]:
        if common in by_name and _plausible(role, table[by_name[common]]):
            return by_name[common]
    if role == "path":
        return next((name for name in reversed(by_name.values()) if _names_audio(table[name])), None)
    if role == "group":
        return next((by_name[n] for n in _REPEATABLE if n in by_name and _repeats(table[by_name[n]])), None)
    return None


def _plausible(role: str, column: pd.Series[Any]) -> bool:
    """Tell whether the cells fit this role, whatever the column's name is."""
    cells = _filled(column)
    if role == "part":
        return len(cells) > 0 and all(part_of(cell) for cell in cells)
    if role in ("low_hz", "high_hz"):
        return mostly_numbers(column)
    if role == "path":
        return all(isinstance(cell, str) for cell in cells) and not mostly_numbers(column)
    if role == "id":
        return bool(len(cells) == len(column) and column.is_unique)
    if role == "group":
        return len(cells.unique()) > 1
    return True


def _names_audio(column: pd.Series[Any]) -> bool:
    cells = _filled(column)
    return len(cells) > 0 and all(isinstance(cell, str) and is_audio(cell) for cell in cells)


def _repeats(column: pd.Series[Any]) -> bool:
    return 1 < _filled(column).nunique() < len(column)


def _filled(column: pd.Series[Any]) -> pd.Series[Any]:
    present = column.dropna()
    return present[[cell_text(cell) != "" for cell in present]]


def mostly_numbers(column: pd.Series[Any]) -> bool:
    """Tell whether a column holds numbers, with a few bad cells at most."""
    if pd.api.types.is_numeric_dtype(column):
        return True
    filled = column[~without_value(column)]
    return len(filled) > 0 and float(
        pd.to_numeric(plain_numbers(filled), errors="coerce").notna().mean()
    ) >= (MOSTLY_NUMBERS)


def match_column(name: str, names: Sequence[str], option: str, where: str) -> str:
    """Return the column of this name; case and punctuation may differ if only one column fits.

    Raises
    ------
    DataError
        If there is none. The message names the nearest column and all others.
    """
    if name in names:
        return name
    similar = [column for column in names if normalise_name(column) == normalise_name(name)]
    if len(similar) == 1:
        return similar[0]
    near = difflib.get_close_matches(name, names, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise DataError(
        f"{where}: found no column {name!r} ({option}).{hint} It has: {', '.join(names[:40])}"
        + (f" and {len(names) - 40} more." if len(names) > 40 else ".")
    )
