"""The layout of a sound file: the bytes of sound and its length, even if the header is wrong."""

from __future__ import annotations

import io
import struct
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

#: New bytes, or a range of the file: offset and count.
Piece = bytes | tuple[int, int]

# programs that write to a pipe leave the largest possible size in the header: a placeholder
_LARGEST = (range(0x7FFF0000, 0x80010000), range(0xFFFF0000, 1 << 32), range(1 << 62, 1 << 64))
#: A stated size this large, and so many times the real one, was written before the recording.
_PLACEHOLDER, _TIMES = 1 << 28, 100


@dataclass(frozen=True)
class Layout:
    """Instructions to open a file so that all of its sound is read.

    Parameters
    ----------
    pieces
        The corrected file; empty: the file as it is.
    raw
        If ``pieces`` are samples without a header, pieces with a header that gives their format.
    format
        The container, if ``pieces`` have another one.
    frames
        Samples per channel; None: as libsndfile counts them.
    promise
        The stated length as a share of the real length; 0: no length is stated.
    truncated
        True if the end is missing.
    note
        Another problem for people to know, as a clause.
    links
        The layout of each stream of a chain; ``pieces`` is then empty.
    """

    pieces: tuple[Piece, ...] = ()
    raw: tuple[Piece, ...] = ()
    format: str | None = None
    frames: int | None = None
    promise: float = 1.0
    truncated: bool = False
    note: str = ""
    links: tuple[Layout, ...] = ()

    def header_note(self, seconds: float) -> str:
        """Describe faults of the header, for a file of this length, as clauses; "" if there are none."""
        notes = []
        if not self.truncated and self.promise != 1:
            stated = f"says {self.promise * seconds:,.1f} s" if self.promise else "gives no length"
            notes.append(f"its header {stated}; {seconds:,.1f} s of sound were found")
        return "; ".join([*notes, *([self.note] if self.note else [])])


def says_nothing(stated: int) -> bool:
    """Tell whether a size is a placeholder of programs that do not know the size."""
    return any(stated in sizes for sizes in _LARGEST)


def promise_of(stated: int, room: int) -> tuple[float, bool]:
    """Return the stated size as a share of the real size, and True if the end is missing.

    A far larger size is a placeholder: the recorder wrote it first and never corrected it.

    Examples
    --------
    >>> promise_of(2000, 1000), promise_of(2_000_000_000, 1000)
    ((2.0, True), (2000000.0, False))
    """
    if not room:
        return 1.0, True
    return stated / room, room < stated < max(_PLACEHOLDER, _TIMES * room)


class FilePart:
    """A range of bytes of an open file, for the readers of headers.

    Parameters
    ----------
    file
        Open for reading.
    begin, size
        Offset and size of the range in the file.
    """

    def __init__(self, file: BinaryIO, begin: int, size: int) -> None:
        self._file, self.begin, self.size = file, begin, size

    def mapped(self) -> mmap:
        """Map the whole file into memory."""
        return mmap(self._file.fileno(), 0, access=ACCESS_READ)

    def at(self, offset: int, count: int) -> bytes:
        """Read ``count`` bytes from an offset on; fewer at the end."""
        if offset < 0 or offset >= self.size:
            return b""
        self._file.seek(self.begin + offset)
        return self._file.read(min(count, self.size - offset))

    def within(self, offset: int, size: int | None = None) -> FilePart:
        """Return a part of this part; ``size`` None: up to its end."""
        room = max(0, self.size - offset)
        return FilePart(self._file, self.begin + offset, room if size is None else min(size, room))


class Pieces(io.RawIOBase):
    """Pieces as one file object, for libsndfile."""

    def __init__(self, path: Path, pieces: Sequence[Piece]) -> None:
        self._file = io.BufferedReader(io.FileIO(path), 1 << 16)
        self._pieces = list(pieces)
        self._starts = [0]
        for piece in pieces:
            self._starts.append(self._starts[-1] + (len(piece) if isinstance(piece, bytes) else piece[1]))
        self._at = 0
        #: The last range: its start and end in the pieces, and the difference to its offset in the file.
        self._range = (0, 0, 0)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._starts[-1]}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: WriteableBuffer) -> int:
        # libmpg123 reads a few bytes at a time, thousands of times per span, mostly from one range
        start, stop, offset = self._range
        if start <= self._at and self._at + memoryview(buffer).nbytes <= stop:
            self._file.seek(offset + self._at)
            got = self._file.readinto(buffer)
            self._at += got
            return got
        view = memoryview(buffer).cast("B")
        done = 0
        while done < len(view) and self._at < self._starts[-1]:
            number = bisect_right(self._starts, self._at) - 1
            inside, left = self._at - self._starts[number], self._starts[number + 1] - self._at
            count = min(len(view) - done, left)
            piece = self._pieces[number]
            if isinstance(piece, bytes):
                view[done : done + count] = piece[inside : inside + count]
                got = count
            else:
                first = self._starts[number]
                self._range = (first, first + piece[1], piece[0] - first)
                self._file.seek(piece[0] + inside)
                got = self._file.readinto(view[done : done + count]) or 0
            if not got:
                break
            done += got
            self._at += got
        return done

    def close(self) -> None:
        self._file.close()
        super().close()


def tag_size(head: bytes) -> int:
    """Return the size of an ID3 tag from its first 10 bytes; 0 if it is no tag.

    Examples
    --------
    >>> tag_size(b"ID3" + bytes([4, 0, 0, 0, 0, 1, 2])), tag_size(b"fLaC......")
    (140, 0)
    """
    if head[:3] == b"TAG":
        return 128
    if len(head) < 10 or head[:3] != b"ID3" or max(head[6:10]) > 127:
        return 0
    size = sum(byte << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
    return 10 + size + (10 if head[5] & 0x10 else 0)


def tags_before(file: FilePart) -> int:
    """Return the size of all tags at the beginning of a file."""
    at = 0
    while size := tag_size(file.at(at, 10)):
        at += size
    return min(at, file.size)


def tags_behind(file: FilePart) -> int:
    """Return the offset of the tags after the sound: ID3v1, APE, Lyrics3."""
    end = file.size
    while True:
        if file.at(end - 128, 3) == b"TAG":
            end -= 128
        elif (foot := file.at(end - 32, 32)).startswith(b"APETAGEX") and len(foot) == 32:
            size, flags = struct.unpack_from("<I4xI", foot, 12)
            end -= min(end, size + (32 if flags >> 31 else 0))
        elif (foot := file.at(end - 15, 15)).endswith(b"LYRICS200") and foot[:6].isdigit():
            end -= min(end, int(foot[:6]) + 15)
        else:
            return max(0, end)
