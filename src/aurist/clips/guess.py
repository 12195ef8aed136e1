"""Which column plays which part: given by name, or guessed, and then said aloud."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from aurist.errors import DataError

NONE = "none"

#: Names by which columns are known, best first; compared without case, blanks, dots, underscores and brackets.
NAMES = {
    "path": ("path", "filepath", "audiopath", "file", "filename", "audiofile", "audiofilename", "audio", "wav",
             "beginpath", "slicefilename", "fname"),
    "label": ("label", "labels", "class", "classname", "category", "genre", "species", "target", "ytrue", "y",
              "primarylabel", "tag", "tags", "genretop", "annotation", "speciesid"),
    "group": ("group", "groups", "recordid", "recordingid", "recording", "artist", "artistid", "speaker",
              "speakerid", "site", "siteid", "srcfile", "fsid", "freesoundid", "author", "uploader"),
    "fold": ("fold", "folds", "foldid", "cvfold"),
    "part": ("part", "split", "subset", "set", "partition"),
    "start": ("start", "tmin", "starttime", "begin", "onset", "starts", "begintime", "begintimes", "startseconds"),
    "end": ("end", "tmax", "endtime", "offset", "ends", "endtimes", "endseconds", "stop"),
    "id": ("id", "clipid", "rowid", "sampleid", "itemid", "trackid", "uid", "idx"),
    "low_hz": ("lowhz", "fmin", "lowfreq", "lowfreqhz", "lowfrequency"),
    "high_hz": ("highhz", "fmax", "highfreq", "highfreqhz", "highfrequency"),
}  # fmt: skip

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


@dataclass
class Roles:
    """The column of each role that was found, and a sentence for each guess."""

    columns: dict[str, str] = field(default_factory=dict)
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
    """Find the column of every role.

    Raises
    ------
    DataError
        Where a column that the user named is not there.
    """
    found = Roles()
    names = [str(name) for name in table.columns]
    for role in NAMES:
        given = getattr(options, role, None)
        if given == NONE:
            continue
        if given is not None:
            found.columns[role] = known_column(given, names, f"--{role}", where)
            continue
        guess = _guess(role, table, taken=set(found.columns.values()))
        if guess is not None:
            found.columns[role] = guess
            if role in ("path", "label", "group", "fold", "part", "id"):
                found.notes.append(f"{role} column: {guess} (guessed)")
    if "path" in found.columns and "start" not in found.columns:
        found.columns.pop("end", None)
    if "path" not in found.columns:
        for role in ("start", "end", "low_hz", "high_hz"):
            found.columns.pop(role, None)
    return found


def _guess(role: str, table: pd.DataFrame, taken: set[str]) -> str | None:
    by_name = {plain(name): str(name) for name in reversed(table.columns) if str(name) not in taken}
    for known in NAMES[role]:
        if known in by_name and _plausible(role, table[by_name[known]]):
            return by_name[known]
    return None


def _plausible(role: str, column: pd.Series[str]) -> bool:
    """Whether the cells can play this role, whatever the column is called."""
    if role == "part":
        return bool(column.dropna().map(part_of).notna().all())
    if role in ("start", "end", "low_hz", "high_hz"):
        return pd.api.types.is_numeric_dtype(column)
    if role == "path":
        return bool(column.dropna().map(lambda cell: isinstance(cell, str)).all())
    if role == "id":
        return bool(column.is_unique and column.notna().all())
    return True


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


def plain(name: object) -> str:
    """A column's name without case, blanks and punctuation.

    Examples
    --------
    >>> plain("Begin Time (s)")
    'begintimes'
    """
    return re.sub(r"[\W_]+", "", str(name)).lower()
