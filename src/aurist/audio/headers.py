"""The little of RIFF, AIFF and Ogg headers that libsndfile keeps to itself: what was promised."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

MPEG_LAYER_3 = 0x0055
# programs that write to a pipe leave 0 or the largest size that they know in the header: that promises nothing
_LARGEST = (range(0x7FFF0000, 0x80010000), range(0xFFFF0000, 0x100000000))
_32_BITS = 1 << 32
#: Bytes behind the sound up to which they may be other chunks.
_TRAILER = 1 << 20


@dataclass(frozen=True)
class WavHeader:
    """The format chunk of a WAV file, and where its samples lie."""

    format_tag: int
    block_align: int
    data_offset: int
    data_size: int
    file_size: int

    @property
    def truncated(self) -> bool:
        """Whether the data chunk goes on beyond the end of the file."""
        return not self._says_nothing and self.data_offset + self.data_size > self.file_size

    @property
    def sound_size(self) -> int:
        """Bytes of the data chunk, also of one that 32 bits cannot count: what is written then is the rest."""
        room = self.file_size - self.data_offset
        if self._says_nothing and room > self.data_size + _TRAILER:
            return room
        return self.data_size + max(0, room - self.data_size) // _32_BITS * _32_BITS

    @property
    def _says_nothing(self) -> bool:
        return self.data_size == 0 or any(self.data_size in sizes for sizes in _LARGEST)


def wav_header(path: Path) -> WavHeader | None:
    """The header of a RIFF WAV file; None where the file is not one, or has no data chunk."""
    chunks = _chunks(path, b"RIFF", "<")
    if b"fmt " not in chunks or b"data" not in chunks:
        return None
    offset, size = chunks[b"fmt "]
    with path.open("rb") as file:
        file.seek(offset)
        fmt = file.read(min(size, 40))
    if len(fmt) < 14:
        return None
    tag, block_align = struct.unpack_from("<H10xH", fmt)
    return WavHeader(tag, block_align, *chunks[b"data"], path.stat().st_size)


def aiff_frames(path: Path) -> int:
    """The frames that the header of an AIFF file promises; 0 where it does not say."""
    chunks = _chunks(path, b"FORM", ">")
    if b"COMM" not in chunks:
        return 0
    with path.open("rb") as file:
        file.seek(chunks[b"COMM"][0] + 2)
        found = file.read(4)
    return int(struct.unpack(">I", found)[0]) if len(found) == 4 else 0


def ogg_unfinished(path: Path) -> bool:
    """Whether the last page of an Ogg file lacks the mark of the end of the stream."""
    with path.open("rb") as file:
        # a page is 65,307 bytes at most, so that its header stands in the last 128 KiB
        file.seek(max(0, path.stat().st_size - (1 << 17)))
        tail = file.read()
    page = tail.rfind(b"OggS\0")
    return page >= 0 and len(tail) > page + 5 and not tail[page + 5] & 4


def _chunks(path: Path, magic: bytes, order: str) -> dict[bytes, tuple[int, int]]:
    """Offset and size of each chunk's body, up to the sound data."""
    found: dict[bytes, tuple[int, int]] = {}
    with path.open("rb") as file:
        if file.read(4) != magic:
            return found
        file.seek(12)
        while len(head := file.read(8)) == 8 and len(found) < 1000:
            name, size = head[:4], struct.unpack(order + "I", head[4:])[0]
            found.setdefault(name, (file.tell(), size))
            if name == b"data":
                break
            file.seek(size + size % 2, 1)
    return found
