"""Which column plays which part: given by name, or guessed, and then said aloud."""

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
from aurist.clips.times import plain
from aurist.errors import DataError

NONE = "none"

#: Names by which columns are known, best first; compared without case, blanks, dots, underscores and brackets.
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
#: Ids that name a thing of which there may be several rows: then they are groups.
_REPEATABLE = ("trackid", "clipid", "itemid", "sampleid", "uid")
#: A text column in which at least this share of the cells are numbers is a column of numbers with bad cells.
MOSTLY_NUMBERS = 0.9

_PART_NAMES = {
    "train": "train", "training": "train", "dev": "train",
    "valid": "valid", "val": "valid", "validation": "valid",
    "test": "test", "testing": "test", "holdout": "test",
}  # fmt: skip


@dataclass(frozen=True)
class ReadOptions:
    """What the user says of the data; what is None is guessed.

    Parameters
    ----------
    label, path, group, fold, start, end, id
        Names of columns; "none" where a column must not be used for this.
    features
        Names of feature columns, with ``*`` for any letters.
    label_from
        A pattern of file names, such as "{label}_{group}_{n}".
    audio_root
        The folder that relative paths start from; that of the table by default.
    label_separator
        What stands between several labels of a cell: a mark, "space", or "none" where each cell is one label.
    fitted
        Feature columns that a run was fitted on, each with "number", "decimal" (a number with a decimal comma) or
        "category": in a table without features of its own choice they are taken as such, whatever their cells are.
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
    """The column of each role that was found, what the numbers of times count, and a sentence for each guess."""

    columns: dict[str, str] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def get(self, role: str) -> str | None:
        """The column of this role, or None."""
        return self.columns.get(role)


def part_of(name: object) -> str | None:
    """The part that a folder or a cell names, or None.

    Examples
    --------
    >>> part_of("Validation"), part_of("rock")
    ('valid', None)
    """
    return _PART_NAMES.get(str(name).strip().lower())


def find_roles(table: pd.DataFrame, options: ReadOptions, where: str) -> Roles:
    """Find the column of every role but times, for which there is `aurist.clips.spans.find_times`.

    Raises
    ------
    DataError
        Where a column that the user named is not there.
    """
    found = Roles()
    names = [str(name) for name in table.columns]
    given = {role: getattr(options, role, None) for role in NAMES}
    for role, name in given.items():
        if role == "group" and name == "names" and name not in names:
            continue  # the groups that names tell, see `aurist.clips.grouped`
        if name not in (None, NONE):
            found.columns[role] = known_column(str(name), names, f"--{role}", where)
    kept = {
        *(options.features or ()),
        *(name for name, _ in options.fitted),
        *(name for name in (options.start, options.end) if name),
    }
    for role in NAMES:
        if given[role] is not None:
            continue
        guess = _guess(role, table, taken=kept | set(found.columns.values()))
        if guess is not None:
            found.columns[role] = guess
            found.notes.extend(_said(role, guess, _others(role, table, set(found.columns.values()))))
    if "path" not in found.columns and not {"low_hz", "high_hz"} <= found.columns.keys():
        found.columns.pop("low_hz", None)
        found.columns.pop("high_hz", None)
    return found


def _said(role: str, column: str, others: Sequence[str]) -> list[str]:
    """The note of a guess; the second-best labels are named, as a wrong one is dear."""
    if role in ("low_hz", "high_hz"):
        return []
    over = f" over {', '.join(others)}" if role == "label" and others else ""
    change = "" if role == "part" else f"; --{role} names another, or none"
    return [f"{role} column: {column} (guessed{over}{change})"]


def _others(role: str, table: pd.DataFrame, taken: set[str]) -> list[str]:
    return [name for name in map(str, table.columns) if name not in taken and plain(name) in NAMES[role]]


def _guess(role: str, table: pd.DataFrame, taken: set[str]) -> str | None:
    by_name = {plain(name): str(name) for name in reversed(table.columns) if str(name) not in taken}
    for known in NAMES[role]:
        if known in by_name and _plausible(role, table[by_name[known]]):
            return by_name[known]
    if role == "path":
        return next((name for name in reversed(by_name.values()) if _names_audio(table[name])), None)
    if role == "group":
        return next((by_name[n] for n in _REPEATABLE if n in by_name and _repeats(table[by_name[n]])), None)
    return None


def _plausible(role: str, column: pd.Series[Any]) -> bool:
    """Whether the cells can play this role, whatever the column is called."""
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
    there = column.dropna()
    return there[[cell_text(cell) != "" for cell in there]]


def mostly_numbers(column: pd.Series[Any]) -> bool:
    """Whether a column is one of numbers, with a bad cell here and there at most."""
    if pd.api.types.is_numeric_dtype(column):
        return True
    cells = column[~without_value(column)]
    return len(cells) > 0 and float(pd.to_numeric(plain_numbers(cells), errors="coerce").notna().mean()) >= (
        MOSTLY_NUMBERS
    )


def known_column(name: str, names: Sequence[str], option: str, where: str) -> str:
    """The column of this name, by case if need be.

    Raises
    ------
    DataError
        Where there is none; it names the nearest one and those there are.
    """
    if name in names:
        return name
    alike = [known for known in names if plain(known) == plain(name)]
    if len(alike) == 1:
        return alike[0]
    near = difflib.get_close_matches(name, names, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise DataError(
        f"{where}: found no column {name!r} ({option}).{hint} It has: {', '.join(names[:40])}"
        + (f" and {len(names) - 40} more." if len(names) > 40 else ".")
    )
