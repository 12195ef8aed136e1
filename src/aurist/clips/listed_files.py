"""Find the recordings that a table lists, under its folder, by the end of their paths."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import pandas as pd

from aurist.archives import exists
from aurist.clips.folders import find_audio
from aurist.clips.guess import ReadOptions
from aurist.clips.labels import cell_text
from aurist.clips.suffixes import name_key
from aurist.clips.times import normalise_name
from aurist.errors import DataError, listing, plural

#: Columns of names of recordings that may be whole numbers (Freesound's, in FSD50K).
_NUMBERED = ("fname", "filename", "file")
#: Endings of FSD50K's folders of tables and of recordings.
_TRUTH, _AUDIO = ".ground_truth", (".dev_audio", ".eval_audio")
#: ESC-50's and UrbanSound8K's folders of tables, and that of their recordings.
_TABLES, _SOUNDS = ("meta", "metadata"), "audio"


class ListedRecordings:
    """The recordings in a table's folder, listed once, and only if some are not at their path.

    Case and forms of accents do not matter. An ending such as ``.wav`` may be missing. If the folder holds no
    recordings, the neighbour folders of well-known data sets are searched: ``X.dev_audio`` and ``X.eval_audio`` for
    ``X.ground_truth`` (FSD50K), ``audio`` for ``meta`` (ESC-50) and ``metadata`` (UrbanSound8K).

    Parameters
    ----------
    folder
        The folder that relative paths start from.
    given
        True if the user named the folder: then only this folder is searched.
    """

    def __init__(self, folder: Path, *, given: bool) -> None:
        self._folder = folder
        self._given = given

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        """Map names, with and without ending, to paths from the folder."""
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

    def of(self, path: str) -> list[str]:
        """Return the recordings whose paths end like this path, or the path itself if it exists."""
        if not path or exists(self._folder / path):
            return [path]
        if Path(path).is_absolute():
            return []
        levels = [name_key(level) for level in path.split("/") if level not in ("", ".")]
        matches = self._by_name.get(levels[-1], []) if levels else []
        above = levels[:-1]
        return [match for match in matches if not above or _folders(match)[-len(above) :] == above]


def find_listed(
    paths: Sequence[str | None], options: ReadOptions, root: Path | None, where: str
) -> tuple[list[str | None], list[str]]:
    """Return the path of each listed recording from the folder, and a note if some differ from the given paths.

    A recording that is not found keeps its path.

    Raises
    ------
    DataError
        If several recordings fit one path: all such paths at once.
    """
    folder = options.audio_root or root
    if folder is None:
        return list(paths), []
    recordings = ListedRecordings(folder, given=options.audio_root is not None)
    matches_of = {path: recordings.of(path) for path in dict.fromkeys(paths) if path is not None}
    ambiguous = [
        f"{path} may be {', '.join(matches[:3])}" for path, matches in matches_of.items() if len(matches) > 1
    ]
    if ambiguous:
        raise DataError(
            f"{where}: {plural(len(ambiguous), 'ambiguous recording')} in {folder}:\n{listing(ambiguous)}\n"
            "Give paths from that folder, or give the right folder with audio_root=."
        )
    moved = {path: matches[0] for path, matches in matches_of.items() if matches and matches[0] != path}
    if not moved:
        return list(paths), []
    example = next(iter(moved))
    note = (
        f"{len(moved):,} of {plural(len(matches_of), 'recording')} found by the end of their paths in {folder}: "
        f"{example} is {moved[example]}"
    )
    return [None if path is None else moved.get(path, path) for path in paths], [note]


def numbered_recordings(table: pd.DataFrame, options: ReadOptions, root: Path | None) -> str | None:
    """Return a column of whole numbers that are names of existing recordings, or None."""
    folder = options.audio_root or root
    if folder is None or options.path is not None:
        return None
    for name in map(str, table.columns):
        if normalise_name(name) in _NUMBERED:
            first = [cell_text(cell) for cell in table[name].head(100)]
            recordings = ListedRecordings(folder, given=options.audio_root is not None)
            if first and all(cell.isdigit() for cell in first) and any(map(recordings.of, first)):
                return name
    return None


def _folders_of_sound(folder: Path) -> list[Path]:
    """Return folders of recordings next to a folder of tables, if both are named as in a well-known data set."""
    name, dot, _ = folder.name.rpartition(_TRUTH)
    if dot:
        neighbours = [folder.parent / f"{name}{ending}" for ending in _AUDIO]
    elif folder.name.lower() in _TABLES:
        try:
            neighbours = [
                neighbour
                for neighbour in sorted(folder.parent.iterdir())
                if neighbour.name.lower() == _SOUNDS
            ]
        except OSError:  # a folder that cannot be opened is not searched
            neighbours = []
    else:
        neighbours = []
    return [neighbour for neighbour in neighbours if neighbour.is_dir()]


def _recordings_in(folder: Path) -> list[str]:
    try:
        return find_audio(folder)[0]
    except DataError:  # a folder that cannot be opened is not searched
        return []


def _folders(path: str) -> list[str]:
    return [name_key(level) for level in path.split("/")[:-1]]
