"""Find members of archives by paths such as ``shards/train-000.tar/7.flac``: an archive is like a folder."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import pandas as pd

from aurist.archives.archive import Archive, damage
from aurist.archives.parquets import has_audio, open_parquet
from aurist.archives.tars import open_tar
from aurist.archives.tfrecords import open_tfrecord
from aurist.archives.zips import open_zip
from aurist.files import is_file

_OPENERS: dict[str, Callable[[Path], Archive]] = {
    ".zip": open_zip,
    ".tar": open_tar,
    ".tfrecord": open_tfrecord,
    ".tfrec": open_tfrecord,
    ".tfrecords": open_tfrecord,
    ".parquet": open_parquet,
}
#: Open archives that a process keeps, with the positions of their members.
_MOST_OPEN = 64


def is_archive(path: Path) -> bool:
    """Return True for a file that holds recordings: by its ending, and a Parquet file by its columns."""
    suffix = path.suffix.lower()
    return suffix in _OPENERS and is_file(path) and (suffix != ".parquet" or has_audio(path))


def open_archive(path: Path) -> Archive:
    """Open an archive; one that has not changed is opened once.

    Raises
    ------
    ArchiveError
        If it is damaged, or cannot be read in place.
    """
    with damage(path):
        state = path.stat()
        return _open(str(path), state.st_size, state.st_mtime_ns)


@lru_cache(_MOST_OPEN)
def _open(path: str, size: int, mtime_ns: int) -> Archive:
    return _OPENERS[Path(path).suffix.lower()](Path(path))


def _split(path: Path) -> tuple[Path, str] | None:
    """Split a path into its archive and the name of the member; None for a file of its own: it lies in no file."""
    for parent in path.parents:
        if parent.suffix.lower() in _OPENERS and is_file(parent):
            return parent, path.relative_to(parent).as_posix()
    return None


def exists(path: Path) -> bool:
    """Return True for a file, also one inside an archive.

    Examples
    --------
    >>> exists(Path(__file__)), exists(Path("no.zip/a.wav"))
    (True, False)
    """
    if is_file(path):
        return True
    parts = _split(path)
    return parts is not None and parts[1] in open_archive(parts[0]).names


def read_member(path: Path) -> bytes | None:
    """Read a file inside an archive; None if the path leads to none.

    Raises
    ------
    ArchiveError
        If the archive is damaged.
    """
    parts = _split(path)
    if parts is None:
        return None
    archive = open_archive(parts[0])
    with damage(parts[0]):
        return archive.read(parts[1]) if parts[1] in archive.names else None


def table_of(path: Path) -> pd.DataFrame | None:
    """Return what is written beside the recordings of an archive: see `Archive.table`.

    Raises
    ------
    ArchiveError
        If the archive is damaged.
    """
    archive = open_archive(path)
    with damage(path):
        return archive.table()


def stamp(path: Path) -> tuple[int, int]:
    """Return size and modification time in ns of a file, or of the archive that it is in.

    Raises
    ------
    OSError
        If there is no such file.
    """
    parts = _split(path)
    state = (path if parts is None else parts[0]).stat()
    return state.st_size, state.st_mtime_ns
