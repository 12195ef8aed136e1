"""Zip files, read in place."""

from __future__ import annotations

import zipfile
from collections.abc import KeysView
from pathlib import Path
from threading import Lock

import pandas as pd

from aurist.archives.archive import ArchiveError
from aurist.archives.remote import source_of

#: Bytes of the largest recording: a few kilobytes of zip may claim to be many gigabytes.
LARGEST = 4 << 30


class ZipArchive:
    """An open zip file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = zipfile.ZipFile(source_of(path))
        self._lock = Lock()
        names = (entry.filename for entry in self._file.infolist() if not entry.is_dir())
        self.names: KeysView[str] = dict.fromkeys(filter(_is_plain, names)).keys()

    def read(self, name: str) -> bytes:
        """Read a member; its checksum is checked."""
        with self._lock:
            entry = self._file.getinfo(name)
            if entry.flag_bits & 1:
                raise ArchiveError(f"{self._path} is encrypted. Unpack it, and give the folder.")
            if entry.file_size > LARGEST:
                raise ArchiveError(
                    f"{self._path}: {name} has {entry.file_size / 1e9:.1f} GB unpacked, too much for memory. Unpack "
                    "it, and give the folder."
                )
            return self._file.read(entry)

    def table(self) -> pd.DataFrame | None:
        """Return None: a zip file holds names alone."""
        return None


def _is_plain(name: str) -> bool:
    """Return False for what Macs add."""
    return not name.startswith("__MACOSX/") and not name.rpartition("/")[2].startswith(".")


def open_zip(path: Path) -> ZipArchive:
    """Open a zip file."""
    return ZipArchive(path)
