"""The index of decoded audio: which clip lies where, and which shards go first."""

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
    """Which clip lies where: one SQLite file for all sample rates. Safe with several threads and processes.

    Parameters
    ----------
    folder
        The folder of the decoded audio.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        #: Why it cannot be written; None where it can.
        self.refused: Exception | None = None
        self._lock = threading.RLock()
        self._connection = self._open(folder / AUDIO_INDEX)

    def _open(self, path: Path) -> sqlite3.Connection | None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                return _connect(path)
            except sqlite3.OperationalError:  # read-only or locked: what it holds may still serve
                raise
            except sqlite3.DatabaseError:  # not a database: shards that no index knows are dropped later
                for ending in ("", "-wal", "-shm"):
                    path.with_name(path.name + ending).unlink(missing_ok=True)
                return _connect(path)
        except (OSError, sqlite3.Error) as error:
            self.refused = error
            return open_read_only(path, "clips")

    def find(self, key: bytes) -> Entry | None:
        """Where the clip of this key lies."""
        row = self._ask("SELECT shard, first, n_samples, scales FROM clips WHERE key=?", (key,))
        return None if row is None else Entry(row[0], row[1], row[2], np.frombuffer(row[3], dtype="<f4"))

    def forget(self, shard: str, size: int) -> None:
        """Drop what would lie beyond the end of a shard of this many bytes."""
        with suppress(CannotStoreError), self.writing() as connection:
            connection.execute("DELETE FROM clips WHERE shard=? AND 2*(first+n_samples)>?", (shard, size))

    def add(self, entries: Iterable[tuple[bytes, Entry]], used: Iterable[str]) -> None:
        """Make entries visible, and note that these shards were used now.

        Raises
        ------
        CannotStoreError
            Where it cannot be written.
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
        """A transaction that no other process writes beside.

        Raises
        ------
        CannotStoreError
            Where there can be none.
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
        """Drop the least recently used shards until the rest take ``limit`` bytes at most; returns what they take.

        Shards that somebody holds a lease of stay, whatever the limit; files that no index knows go.

        Raises
        ------
        CannotStoreError
            Where the index cannot be written.
        """
        dropped = []
        with self.writing() as connection:
            used = dict(connection.execute("SELECT name, used FROM shards"))
            held = leased(self.folder)
            sizes = shard_sizes(self.folder)
            total = sum(sizes.values())
            for name in sorted(sizes, key=lambda name: used.get(name, 0.0)):
                if name in held or (name in used and total <= limit):
                    continue
                connection.execute("DELETE FROM clips WHERE shard=?", (name,))
                connection.execute("DELETE FROM shards WHERE name=?", (name,))
                dropped.append(name)
                total -= sizes[name]
        # only now: a row never names a file that is gone
        for name in dropped:
            with suppress(OSError):
                (self.folder / name).unlink()
        return total

    def lease(self) -> Lease:
        """A lease that `trim` of another process cannot miss.

        Raises
        ------
        CannotStoreError
            Where the index cannot be written.
        """
        with self.writing():
            return Lease(self.folder)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _ask(self, statement: str, values: tuple[object, ...]) -> tuple[str, int, int, bytes] | None:
        with self._lock:
            if self._connection is None:
                return None
            try:
                found: tuple[str, int, int, bytes] | None = self._connection.execute(
                    statement, values
                ).fetchone()
            except sqlite3.Error as error:
                self.refused = error
                return None
            return found


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=30, check_same_thread=False, isolation_level=None)
    try:
        connection.executescript(_SCHEMA)
    except sqlite3.Error:
        connection.close()
        raise
    return connection
