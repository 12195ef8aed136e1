"""TFRecord files of ``tf.train.Example``, without TensorFlow.

Sources: "TFRecord and tf.train.Example" and "example.proto" of TensorFlow. A record is its length (8 bytes), a checksum
of that, the bytes, and a checksum of them; an example maps names to lists of bytes, floats or integers.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, KeysView, Sequence
from pathlib import Path

import pandas as pd

from aurist.archives.archive import ArchiveError
from aurist.archives.remote import ByteRanges

_HEAD, _TAIL = 12, 4
#: The first bytes of recordings: WAV, FLAC, Ogg, MP3 with and without tags, AIFF, MP4.
_SOUND = (b"RIFF", b"RF64", b"fLaC", b"OggS", b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"FORM")
#: Columns that name a recording, in this order.
_NAMES = ("recording_id", "filename", "file_name", "name", "id", "path")
_LONGEST_TEXT = 10_000


class TfRecordArchive:
    """An open TFRecord file; the positions of its records are read once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ranges = ByteRanges(path)
        positions = list(_records(path, self._ranges))
        if not positions:
            raise ArchiveError(f"{path} holds no record.")
        first = _example(self._bytes(*positions[0]))
        self._sound = next((name for name, values in first.items() if _is_sound(values)), None)
        if self._sound is None:
            raise ArchiveError(
                f"{path} holds no recordings that can be read: none of {', '.join(sorted(first)) or 'its fields'} "
                "begins like WAV, FLAC, Ogg, MP3 or AIFF. Samples and spectrograms are not read: write bytes of "
                "recordings."
            )
        self._rows = [
            {
                name: _cell(values)
                for name, values in _example(self._bytes(*at)).items()
                if name != self._sound
            }
            for at in positions
        ]
        self._at = dict(zip(_unique_names(self._rows), positions, strict=True))
        self.names: KeysView[str] = self._at.keys()

    def _bytes(self, offset: int, size: int) -> bytes:
        return self._ranges.read(offset, size)

    def read(self, name: str) -> bytes:
        """Read the recording of a record."""
        values = _example(self._bytes(*self._at[name])).get(self._sound or "", [])
        return values[0] if values and isinstance(values[0], bytes) else b""

    def table(self) -> pd.DataFrame | None:
        """Return the other fields of each record."""
        return pd.DataFrame([{"path": name, **row} for name, row in zip(self.names, self._rows, strict=True)])


def _records(path: Path, ranges: ByteRanges) -> Iterator[tuple[int, int]]:
    """Yield offset and size of each record."""
    at = 0
    while at < ranges.size:
        head = ranges.read(at, _HEAD)
        size = struct.unpack("<Q", head[:8])[0] if len(head) == _HEAD else ranges.size
        if at + _HEAD + size + _TAIL > ranges.size:
            raise ArchiveError(
                f"{path} ends inside the record at byte {at}, or is no TFRecord. Fetch it again."
            )
        yield at + _HEAD, size
        at += _HEAD + size + _TAIL


def _is_sound(values: list[object]) -> bool:
    return len(values) == 1 and isinstance(values[0], bytes) and values[0].startswith(_SOUND)


def _unique_names(rows: Sequence[dict[str, object]]) -> list[str]:
    for column in _NAMES:
        names = [str(row.get(column) or "").replace("\\", "/").strip("/") for row in rows]
        if all(names) and len(set(names)) == len(names):
            return names
    return [f"{number:06}" for number in range(len(rows))]


def _cell(values: list[object]) -> object:
    """Make a cell of the values of a field."""
    texts = [value.decode("utf-8", "replace") if isinstance(value, bytes) else value for value in values]
    if len(texts) == 1:
        return texts[0] if not isinstance(texts[0], str) or len(texts[0]) <= _LONGEST_TEXT else None
    return ";".join(map(str, texts)) if texts and len(texts) <= 1000 else None


def _example(data: bytes) -> dict[str, list[object]]:
    """Decode a ``tf.train.Example``: Features is field 1, its map field 1, each entry a key (1) and a Feature (2)."""
    fields: dict[str, list[object]] = {}
    for _, features in _fields(data, 1):
        for _, entry in _fields(features, 1):
            parts = dict(_fields(entry))
            if 1 in parts:
                fields[parts[1].decode("utf-8", "replace")] = _values(parts.get(2, b""))
    return fields


def _values(feature: bytes) -> list[object]:
    """Decode a Feature: a list of bytes (1), floats (2) or integers (3)."""
    values: list[object] = []
    for kind, content in _fields(feature):
        if kind == 1:
            values += [item for _, item in _fields(content, 1)]
        elif kind == 2:
            for _, packed in _fields(content, 1):
                values += struct.unpack(f"<{len(packed) // 4}f", packed[: len(packed) // 4 * 4])
        elif kind == 3:
            for _, packed in _fields(content, 1):
                values += _integers(packed)
    return values


def _integers(packed: bytes) -> Iterator[int]:
    at = 0
    while at < len(packed):
        value, at = _varint(packed, at)
        yield value - (1 << 64) if value >> 63 else value


def _fields(data: bytes, only: int | None = None) -> Iterator[tuple[int, bytes]]:
    """Yield number and bytes of each field of a protobuf message; a number alone is given as its bytes."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        begin = at
        if kind == 0:
            _, at = _varint(data, at)
        elif kind == 2:
            size, begin = _varint(data, at)
            at = begin + size
        else:
            at += {1: 8, 5: 4}[kind]
        if at > len(data):
            raise ValueError("a field is longer than its record")
        if only in (None, number):
            yield number, data[begin:at]


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("a number is longer than 64 bits")


def open_tfrecord(path: Path) -> TfRecordArchive:
    """Open a TFRecord file of recordings."""
    return TfRecordArchive(path)
