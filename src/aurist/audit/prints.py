"""Fingerprints of many sounds: in memory while they are few, beyond that in a temporary file.

An hour of sound has 7 MB of fingerprints. They are read back in blocks, so that memory does not grow with the sounds.
"""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO, FileIO
from pathlib import Path
from types import TracebackType
from typing import overload

import numpy as np
import numpy.typing as npt

from aurist.audit.fingerprint import Bits, Fingerprint
from aurist.files import full_disk_error

I64 = npt.NDArray[np.int64]
Rows = npt.NDArray[np.integer]

#: Bytes of a temporary file that stay in memory.
IN_MEMORY = 8 << 20


class SpillFile:
    """Numbers that are written once and read back in parts: a temporary file, in memory while it is small.

    Parameters
    ----------
    folder
        Where it is made, if it can be; else, and with None, in the system's folder of temporary files.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder if folder is not None and folder.is_dir() else None
        self._file: BytesIO | FileIO = BytesIO()
        self._size = 0

    def append(self, numbers: npt.NDArray[np.int64] | Bits) -> int:
        """Append numbers of 8 bytes; return the position of the first."""
        position = self._size
        data = np.ascontiguousarray(numbers).reshape(-1).view(np.uint8).data
        with full_disk_error(self.folder or Path(tempfile.gettempdir())):
            if isinstance(self._file, BytesIO) and 8 * position + len(data) > IN_MEMORY:
                in_memory = self._file
                # without a buffer: single fingerprints are read faster
                self._file = tempfile.TemporaryFile(dir=self.folder, buffering=0)  # noqa: SIM115
                self._write(0, in_memory.getbuffer())
            self._write(8 * position, data)
        self._size += len(data) // 8
        return position

    def _write(self, position: int, data: memoryview) -> None:
        self._file.seek(position)
        while data:
            data = data[self._file.write(data) :]

    def read(self, spans: Iterable[tuple[int, int]], out: npt.NDArray[np.int64] | Bits) -> None:
        """Fill an array, contiguous, with the numbers of spans, each from a position up to another one."""
        data, filled = out.reshape(-1).view(np.uint8).data, 0
        for begin, end in spans:
            self._file.seek(8 * begin)
            full = filled + 8 * (end - begin)
            while filled < full:
                n = self._file.readinto(data[filled:full])
                if not n:
                    raise EOFError(
                        f"the temporary file ends at byte {self._file.tell():,} of {8 * self._size:,}"
                    )
                filled += n

    def close(self) -> None:
        """Remove the file."""
        self._file.close()


@dataclass(frozen=True)
class Prints(Sequence[Fingerprint]):
    """Fingerprints in a file, read one by one as a sequence, or several at once.

    Parameters
    ----------
    file
        Holds code and reliable bits of each frame, side by side.
    first, n_frames : (n_sounds,), int64
        The first frame of each sound in the file, and its count of frames.
    hop : (n_sounds,)
        Seconds from one frame to the next.
    """

    file: SpillFile
    first: I64
    n_frames: I64
    hop: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.first)

    @overload
    def __getitem__(self, item: int) -> Fingerprint: ...
    @overload
    def __getitem__(self, item: slice) -> Prints: ...
    def __getitem__(self, item: int | slice) -> Fingerprint | Prints:
        if isinstance(item, slice):
            return self.take(np.arange(len(self))[item])
        return Fingerprint(*self.frames(np.array([item])), float(self.hop[item]))

    def take(self, items: Rows) -> Prints:
        """Return some of the fingerprints, in the same file."""
        return replace(self, first=self.first[items], n_frames=self.n_frames[items], hop=self.hop[items])

    def frames(self, items: Rows) -> tuple[Bits, Bits]:
        """Return the codes and the reliable bits of several sounds, one after the other, (n_frames,) each."""
        first, count = self.first[items], self.n_frames[items]
        pairs = np.empty((int(count.sum()), 2), dtype=np.uint64)
        # sounds that follow each other in the file are read together
        apart = first[1:] != (first + count)[:-1]
        begins, ends = (
            first[np.insert(apart, 0, True)[: len(first)]],
            (first + count)[np.append(apart, True)[: len(first)]],
        )
        self.file.read(zip((2 * begins).tolist(), (2 * ends).tolist(), strict=True), pairs)
        return np.ascontiguousarray(pairs[:, 0]), np.ascontiguousarray(pairs[:, 1])


class PrintWriter:
    """Writes fingerprints one after the other. As a context manager it removes the file at the end.

    Parameters
    ----------
    folder
        Of the temporary file; see `SpillFile`.

    Examples
    --------
    >>> with PrintWriter() as writer:
    ...     numbers = [writer.append(Fingerprint(np.full(n, n, np.uint64), np.zeros(n, np.uint64))) for n in (2, 3)]
    ...     numbers, writer.prints()[1].code.tolist()
    ([0, 1], [3, 3, 3])
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._file = SpillFile(folder)
        self._first, self._count, self._hop = array("q"), array("q"), array("d")

    def __enter__(self) -> PrintWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def append(self, fingerprint: Fingerprint) -> int:
        """Append a fingerprint; return its number."""
        frames = np.stack([fingerprint.code, fingerprint.reliable], axis=1)
        self._first.append(self._file.append(frames) // 2)
        self._count.append(len(fingerprint))
        self._hop.append(fingerprint.hop)
        return len(self._first) - 1

    def prints(self) -> Prints:
        """Return all fingerprints that are written."""
        first, count = (np.array(numbers, dtype=np.int64) for numbers in (self._first, self._count))
        return Prints(self._file, first, count, np.array(self._hop, dtype=np.float64))


@contextmanager
def stored_prints(prints: Sequence[Fingerprint]) -> Iterator[Prints]:
    """Give fingerprints as they are compared: those in a file as they are, others copied into one."""
    if isinstance(prints, Prints):
        yield prints
        return
    with PrintWriter() as writer:
        for one in prints:
            writer.append(one)
        yield writer.prints()
