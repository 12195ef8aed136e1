"""Which recording of a folder annotations are of: the one whose path ends as they say it does."""

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

#: What programs hang on to a recording's name to name its annotations: Raven, BirdNET, Audacity's users.
_ENDINGS = (
    ".birdnet.selection.table",
    ".birdnet.selections",
    ".birdnet.results",
    ".selections",
    ".selection",
    ".labels",
    ".label",
    "_labels",
)
_ABSOLUTE = re.compile(r"/|[A-Za-z]:/")


@dataclass(frozen=True)
class _Claim:
    """A path that was asked for: how it stood, the folders in it, and how many of these the recording shares."""

    given: str
    folders: tuple[str, ...]
    shared: int
    named: bool

    def agrees(self, other: _Claim) -> bool:
        """Whether both may be the same recording: one path ends as the other, or both as the recording's own.

        Folders of tables that name no path say nothing, unless they fit one recording better than another.
        """
        short, long = sorted((self.folders, other.folders), key=len)
        if long[len(long) - len(short) :] == short:
            return True
        if not (self.named and other.named):
            return self.shared == other.shared
        return self.shared == len(self.folders) and other.shared == len(other.folders)


class Recordings:
    """The recordings of a folder, which is listed once, however many tables ask for theirs.

    Paths are compared from their end, in any case, with / or \\ between folders: annotations come from other machines.

    Parameters
    ----------
    folder
        Of the recordings.
    tables
        The annotations, a file or a folder. A name without a path is looked for in the same subfolder first. None:
        they stand beside the recordings.
    by_path
        Whether paths in tables are looked for in the folder; False: they stay as they are.
    length
        Gives the seconds of a file, None where it cannot be read.
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
        """All of them, relative to the folder."""
        return find_audio(self.folder)[0]

    @cached_property
    def _called(self) -> dict[str, list[str]]:
        """By name, and by name without its ending where no recording is called so."""
        whole: dict[str, list[str]] = {}
        stems: dict[str, list[str]] = {}
        for path in self.names:
            name = path.rpartition("/")[2]
            whole.setdefault(name_key(name), []).append(path)
            stems.setdefault(name_key(name.rpartition(".")[0]), []).append(path)
        return stems | whole

    def of_table(self, table: Path) -> str:
        """The recording that has the name of a table.

        Raises
        ------
        DataError
            Where there is none, or more than one.
        """
        try:
            found = self.find(_stem(table), table)
        except DataError as error:
            raise DataError(f"{table}: {error}") from None
        if found is None:
            raise DataError(
                f"{table} does not say which recording it belongs to, and there is none called {_stem(table)} "
                f"(.wav, .flac ...) in {self.folder}. Name the table after its recording."
            )
        return found

    def placed(self, found: Annotations, table: Path) -> Annotations:
        """Annotations with the paths that their recordings have in the folder; those that are not there keep theirs.

        Raises
        ------
        DataError
            Where a path may be that of several recordings, or several paths that of one: all at once.
        """
        if not self._by_path:
            return found
        names, problems = {}, []
        for given in found.recordings:
            try:
                names[given] = self.find(given, table) or _plain(given)
            except DataError as error:
                problems.append(str(error))
        if problems:
            raise DataError(f"{table}: {plural(len(problems), 'recording')} in doubt:\n{listing(problems)}")
        paths = [names[str(name)] for name in found.table["path"]]
        return replace(
            found, table=found.table.assign(path=paths), recordings=tuple(dict.fromkeys(names.values()))
        )

    def seconds(self, given: str, table: Path) -> float | None:
        """The length of the recording that a table gives the path of; None: it cannot be known here."""
        if self._length is None:
            return None
        try:
            path = self.find(given, table) if self._by_path else given
        except DataError:  # is said with all others that are in doubt
            return None
        return None if path is None else self._length(self.folder / path)

    def find(self, given: str, table: Path) -> str | None:
        """The recording that a table gives the path, the name, or the name without ending of; None: it is not there.

        Raises
        ------
        DataError
            Where several fit equally well, or another path was given for the one that does.
        """
        name = _plain(given).rpartition("/")[2]
        fitting = self._called.get(name_key(name), [])
        named = "/" in given.replace("\\", "/")
        folders = _folders(given) if named else self._folders_of(table)
        best = [path for path in fitting if _folders(path) == folders]
        if not best and not named and is_audio(name):
            best = [path for path in fitting if not _folders(path)]
        if not best:
            best = self._nearest(fitting, folders, whole=named and not _ABSOLUTE.match(_plain(given)))
        best = [path for path in best if path == _plain(given)] or best
        if len(best) > 1:
            raise DataError(
                f"{given} may be {len(best)} recordings in {self.folder}: {', '.join(best[:5])}. Say which by "
                "its path, or put the table into a folder called as that of its recording."
            )
        if best:
            shown = given if named else (table.parent / given).as_posix()
            self._claim(best[0], _Claim(shown, folders, self._shared(best[0], folders), named))
        return best[0] if best else None

    def _nearest(self, fitting: Sequence[str], folders: tuple[str, ...], *, whole: bool) -> list[str]:
        """Those that share the most folders; ``whole``: one path must end as the other, with a folder."""
        shared = {path: self._shared(path, folders) for path in fitting}
        most = max(shared.values(), default=0)
        return [
            path
            for path in fitting
            if shared[path] == most and (not whole or most == len(folders) or 0 < len(_folders(path)) <= most)
        ]

    def _shared(self, path: str, folders: tuple[str, ...]) -> int:
        """How many folders above a recording are called as these, from its own upwards."""
        return max(_common((*base, *_folders(path)), folders) for base in self._bases)

    def _folders_of(self, table: Path) -> tuple[str, ...]:
        if not table.is_relative_to(self._tables):
            return ()
        return _folders(table.relative_to(self._tables).as_posix())

    def _claim(self, path: str, claim: _Claim) -> None:
        claims = self._claims.setdefault(path, [])
        other = next((one for one in claims if not one.agrees(claim)), None)
        if other is not None:
            raise DataError(
                f"{path} would be the recording of {other.given} and of {claim.given}, which are different paths. "
                f"Is a recording of that name missing in {self.folder}?"
            )
        if claim not in claims:
            claims.append(claim)


def _stem(path: Path) -> str:
    """The name of the recording in the name of its table.

    Examples
    --------
    >>> _stem(Path("dawn.Table.1.selections.txt")), _stem(Path("a.BirdNET.results.csv"))
    ('dawn', 'a')
    """
    name = path.name.lower().removesuffix(path.suffix.lower())
    for ending in _ENDINGS:
        name = name.removesuffix(ending)
    # Raven numbers its tables
    before, dot, last = name.rpartition(".table.")
    return before if dot and last.isdigit() else name


def _plain(given: str) -> str:
    """As aurist writes paths.

    Examples
    --------
    >>> _plain("C:\\\\field\\\\a.wav"), _plain("./site//../a.wav")
    ('C:/field/a.wav', 'a.wav')
    """
    return posixpath.normpath(given.replace("\\", "/"))


def _folders(given: str) -> tuple[str, ...]:
    """The folders in a path, as they are compared."""
    return tuple(name_key(part) for part in _plain(given).split("/")[:-1] if part)


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """How many are equal, from the end."""
    shared = 0
    for a, b in zip(reversed(one), reversed(other), strict=False):
        if a != b:
            break
        shared += 1
    return shared
