"""Files that libsndfile does not know (m4a, wma, the sound of a video), by way of an ffmpeg on the PATH."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from aurist.audio.info import AudioInfo, Samples, UnreadableAudioError
from aurist.audio.pipes import ADVICE, Decoding, Pipe, identity, waiting


def available() -> bool:
    """Whether there is an ffmpeg on the PATH."""
    return shutil.which("ffmpeg") is not None


class FfmpegSource:
    """A file that ffmpeg decodes into a pipe, from its beginning: exact, and bounded in memory.

    Where one call of `blocks` has ended the next goes on, as the ffmpeg of the first waits for it.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._file = path, identity(path)
        self.truncated = False
        self.gaps: list[tuple[int, int]] = []  # ffmpeg steps over damage in its own ways
        # -t 0: the header of the WAV that would come is all that is wanted here
        with Pipe(path, "-t", "0") as pipe:
            sample_rate, channels = pipe.sample_rate, pipe.channels
        log = pipe.log
        self._duration = _duration(log)
        codec = re.search(r"Audio: (\w+)", log)
        self.info = AudioInfo(
            sample_rate,
            round(self._duration * sample_rate),
            channels,
            "FFMPEG",
            codec.group(1).upper() if codec else "UNKNOWN",
        )

    def blocks(self, first: int, last: int | None) -> Iterator[Samples]:
        decoding = waiting.take(self._file, first) or Decoding(self._path)
        to_be_continued = False
        try:
            for begin, block in decoding.blocks(first):
                kept = block[max(0, first - begin) : None if last is None else max(0, last - begin)]
                if len(kept):
                    yield kept
                if last is not None and begin + len(block) >= last:
                    to_be_continued = True
                    return
            # durations are rounded and codecs pad: a tenth of a second is no loss
            missing = self.info.frames - decoding.position
            self.truncated = decoding.failed or missing > 0.1 * self.info.sample_rate
            if decoding.position == 0 and decoding.failed:
                raise UnreadableAudioError(self._path, f"cannot be decoded ({decoding.reason})", ADVICE)
            to_be_continued = True
        finally:
            if to_be_continued:
                waiting.put(self._file, decoding)
            else:
                decoding.close()

    def close(self) -> None:
        """Nothing is open between calls but what waits, and ends with this process."""


def _duration(log: str) -> float:
    found = re.search(r"Duration: (\d+):(\d+):(\d+(?:\.\d+)?)", log)
    return sum(float(x) * f for x, f in zip(found.groups(), (3600, 60, 1), strict=True)) if found else 0.0
