"""A recording inside an archive: an open sound file, and the temporary folder that it lies in."""

from __future__ import annotations

from collections.abc import Iterator
from tempfile import TemporaryDirectory

from aurist.audio.info import AudioInfo, Samples, Source


class MemberSource:
    """An open sound file that is removed when it is closed.

    Parameters
    ----------
    source
        The open file.
    folder
        Its folder.
    """

    def __init__(self, source: Source, folder: TemporaryDirectory[str]) -> None:
        self._source, self._folder = source, folder
        self.info: AudioInfo = source.info

    @property
    def truncated(self) -> bool:
        """True if the end is known to be missing."""
        return self._source.truncated

    @property
    def gaps(self) -> list[tuple[int, int]]:
        """Damaged frames."""
        return self._source.gaps

    def blocks(self, first: int, last: int | None) -> Iterator[Samples]:
        """Yield frames [first, last) in blocks of (n, channels)."""
        return self._source.blocks(first, last)

    def close(self) -> None:
        """Close the file, and remove it."""
        self._source.close()
        self._folder.cleanup()
