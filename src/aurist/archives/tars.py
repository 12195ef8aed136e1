"""Tar files, read in place; those of WebDataset have labels and metadata beside each recording.

Source: the format of WebDataset: files of one example share the part of their name before the first point.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import KeysView
from pathlib import Path
from typing import Any

import pandas as pd

from aurist.archives.archive import ArchiveError
from aurist.archives.remote import ByteRanges, source_of

#: The files beside a recording that hold one value, and the column that it gets.
_VALUES = {"cls": "label", "label": "label", "txt": "text"}
_JSON = "json"
#: The first bytes of gzip, bzip2, xz and zstd.
_COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd")


class TarArchive:
    """An open tar file; the positions of its members are read once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at: dict[str, tuple[int, int]] = {}
        self._bytes = ByteRanges(path)
        if self._bytes.read(0, 6).startswith(_COMPRESSED):
            raise ArchiveError(
                f"{path} is compressed, and cannot be read in place. Unpack it (gunzip, unzstd ...)."
            )
        with _opened(path) as file:
            for entry in file:
                if entry.isreg() and not entry.name.rpartition("/")[2].startswith("."):
                    self._at[entry.name.removeprefix("./")] = (entry.offset_data, entry.size)
        self.names: KeysView[str] = self._at.keys()

    def read(self, name: str) -> bytes:
        """Read a member."""
        offset, size = self._at[name]
        data = self._bytes.read(offset, size)
        if len(data) < size:
            raise ArchiveError(f"{self._path} ends inside {name}. Fetch it again.")
        return data

    def table(self) -> pd.DataFrame | None:
        """Return the values beside each recording; None if there are none."""
        examples: dict[str, dict[str, str]] = {}
        for name in self.names:
            folder, _, file = name.rpartition("/")
            key, _, ending = file.partition(".")
            examples.setdefault(f"{folder}/{key}", {})[ending.lower()] = name
        rows = []
        for files in examples.values():
            values = {ending: name for ending, name in files.items() if ending in (*_VALUES, _JSON)}
            rows += [
                {"path": name, **self._beside(values)}
                for ending, name in files.items()
                if ending not in values
            ]
        table = pd.DataFrame(rows)
        return table if len(table.columns) > 1 else None

    def _beside(self, values: dict[str, str]) -> dict[str, Any]:
        row: dict[str, Any] = {}
        for ending, name in values.items():
            text = self.read(name).decode("utf-8").strip()
            if ending != _JSON:
                row[_VALUES[ending]] = text
                continue
            content = json.loads(text)
            if not isinstance(content, dict):
                raise ArchiveError(f"{self._path}: {name} is no JSON object.")
            row |= {key: _cell(value) for key, value in content.items() if key != "path"}
        return row


def _cell(value: object) -> object:
    """Make a cell of a JSON value: a list of labels is one text, as in a table."""
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ";".join(value)
    return value if isinstance(value, str | int | float | None) else json.dumps(value)


def _opened(path: Path) -> tarfile.TarFile:
    source = source_of(path)
    return tarfile.open(source, "r:") if isinstance(source, Path) else tarfile.open(fileobj=source, mode="r:")


def open_tar(path: Path) -> TarArchive:
    """Open a tar file that is not compressed."""
    return TarArchive(path)
