"""Which shards are in use, told to other processes: a locked file for each user, that lists them."""

from __future__ import annotations

import os
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import IO

_FOLDER = "uses"
_FORGOTTEN = 7 * 86400.0  # seconds after which a lease is void where files cannot be locked


class Lease:
    """Names of shards that stay while this object, and the process, live.

    Create and extend one only within a transaction of the index: that keeps the dropping of shards out.
    """

    def __init__(self, folder: Path) -> None:
        self._pid = os.getpid()
        self._path = folder / _FOLDER / uuid.uuid4().hex
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("x", encoding="utf-8")
        _lock(self._file)
        self.names: set[str] = set()

    def add(self, name: str) -> None:
        """Hold one more shard."""
        self.names.add(name)
        self._file.write(name + "\n")
        self._file.flush()

    def close(self) -> None:
        """Let them all go. In a forked child it does nothing: they are its parent's."""
        if os.getpid() == self._pid and not self._file.closed:
            self._file.close()
            with suppress(OSError):
                self._path.unlink()


def leased(folder: Path) -> set[str]:
    """The shards that any living process holds; leases of the dead are cleared away."""
    names: set[str] = set()
    for path in (folder / _FOLDER).glob("*"):
        with suppress(FileNotFoundError), path.open(encoding="utf-8") as file:
            if _held(file):
                names.update(file.read().split("\n"))
            else:
                path.unlink()
    return names


def _lock(file: IO[str]) -> bool:
    """Lock a file for as long as it is open; whether that could be."""
    try:
        import fcntl
    except ImportError:  # Windows: there a mapped file cannot be deleted anyhow
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # held, or a file system without locks
        return False
    return True


def _held(file: IO[str]) -> bool:
    return not _lock(file) and time.time() - os.fstat(file.fileno()).st_mtime < _FORGOTTEN
