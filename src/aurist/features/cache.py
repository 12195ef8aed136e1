"""Cache computed features by the content of files, in one SQLite file."""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from aurist.archives import read_member, stamp
from aurist.folders import default_cache_dir

Float = npt.NDArray[np.float32]
_T = TypeVar("_T")

NAME = "features.sqlite"
#: Decoded audio: its folder in the cache, the index in it, and the ending of its files of samples.
AUDIO = "audio"
AUDIO_INDEX = "index.sqlite"
SHARD_SUFFIX = ".i16"
_BESIDE = ("", "-wal", "-shm", "-journal")
#: Vectors lie in rows of their own, and only their keys in the tree: with the vectors in it (WITHOUT ROWID) a page
#: would hold four of them, and the tree would have a level for every fourfold number of clips.
_SCHEMA = """
PRAGMA journal_mode=WAL;
PRAGMA synchronous=NORMAL;
CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, size INTEGER, mtime_ns INTEGER, digest BLOB);
CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, data BLOB);
"""


def feature_size(cache_dir: Path | None = None) -> int:
    """Return the bytes of stored features."""
    return _bytes(_feature_files(cache_dir or default_cache_dir()))


def audio_size(cache_dir: Path | None = None) -> int:
    """Return the bytes of stored decoded audio."""
    return _bytes(_audio_files(cache_dir or default_cache_dir()))


def cache_size(cache_dir: Path | None = None) -> int:
    """Return the bytes of stored features and decoded audio."""
    return feature_size(cache_dir) + audio_size(cache_dir)


def clear_cache(cache_dir: Path | None = None) -> int:
    """Delete the stored features and decoded audio; return the freed bytes."""
    folder = cache_dir or default_cache_dir()
    # delete the audio's index before its shards, so it never names a missing shard
    return _delete([*_feature_files(folder), *_audio_files(folder)])


def _feature_files(folder: Path) -> list[Path]:
    return _database(folder / NAME)


def _audio_files(folder: Path) -> list[Path]:
    audio = folder / AUDIO
    return [*_database(audio / AUDIO_INDEX), *sorted(audio.glob(f"*/*{SHARD_SUFFIX}"))]


def _database(path: Path) -> list[Path]:
    return [file for ending in _BESIDE if (file := path.with_name(path.name + ending)).is_file()]


def _bytes(files: list[Path]) -> int:
    total = 0
    for path in files:
        with contextlib.suppress(FileNotFoundError):  # another process may have deleted it
            total += path.stat().st_size
    return total


def _delete(files: list[Path]) -> int:
    freed = _bytes(files)
    for path in files:
        path.unlink(missing_ok=True)
    return freed


class FeatureCache:
    """Vectors by key, and digests of files by path, size and modification time.

    Safe with several threads, and with several processes on one cache. If the cache cannot be opened or written
    (read-only, a full disk, a broken file), a warning is given once and computing goes on without it.

    Parameters
    ----------
    cache_dir
        The folder; None: `default_cache_dir`.
    warn
        True: warn if it cannot be written.
    """

    def __init__(self, cache_dir: Path | None = None, *, warn: bool = True) -> None:
        self._lock = threading.Lock()
        self._path = (cache_dir or default_cache_dir()) / NAME
        self._warned = not warn
        self._writable = True
        self._connection = self._open()

    def _open(self) -> sqlite3.Connection | None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            return _connect(self._path)
        except sqlite3.OperationalError as error:  # read-only or locked: it may still be read
            self._give_up_writing(error)
            return open_read_only(self._path, "vectors")
        except sqlite3.DatabaseError:  # not a database, or a damaged one: start a new cache
            _delete(_feature_files(self._path.parent))
            try:
                return _connect(self._path)
            except (OSError, sqlite3.Error) as error:
                self._give_up_writing(error)
        except OSError as error:
            self._give_up_writing(error)
        return None

    def digest(self, path: Path) -> bytes:
        """Hash a file's bytes; the hash is stored until its size or modification time changes.

        Raises
        ------
        OSError
            If the file cannot be read.
        """
        stored = self.stored_digest(path)
        if stored is not None:
            return stored
        member = read_member(path)
        if member is None:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).digest()
        else:
            digest = hashlib.blake2b(member, digest_size=16).digest()
        self._write("INSERT OR REPLACE INTO files VALUES (?,?,?,?)", (*_file_key(path), digest))
        return digest

    def stored_digest(self, path: Path) -> bytes | None:
        """Return the hash of a file if it is stored, and the file did not change since.

        Raises
        ------
        OSError
            If there is no such file.
        """
        key = _file_key(path)
        row = self._do(
            lambda c: c.execute(
                "SELECT digest FROM files WHERE path=? AND size=? AND mtime_ns=?", key
            ).fetchone()
        )
        return None if row is None else bytes(row[0])

    def get(self, key: bytes, size: int) -> Float | None:
        """Return the stored vector of (size,), or None."""
        row = self._do(lambda c: c.execute("SELECT data FROM vectors WHERE key=?", (key,)).fetchone())
        if row is None or len(row[0]) != 4 * size:
            return None
        return np.frombuffer(row[0], dtype="<f4").astype(np.float32)

    def put(self, key: bytes, vector: Float) -> None:
        """Store a vector; the next `commit` writes it to the disk."""
        self._write("INSERT OR REPLACE INTO vectors VALUES (?,?)", (key, vector.astype("<f4").tobytes()))

    def add_all(self, other: Path) -> None:
        """Add all vectors and hashes of another cache, a file; what is damaged in it is left out."""
        connection = open_read_only(other, "vectors")
        if connection is None:
            return
        with contextlib.closing(connection), contextlib.suppress(sqlite3.Error):
            for row in connection.execute("SELECT key, data FROM vectors"):
                self._write("INSERT OR IGNORE INTO vectors VALUES (?,?)", row)
            for row in connection.execute("SELECT path, size, mtime_ns, digest FROM files"):
                self._write("INSERT OR REPLACE INTO files VALUES (?,?,?,?)", row)

    def commit(self) -> None:
        """Write stored vectors to the disk, safe from a kill."""
        if self._writable:
            self._do(lambda c: c.commit())

    def close(self) -> None:
        """Commit, and close the file."""
        self.commit()
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _write(self, statement: str, values: tuple[object, ...]) -> None:
        if self._writable:
            self._do(lambda c: c.execute(statement, values))

    def _do(self, action: Callable[[sqlite3.Connection], _T]) -> _T | None:
        with self._lock:
            if self._connection is None:
                return None
            try:
                return action(self._connection)
            except sqlite3.Error as error:
                self._give_up_writing(error)
                return None

    def _give_up_writing(self, error: Exception) -> None:
        self._writable = False
        if not self._warned:
            self._warned = True
            warnings.warn(
                f"The features are computed, but not stored: {self._path} cannot be written ({error}). "
                "Give another folder by cache_dir= or AURIST_CACHE_DIR, or make room there.",
                stacklevel=2,
            )


def _file_key(path: Path) -> tuple[str, int, int]:
    """Return name, size and modification time of a file."""
    size, mtime_ns = stamp(path)
    name = str(path.absolute()).encode(errors="surrogateescape").decode(errors="backslashreplace")
    return name, size, mtime_ns


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=30, check_same_thread=False)
    try:
        connection.executescript(_SCHEMA)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def open_read_only(path: Path, table: str) -> sqlite3.Connection | None:
    """Open a database with this table for reading; None if it cannot be opened."""
    # a read-only folder allows no lock file: then the file is read as immutable
    for mode in ("mode=ro", "immutable=1"):
        try:
            uri = f"{path.absolute().as_uri()}?{mode}"
            connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
            connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone()
        except sqlite3.Error:
            continue
        return connection
    return None
