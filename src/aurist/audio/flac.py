"""Find the length of a FLAC by its last frame, if the header gives none or a wrong one."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from aurist.audio.layout import FilePart, Layout, promise_of, tags_before, tags_behind

_SYNC = re.compile(rb"\xff[\xf8\xf9]")
_MAGIC = b"fLaC\x00\x00\x00\x22"
#: Offset of the first block's body, and its size.
_INFO, _INFO_SIZE = 8, 34
#: Bytes at the end to search for the last frame: first, and at most.
_TAIL, _LONGEST = 1 << 15, 1 << 24
_UNKNOWN = (1 << 36) - 1
#: Samples of a frame by its four-bit code.
_BLOCKS = (0, 192, 576, 1152, 2304, 4608, 0, 0, *(256 << power for power in range(8)))


@dataclass(frozen=True)
class _Frame:
    """A frame: its offset in the searched bytes, its first sample, and its count of samples."""

    at: int
    first: int
    samples: int

    @property
    def end(self) -> int:
        return self.first + self.samples


def flac_layout(file: FilePart) -> Layout:
    """Find the length of a FLAC. The header is used if the last frame agrees."""
    begin = tags_before(file)
    info = file.at(begin + _INFO, _INFO_SIZE)
    if len(info) < _INFO_SIZE or file.at(begin, 4) != b"fLaC":
        return Layout()
    block, total = struct.unpack_from(">H", info)[0], int.from_bytes(info[13:18], "big") & _UNKNOWN
    end = _without_zeros(file, begin)
    size = max(_TAIL, 2 * int.from_bytes(info[7:10], "big"))
    while True:
        start = max(begin, end - size)
        tail = file.at(start, end - start)
        frames = list(_frames(tail, block))
        last = _last(frames)
        if total and frames and (last or frames[-1]).end == total:
            return Layout()
        if last is not None or start == begin or size >= _LONGEST:
            break
        size *= 8
    if last is None:
        return Layout()
    if links := _links(file, begin, end):
        return Layout(links=links)
    is_cut = _crc16(tail[last.at :]) != 0
    n, stop = (last.first, start + last.at) if is_cut else (last.end, end)
    if not n:
        return Layout()
    promise, truncated = promise_of(0 if total == _UNKNOWN else total, n)
    head = bytearray(file.at(begin, _INFO + _INFO_SIZE))
    head[_INFO + 13 : _INFO + 18] = (info[13] >> 4 << 36 | n).to_bytes(5, "big")
    sound = begin + len(head)
    pieces = (bytes(head), (file.begin + sound, stop - sound))
    return Layout(pieces, promise=promise, truncated=truncated or (is_cut and promise == 0))


def _links(file: FilePart, begin: int, end: int) -> tuple[Layout, ...]:
    """Return the layouts of concatenated files; empty if there is only one file."""
    starts = [begin]
    with file.mapped() as data:
        while (at := data.find(_MAGIC, file.begin + starts[-1] + _INFO + _INFO_SIZE, file.begin + end)) >= 0:
            starts.append(at - file.begin)
    if len(starts) == 1:
        return ()
    links = []
    for start, stop in zip(starts, [*starts[1:], end], strict=True):
        layout = flac_layout(file.within(start, stop - start))
        links.append(layout if layout.pieces else Layout(((file.begin + start, stop - start),)))
    return tuple(links)


def _without_zeros(file: FilePart, begin: int) -> int:
    """Return the end of the file without tags and without zeros (disk space that was never written)."""
    end = tags_behind(file)
    while end > begin:
        tail = file.at(max(begin, end - _TAIL), min(_TAIL, end - begin))
        if rest := tail.rstrip(b"\0"):
            # a checksum may end in zeros
            return min(end, end - len(tail) + len(rest) + 2)
        end -= len(tail)
    return end


def _last(frames: list[_Frame]) -> _Frame | None:
    """Return the last frame that follows another frame; bytes that only look like a frame do not."""
    ends = {0} | {frame.end for frame in frames}
    return next((frame for frame in reversed(frames) if frame.first in ends), None)


def _frames(raw: bytes, block: int) -> Iterator[_Frame]:
    """Yield everything with a frame's header; ``block``: samples per frame if all frames are equal."""
    for match in _SYNC.finditer(raw):
        at = match.start()
        head = raw[at : at + 16]
        header = _header(head)
        if header is None:
            continue
        number, samples = header
        yield _Frame(at, number if head[1] & 1 else number * block, samples)


def _header(head: bytes) -> tuple[int, int] | None:
    """Return the number of a frame or of its first sample, and its samples; None if it is no header."""
    if len(head) < 7 or head[2] & 0x0F == 15 or head[2] >> 4 == 0 or head[3] & 1 or head[3] >> 4 > 10:
        return None
    # the number is coded like UTF-8, in up to seven bytes
    leading_ones = 8 - (~head[4] & 0xFF).bit_length()
    length = max(1, leading_ones)
    if leading_ones in (1, 8) or len(head) < 4 + length + 4:
        return None
    number = head[4] & (0x7F if not leading_ones else (1 << (7 - leading_ones)) - 1)
    for byte in head[5 : 4 + length]:
        if byte >> 6 != 2:
            return None
        number = number << 6 | byte & 0x3F
    at = 4 + length
    code, rate = head[2] >> 4, head[2] & 0x0F
    samples = _BLOCKS[code]
    if code in (6, 7):
        samples = int.from_bytes(head[at : at + code - 5], "big") + 1
        at += code - 5
    at += {12: 1, 13: 2, 14: 2}.get(rate, 0)
    if len(head) <= at or _crc8(head[: at + 1]) != 0:
        return None
    return number, samples


def _crc8(raw: bytes) -> int:
    crc = 0
    for byte in raw:
        crc = _table(8, 0x07)[crc ^ byte]
    return crc


def _crc16(raw: bytes) -> int:
    table, crc = _table(16, 0x8005), 0
    for byte in raw:
        crc = (crc << 8 & 0xFFFF) ^ table[crc >> 8 ^ byte]
    return crc


@cache
def _table(bits: int, polynomial: int) -> list[int]:
    top, mask = 1 << (bits - 1), (1 << bits) - 1
    table = []
    for byte in range(256):
        crc = byte << (bits - 8)
        for _ in range(8):
            crc = (crc << 1 ^ polynomial if crc & top else crc << 1) & mask
        table.append(crc)
    return table
