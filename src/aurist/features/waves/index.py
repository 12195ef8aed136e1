"""The index of decoded audio: the position of each clip, and the order to delete shards."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from aurist.features.cache import AUDIO_INDEX, open_read_only
from aurist.features.waves.leases import Lease, leased
from aurist.features.waves.shards import CannotStoreError, Entry, shard_sizes

_SCHEMA = """
PRAGMA journal_mode=WAL;
PRAGMA synchronous=NORMAL;
CREATE TABLE IF NOT EXISTS shards (name TEXT PRIMARY KEY, used REAL);
CREATE TABLE IF NOT EXISTS clips (key BLOB PRIMARY KEY, shard TEXT, first INTEGER, n_samples INTEGER, scales BLOB);
CREATE INDEX IF NOT EXISTS clips_of_shard ON clips (shard);
"""


class Index:
    """Positions of clips in shards: one SQLite file for all sample rates. Safe with several threads and processes.

    Parameters
    ----------
    folder
        The folder of the decoded audio.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        #: The reason if it cannot be written; None if it can.
        self.refused: Exception | None = None
        self._lock = threading.RLock()
        self._connection = self._open(folder / AUDIO_INDEX)

    def _open(self, path: Path) -> sqlite3.Connection | None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                return _connect(path)
            except sqlite3.OperationalError:  # read-only or locked: it may still be read
                raise
            except (
                sqlite3.DatabaseError
            ):  # not a database: shards that are not in the index are deleted later
                for ending in ("", "-wal", "-shm"):
                    path.with_name(path.name + ending).unlink(missing_ok=True)
                return _connect(path)
        except (OSError, sqlite3.Error) as error:
            self.refused = error
            return open_read_only(path, "clips")

    def find(self, key: bytes) -> Entry | None:
        """Find the clip of this key."""
        row = self._ask("SELECT shard, first, n_samples, scales FROM clips WHERE key=?", (key,))
        return None if row is None else Entry(row[0], row[1], row[2], np.frombuffer(row[3], dtype="<f4"))

    def forget(self, shard: str, size: int) -> None:
        """Remove entries beyond the end of a shard of this many bytes."""
        with suppress(CannotStoreError), self.writing() as connection:
            connection.execute("DELETE FROM clips WHERE shard=? AND 2*(first+n_samples)>?", (shard, size))

    def add(self, entries: Iterable[tuple[bytes, Entry]], used: Iterable[str]) -> None:
        """Add entries, and mark these shards as used now.

        Raises
        ------
        CannotStoreError
            If it cannot be written.
        """
        now = time.time()
        rows = [(key, e.shard, e.first, e.n_samples, e.scales.astype("<f4").tobytes()) for key, e in entries]
        with self.writing() as connection:
            connection.executemany("INSERT OR IGNORE INTO clips VALUES (?,?,?,?,?)", rows)
            connection.executemany(
                "INSERT OR REPLACE INTO shards VALUES (?,?)", [(name, now) for name in sorted(used)]
            )

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Open a transaction that excludes writes of other processes.

        Raises
        ------
        CannotStoreError
            If it cannot be opened.
        """
        with self._lock:
            if self._connection is None or self.refused is not None:
                raise CannotStoreError(str(self.refused))
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    yield self._connection
                    self._connection.execute("COMMIT")
                finally:
                    if self._connection.in_transaction:
                        self._connection.execute("ROLLBACK")
            except sqlite3.Error as error:
                self.refused = error
                raise CannotStoreError(str(error)) from error

    def trim(self, limit: int) -> int:
        """Delete the least recently used shards until the rest take at most ``limit`` bytes; return these bytes.

        Shards with a lease always stay. Files that are not in the index are deleted.

        Raises
        ------
        CannotStoreError
            If the index cannot be written.
        """
        dropped = []
        with self.writing() as connection:
            used = dict(connection.execute("SELECT name, used FROM shards"))
            leased_names = leased(self.folder)
            sizes = shard_sizes(self.folder)
            total = sum(sizes.values())
            for name in sorted(sizes, key=lambda name: used.get(name, 0.0)):
                if name in leased_names or (name in used and total <= limit):
                    continue
                connection.execute("DELETE FROM clips WHERE shard=?", (name,))
                connection.execute("DELETE FROM shards WHERE name=?", (name,))
                dropped.append(name)
                total -= sizes[name]
        # only after the index: a row never names a missing file
        for name in dropped:
            with suppress(OSError):
                (self.folder / name).unlink()
        return total

    def lease(self) -> Lease:
        """Return a lease that `trim` of another process respects.

        Raises
        ------
        CannotStoreError
            If the index cannot be written.
        """
        with self.writing():
            return Lease(self.folder)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _ask(self, statement: str, values: tuple[object, ...]) -> tuple[str, int, int, bytes] | None:
        with self._lock:
            if self._connection is None:
                return None
            try:
                row: tuple[str, int, int, bytes] | None = self._connection.execute(
                    statement, values
                ).fetchone()
            except sqlite3.Error as error:
                self.refused = error
                return None
            return row


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=30, check_same_thread=False, isolation_level=None)
    try:
        connection.executescript(_SCHEMA)
    except sqlite3.Error:
        connection.close()
        raise
    return connection
