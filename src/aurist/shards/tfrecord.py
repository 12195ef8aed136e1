"""Shards of TFRecord: a ``tf.train.Example`` for each clip, written without TensorFlow.

Sources: "TFRecord and tf.train.Example" and "example.proto" of TensorFlow. A record is its length (8 bytes), a checksum
of that, the bytes, and a checksum of them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from aurist.clips import Clips
from aurist.shards.example import Example

#: The fields of the recording and of its name.
SOUND, NAME = "audio", "filename"


def write_tfrecord(path: Path, examples: Iterable[Example], clips: Clips) -> None:
    """Write a shard: all fields are lists of one ``bytes``, texts in UTF-8."""
    with path.open("wb") as file:
        for example in examples:
            texts = {NAME: example.name, **example.facts}
            fields = {name: text.encode() for name, text in texts.items()}
            file.write(record({SOUND: example.sound, **fields}))


def record(fields: dict[str, bytes]) -> bytes:
    """Encode a record of a ``tf.train.Example``: its Features (1) map (1) a name (1) to a Feature (2) of bytes (1)."""
    entries = (
        _message(1, _message(1, name.encode()) + _message(2, _message(1, _message(1, value))))
        for name, value in fields.items()
    )
    example = _message(1, b"".join(entries))
    length = struct.pack("<Q", len(example))
    return b"".join((length, masked_checksum(length), example, masked_checksum(example)))


def masked_checksum(data: bytes) -> bytes:
    """Return the CRC-32C of bytes as TFRecord stores it.

    Examples
    --------
    >>> masked_checksum(b"123456789").hex()
    'e5b08ac7'
    """
    from aurist.shards._kernels import TABLE, crc32c

    crc = int(crc32c(np.frombuffer(data, dtype=np.uint8), TABLE))
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def _message(number: int, data: bytes) -> bytes:
    """Encode a field of bytes of a protobuf message."""
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
