"""Where the sound of a file lies, and how much of it there is, where its header is not to be believed."""

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

#: Bytes of our own, or those of the file from an offset on: so many.
Piece = bytes | tuple[int, int]

# programs that write to a pipe leave the largest size that they know in the header: that promises nothing
_LARGEST = (range(0x7FFF0000, 0x80010000), range(0xFFFF0000, 1 << 32), range(1 << 62, 1 << 64))
#: A header that promises so much, and so many times what is there, was written before the recording.
_PLACEHOLDER, _TIMES = 1 << 28, 100


@dataclass(frozen=True)
class Layout:
    """How to open a file so that all of its sound is heard.

    Parameters
    ----------
    pieces
        The file as it should be; empty: as it is.
    raw
        Where they are samples without a header, pieces that have one and tell of what kind these are.
    format
        The container, where ``pieces`` have another one.
    frames
        Samples per channel; None: as libsndfile counts them.
    promise
        The length that the header gives, as a share of what is there; 0: it gives none.
    truncated
        Whether the end is missing.
    note
        What else people should know, as a clause.
    links
        Of a chain of streams, the layout of each; then the rest says nothing of pieces.
    """

    pieces: tuple[Piece, ...] = ()
    raw: tuple[Piece, ...] = ()
    format: str | None = None
    frames: int | None = None
    promise: float = 1.0
    truncated: bool = False
    note: str = ""
    links: tuple[Layout, ...] = ()

    def told(self, seconds: float) -> str:
        """What is wrong with the header of a file that lasts so long, as clauses; "": nothing."""
        words = []
        if not self.truncated and self.promise != 1:
            said = f"says {self.promise * seconds:,.1f} s" if self.promise else "gives no length"
            words.append(f"its header {said}; {seconds:,.1f} s of sound were found")
        return "; ".join([*words, *([self.note] if self.note else [])])


def says_nothing(stated: int) -> bool:
    """Tell whether a size is one that programs write who do not know it."""
    return any(stated in sizes for sizes in _LARGEST)


def promise_of(stated: int, room: int) -> tuple[float, bool]:
    """What a header says as a share of what is there, and whether the end is missing then.

    A size far beyond what is there was written before the recording by a recorder that never came to correct it.

    Examples
    --------
    >>> promise_of(2000, 1000), promise_of(2_000_000_000, 1000)
    ((2.0, True), (2000000.0, False))
    """
    if not room:
        return 1.0, True
    return stated / room, room < stated < max(_PLACEHOLDER, _TIMES * room)


class FilePart:
    """Some bytes of an open file, by their offset in it: what the readers of headers look at.

    Parameters
    ----------
    file
        Open for reading.
    begin, size
        Where the part lies.
    """

    def __init__(self, file: BinaryIO, begin: int, size: int) -> None:
        self._file, self.begin, self.size = file, begin, size

    def mapped(self) -> mmap:
        """The whole file, by index."""
        return mmap(self._file.fileno(), 0, access=ACCESS_READ)

    def at(self, offset: int, count: int) -> bytes:
        """So many bytes from an offset on, fewer at the end."""
        if offset < 0 or offset >= self.size:
            return b""
        self._file.seek(self.begin + offset)
        return self._file.read(min(count, self.size - offset))

    def within(self, offset: int, size: int | None = None) -> FilePart:
        """A part of the part; None: up to its end."""
        room = max(0, self.size - offset)
        return FilePart(self._file, self.begin + offset, room if size is None else min(size, room))


class Pieces(io.RawIOBase):
    """Pieces as one file, for libsndfile to read."""

    def __init__(self, path: Path, pieces: Sequence[Piece]) -> None:
        self._file = io.BufferedReader(io.FileIO(path), 1 << 16)
        self._pieces = list(pieces)
        self._starts = [0]
        for piece in pieces:
            self._starts.append(self._starts[-1] + (len(piece) if isinstance(piece, bytes) else piece[1]))
        self._at = 0
        #: From where to where the range goes that was read from last, and what to add for its place in the file.
        self._range = (0, 0, 0)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._starts[-1]}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, into: WriteableBuffer) -> int:
        # libmpg123 reads a few bytes at a time, thousands of times a span: mostly from one range
        start, stop, offset = self._range
        if start <= self._at and self._at + memoryview(into).nbytes <= stop:
            self._file.seek(offset + self._at)
            got = self._file.readinto(into)
            self._at += got
            return got
        view = memoryview(into).cast("B")
        done = 0
        while done < len(view) and self._at < self._starts[-1]:
            number = bisect_right(self._starts, self._at) - 1
            inside, left = self._at - self._starts[number], self._starts[number + 1] - self._at
            wanted = min(len(view) - done, left)
            piece = self._pieces[number]
            if isinstance(piece, bytes):
                view[done : done + wanted] = piece[inside : inside + wanted]
                got = wanted
            else:
                first = self._starts[number]
                self._range = (first, first + piece[1], piece[0] - first)
                self._file.seek(piece[0] + inside)
                got = self._file.readinto(view[done : done + wanted]) or 0
            if not got:
                break
            done += got
            self._at += got
        return done

    def close(self) -> None:
        self._file.close()
        super().close()


def tag_size(head: bytes) -> int:
    """Bytes of an ID3 or APE tag that begins like this (10 bytes are enough); 0: it is none.

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


def tags_before(part: FilePart) -> int:
    """Bytes of the tags that a file begins with."""
    at = 0
    while size := tag_size(part.at(at, 10)):
        at += size
    return min(at, part.size)


def tags_behind(part: FilePart) -> int:
    """Where the tags begin that follow the sound: ID3v1, APE, Lyrics3."""
    end = part.size
    while True:
        if part.at(end - 128, 3) == b"TAG":
            end -= 128
        elif (foot := part.at(end - 32, 32)).startswith(b"APETAGEX") and len(foot) == 32:
            size, flags = struct.unpack_from("<I4xI", foot, 12)
            end -= min(end, size + (32 if flags >> 31 else 0))
        elif (foot := part.at(end - 15, 15)).endswith(b"LYRICS200") and foot[:6].isdigit():
            end -= min(end, int(foot[:6]) + 15)
        else:
            return max(0, end)
