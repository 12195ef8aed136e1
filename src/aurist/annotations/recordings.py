"""Find the recordings of annotations in a folder, by the end of their paths."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from aurist.annotations.table import Annotations
from aurist.clips.folders import find_audio
from aurist.clips.suffixes import is_audio, name_key
from aurist.errors import DataError, listing, plural

#: Endings that Raven, BirdNET and users of Audacity add to a recording's name for its annotations.
_ENDINGS = (
    ".birdnet.selection.table",
    ".birdnet.selections",
    ".birdnet.results",
    ".selections",
    ".selection",
    ".labels",
    ".label",
    "_labels",
    "_boxes",
    "_annotations",
)
#: Raven numbers its tables.
_NUMBERED = re.compile(r"\.table\.\d+$", re.IGNORECASE)
_ABSOLUTE = re.compile(r"/|[A-Za-z]:/")


@dataclass(frozen=True)
class _Claim:
    """A path from a table: its text, its folders, the count of folders that the recording shares, and if it had any."""

    given: str
    folders: tuple[str, ...]
    shared: int
    named: bool

    def agrees(self, other: _Claim) -> bool:
        """Tell whether both may be the same recording: one path ends like the other, or both like the recording's own.

        If a table gives no folders, its own folder only counts if it fits one recording better than another.
        """
        short, long = sorted((self.folders, other.folders), key=len)
        if long[len(long) - len(short) :] == short:
            return True
        if not (self.named and other.named):
            return self.shared == other.shared
        return self.shared == len(self.folders) and other.shared == len(other.folders)


class Recordings:
    """The recordings of a folder. The folder is listed once for all tables.

    Paths are compared from their end, in any case, with / or \\ between folders, as annotations come from other
    machines.

    Parameters
    ----------
    folder
        The folder of the recordings.
    tables
        The annotations, a file or a folder. A name without folders is searched in the same subfolder first. None: the
        annotations are next to the recordings.
    by_path
        True: paths in tables are searched in the folder. False: they stay as they are.
    length
        Returns the seconds of a file, None if it cannot be read.
    """

    def __init__(
        self,
        folder: Path,
        tables: Path | None = None,
        *,
        by_path: bool = True,
        length: Callable[[Path], float | None] | None = None,
    ) -> None:
        self.folder = folder
        source = tables or folder
        self._tables = source.parent if source.is_file() else source
        self._by_path = by_path
        self._length = length
        self._bases = tuple({_folders(f"{base}/a.wav") for base in (folder.absolute(), folder.resolve())})
        self._claims: dict[str, list[_Claim]] = {}

    @cached_property
    def names(self) -> list[str]:
        """All recordings, relative to the folder."""
        return find_audio(self.folder)[0]

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        """Paths by name, and by name without ending if that is not itself a name."""
        whole: dict[str, list[str]] = {}
        stems: dict[str, list[str]] = {}
        for path in self.names:
            name = path.rpartition("/")[2]
            whole.setdefault(name_key(name), []).append(path)
            stems.setdefault(name_key(name.rpartition(".")[0]), []).append(path)
        return stems | whole

    def of_table(self, table: Path) -> str:
        """Return the recording that has the name of a table; its bare name if a searched folder has no such recording.

        Raises
        ------
        DataError
            If there is more than one, or none beside the table.
        """
        try:
            path = self.find(_stem(table), table)
        except DataError as error:
            raise DataError(f"{table}: {error}") from None
        if path is None and self._by_path:
            return _stem(table)  # counts as missing, as the paths of tables that are not there
        if path is None:
            raise DataError(
                f"{table} does not say which recording it belongs to, and there is none called {_stem(table)} "
                f"(.wav, .flac ...) in {self.folder}. Name the table after its recording."
            )
        return path

    def with_paths(self, annotations: Annotations, table: Path) -> Annotations:
        """Replace paths by those of the recordings in the folder. Recordings that are not there keep their path.

        Raises
        ------
        DataError
            If a path fits several recordings, or several paths fit one: all at once.
        """
        if not self._by_path:
            return annotations
        names, problems = {}, []
        for given in annotations.recordings:
            try:
                names[given] = self.find(given, table) or _plain(given)
            except DataError as error:
                problems.append(str(error))
        if problems:
            raise DataError(f"{table}: {plural(len(problems), 'ambiguous recording')}:\n{listing(problems)}")
        paths = [names[str(name)] for name in annotations.table["path"]]
        return replace(
            annotations,
            table=annotations.table.assign(path=paths),
            recordings=tuple(dict.fromkeys(names.values())),
        )

    def seconds(self, given: str, table: Path) -> float | None:
        """Return the length of the recording with this path in a table; None if it is unknown."""
        if self._length is None:
            return None
        try:
            path = self.find(given, table) if self._by_path else given
        except DataError:  # reported with all other ambiguous paths
            return None
        return None if path is None else self._length(self.folder / path)

    def find(self, given: str, table: Path) -> str | None:
        """Find a recording by the path, the name, or the name without ending from a table; None if it is not there.

        Raises
        ------
        DataError
            If several fit equally well, or another path was used for the one that fits.
        """
        name = _plain(given).rpartition("/")[2]
        candidates = self._by_name.get(name_key(name), [])
        if not candidates and is_audio(name):  # a.WAV in the table, a.flac in the folder
            candidates = self._by_name.get(name_key(name.rpartition(".")[0]), [])
        named = "/" in given.replace("\\", "/")
        folders = _folders(given) if named else self._folders_of(table)
        best = [path for path in candidates if _folders(path) == folders]
        if not best and not named and is_audio(name):
            best = [path for path in candidates if not _folders(path)]
        if not best:
            best = self._nearest(candidates, folders, whole=named and not _ABSOLUTE.match(_plain(given)))
        best = [path for path in best if path == _plain(given)] or best
        if len(best) > 1:
            raise DataError(
                f"{given} may be {len(best)} recordings in {self.folder}: {', '.join(best[:5])}. Give its "
                f"path, or put the table into a folder with the same name as the folder of its recording."
            )
        if best:
            shown_path = given if named else (table.parent / given).as_posix()
            self._claim(best[0], _Claim(shown_path, folders, self._shared(best[0], folders), named))
        return best[0] if best else None

    def _nearest(self, candidates: Sequence[str], folders: tuple[str, ...], *, whole: bool) -> list[str]:
        """Return the paths that share most folders; with ``whole``, one path must end like the other."""
        shared = {path: self._shared(path, folders) for path in candidates}
        most = max(shared.values(), default=0)
        return [
            path
            for path in candidates
            if shared[path] == most and (not whole or most == len(folders) or 0 < len(_folders(path)) <= most)
        ]

    def _shared(self, path: str, folders: tuple[str, ...]) -> int:
        """Count the folders above a recording that equal these, from its own folder up."""
        return max(_common((*base, *_folders(path)), folders) for base in self._bases)

    def _folders_of(self, table: Path) -> tuple[str, ...]:
        if not table.is_relative_to(self._tables):
            return ()
        return _folders(table.relative_to(self._tables).as_posix())

    def _claim(self, path: str, claim: _Claim) -> None:
        claims = self._claims.setdefault(path, [])
        other = next((earlier for earlier in claims if not earlier.agrees(claim)), None)
        if other is not None:
            raise DataError(
                f"{path} would be the recording of {other.given} and of {claim.given}, which are different paths. "
                f"Is a recording of that name missing in {self.folder}?"
            )
        if claim not in claims:
            claims.append(claim)


def _stem(path: Path) -> str:
    """Return the name of the recording from the name of its table.

    Examples
    --------
    >>> _stem(Path("Dawn.Table.1.selections.txt")), _stem(Path("a.BirdNET.results.csv"))
    ('Dawn', 'a')
    """
    name = path.name.removesuffix(path.suffix)
    for ending in _ENDINGS:
        if name.lower().endswith(ending):
            name = name[: -len(ending)]
    return _NUMBERED.sub("", name)


def _plain(given: str) -> str:
    """Normalise a path to the form that aurist writes.

    Examples
    --------
    >>> _plain("C:\\\\field\\\\a.wav"), _plain("./site//../a.wav")
    ('C:/field/a.wav', 'a.wav')
    """
    return posixpath.normpath(given.replace("\\", "/"))


def _folders(given: str) -> tuple[str, ...]:
    """Return the folders of a path in the form for comparison."""
    return tuple(name_key(level) for level in _plain(given).split("/")[:-1] if level)


def _common(first: Sequence[str], second: Sequence[str]) -> int:
    """Count equal items from the end."""
    shared = 0
    for a, b in zip(reversed(first), reversed(second), strict=False):
        if a != b:
            break
        shared += 1
    return shared
