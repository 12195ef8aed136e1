"""Tell other processes which shards are in use: each user has a locked file with a list of shards."""

from __future__ import annotations

import os
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import IO

from aurist.system import try_lock

_FOLDER = "uses"
_EXPIRY = 7 * 86400.0  # if files cannot be locked, a lease ends after so many seconds


class Lease:
    """Names of shards that stay while this object and the process live.

    Create and extend a lease only inside a transaction of the index, so no shard is deleted meanwhile.
    """

    def __init__(self, folder: Path) -> None:
        self._pid = os.getpid()
        self._path = folder / _FOLDER / uuid.uuid4().hex
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("x", encoding="utf-8")
        _lock(self._file)
        self.names: set[str] = set()

    def add(self, name: str) -> None:
        """Add a shard to the lease."""
        self.names.add(name)
        self._file.write(name + "\n")
        self._file.flush()

    def close(self) -> None:
        """End the lease. In a forked child it does nothing, as the lease belongs to the parent."""
        if os.getpid() == self._pid and not self._file.closed:
            self._file.close()
            with suppress(OSError):
                self._path.unlink()


def leased(folder: Path) -> set[str]:
    """Return the shards with a lease of a living process; delete leases of dead ones."""
    names: set[str] = set()
    for path in (folder / _FOLDER).glob("*"):
        with suppress(FileNotFoundError), path.open(encoding="utf-8") as file:
            if _is_leased(file):
                names.update(file.read().split("\n"))
            else:
                path.unlink()
    return names


def _lock(file: IO[str]) -> bool:
    """Lock a file while it is open, and return True if it was possible."""
    try:
        return try_lock(file)
    except OSError:  # a file system without locks
        return False


def _is_leased(file: IO[str]) -> bool:
    return not _lock(file) and time.time() - os.fstat(file.fileno()).st_mtime < _EXPIRY
