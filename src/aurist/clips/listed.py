"""Recordings that a table lists, looked for under its folder by the end of their paths."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import pandas as pd

from aurist.clips.folders import find_audio
from aurist.clips.guess import ReadOptions
from aurist.clips.labels import cell_text
from aurist.clips.suffixes import name_key
from aurist.clips.times import plain
from aurist.errors import DataError, listing, plural
from aurist.files import is_file

#: Columns of names of recordings, which may be whole numbers (Freesound's, in FSD50K).
_NUMBERED = ("fname", "filename", "file")
#: What FSD50K's folders of tables and of recordings end in.
_TRUTH, _AUDIO = ".ground_truth", (".dev_audio", ".eval_audio")
#: ESC-50's and UrbanSound8K's folders of tables, and that of their recordings.
_TABLES, _SOUNDS = ("meta", "metadata"), "audio"


class ListedRecordings:
    """The recordings of a table's folder, listed once, and only where some are not at their path.

    Names are compared in any case, and accents in any form; an ending such as ``.wav`` may be missing. Where the
    folder holds no recordings, those next to it are looked into that well-known data sets have there: for
    ``X.ground_truth`` (FSD50K) ``X.dev_audio`` and ``X.eval_audio``, for ``meta`` (ESC-50) and ``metadata``
    (UrbanSound8K) ``audio``.

    Parameters
    ----------
    folder
        That relative paths start from.
    given
        Whether the user named the folder: then only that one is looked into.
    """

    def __init__(self, folder: Path, *, given: bool) -> None:
        self._folder = folder
        self._given = given

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        """Paths from the folder, by name and by name without its ending."""
        paths = _recordings_in(self._folder)
        if not paths and not self._given:
            audio = _folders_of_sound(self._folder.absolute())
            paths = [f"../{folder.name}/{path}" for folder in audio for path in _recordings_in(folder)]
        names: dict[str, list[str]] = {}
        for path in paths:
            name = path.rpartition("/")[2]
            names.setdefault(name_key(name), []).append(path)
            names.setdefault(name_key(name.rpartition(".")[0]), []).append(path)
        return names

    def of(self, given: str) -> list[str]:
        """The recordings whose paths end as this one; itself, where it is there."""
        if not given or is_file(self._folder / given):
            return [given]
        if Path(given).is_absolute():
            return []
        parts = [name_key(part) for part in given.split("/") if part not in ("", ".")]
        fitting = self._by_name.get(parts[-1], []) if parts else []
        above = parts[:-1]
        return [p for p in fitting if not above or _folders(p)[-len(above) :] == above]


def find_listed(
    paths: Sequence[str | None], options: ReadOptions, root: Path | None, where: str
) -> tuple[list[str | None], list[str]]:
    """The path of each listed recording from the folder, and a note where some are not the given ones.

    What is not there keeps its path.

    Raises
    ------
    DataError
        Where several recordings fit: all at once.
    """
    folder = options.audio_root or root
    if folder is None:
        return list(paths), []
    there = ListedRecordings(folder, given=options.audio_root is not None)
    fitting = {path: there.of(path) for path in dict.fromkeys(paths) if path is not None}
    doubtful = [f"{path} may be {', '.join(found[:3])}" for path, found in fitting.items() if len(found) > 1]
    if doubtful:
        raise DataError(
            f"{where}: {plural(len(doubtful), 'recording')} in doubt in {folder}:\n{listing(doubtful)}\n"
            "Give paths from that folder, or with --audio-root the folder of those that are meant."
        )
    moved = {path: found[0] for path, found in fitting.items() if found and found[0] != path}
    if not moved:
        return list(paths), []
    example = next(iter(moved))
    note = (
        f"{len(moved):,} of {plural(len(fitting), 'recording')} looked for by the end of their paths in {folder}: "
        f"{example} is {moved[example]}"
    )
    return [None if path is None else moved.get(path, path) for path in paths], [note]


def numbered_recordings(table: pd.DataFrame, options: ReadOptions, root: Path | None) -> str | None:
    """A column of whole numbers that are the names of recordings which are there, or None."""
    folder = options.audio_root or root
    if folder is None or options.path is not None:
        return None
    for name in map(str, table.columns):
        if plain(name) in _NUMBERED:
            first = [cell_text(cell) for cell in table[name].head(100)]
            there = ListedRecordings(folder, given=options.audio_root is not None)
            if first and all(cell.isdigit() for cell in first) and any(map(there.of, first)):
                return name
    return None


def _folders_of_sound(tables: Path) -> list[Path]:
    """Those next to a folder of tables, where both are called as in a well-known data set."""
    name, dot, _ = tables.name.rpartition(_TRUTH)
    if dot:
        neighbours = [tables.parent / f"{name}{ending}" for ending in _AUDIO]
    elif tables.name.lower() in _TABLES:
        try:
            neighbours = [
                folder for folder in sorted(tables.parent.iterdir()) if folder.name.lower() == _SOUNDS
            ]
        except OSError:  # what cannot be opened is not searched
            neighbours = []
    else:
        neighbours = []
    return [folder for folder in neighbours if folder.is_dir()]


def _recordings_in(folder: Path) -> list[str]:
    try:
        return find_audio(folder)[0]
    except DataError:  # what cannot be opened is not searched
        return []


def _folders(path: str) -> list[str]:
    return [name_key(part) for part in path.split("/")[:-1]]
