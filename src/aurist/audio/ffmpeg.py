"""Decode files that libsndfile cannot read (m4a, wma, the sound of a video) with the ffmpeg on the PATH."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from aurist.audio.ffmpeg_pipe import ADVICE, Decoding, Identity, Pipe, identity, packets_end, waiting
from aurist.audio.info import AudioInfo, Samples, UnreadableAudioError
from aurist.audio.layout import Layout

#: ffmpeg's warning that its length is only estimated.
_GUESSED = "Estimating duration from bitrate"
#: Tolerance in seconds between the last packet and the length in the header: for rounding, and for a note (codecs pad).
_ROUNDED, _PADDED = 0.1, 0.5


def available() -> bool:
    """Tell whether there is an ffmpeg on the PATH."""
    return shutil.which("ffmpeg") is not None


class FfmpegSource:
    """A file that ffmpeg decodes through a pipe: exact to the sample, with bounded memory.

    The next call of `blocks` continues at the end of the last one, as its ffmpeg waits.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._file = path, identity(path)
        self.gaps: list[tuple[int, int]] = []  # ffmpeg skips damage without a report
        self.info, self.truncated = _looked_at(self._file)

    def blocks(self, first: int, last: int | None) -> Iterator[Samples]:
        decoding = waiting.take(self._file, first) or Decoding(self._path)
        to_be_continued = False
        try:
            for begin, block in decoding.blocks(first):
                cut = block[max(0, first - begin) : None if last is None else max(0, last - begin)]
                if len(cut):
                    yield cut
                if last is not None and begin + len(block) >= last:
                    to_be_continued = True
                    return
            # durations are rounded and codecs pad: a tenth of a second is no loss
            missing = self.info.frames - decoding.position
            self.truncated = self.truncated or decoding.failed or missing > _ROUNDED * self.info.sample_rate
            if decoding.position == 0 and decoding.failed:
                raise UnreadableAudioError(self._path, f"cannot be decoded ({decoding.reason})", ADVICE)
            to_be_continued = True
        finally:
            if to_be_continued:
                waiting.put(self._file, decoding)
            else:
                decoding.close()

    def close(self) -> None:
        """Do nothing: only waiting decodings are open, and they end with this process."""


def forget_files() -> None:
    """Forget what ffmpeg said of all files."""
    _looked_at.cache_clear()


@lru_cache(maxsize=1 << 12)
def _looked_at(file: Identity) -> tuple[AudioInfo, bool]:
    """Return a file's info, and True if its end is missing; cached until the file changes."""
    path = file[0]
    # -t 0: only the WAV header is needed here
    with Pipe(path, "-t", "0") as pipe:
        rate, channels = pipe.sample_rate, pipe.channels
    log = pipe.log
    codec = re.search(r"Audio: (\w+)", log)
    is_guess = _GUESSED in log
    stated = 0.0 if is_guess else _duration(log)
    seconds = _length(path, stated)
    # the picture may last longer than the sound
    truncated = stated - seconds > _ROUNDED and " Video: " not in log
    is_right = is_guess or not seconds or abs(stated - seconds) <= _PADDED
    layout = Layout(promise=1.0 if is_right else stated / seconds, truncated=truncated)
    info = AudioInfo(
        rate,
        round(seconds * rate),
        channels,
        "FFMPEG",
        codec.group(1).upper() if codec else "UNKNOWN",
        round(stated * rate) if truncated else 0,
        layout.header_note(seconds),
    )
    return info, truncated


def _length(path: Path, stated: float) -> float:
    """Return seconds of sound: the stated length if a packet ends there, else the end of the last packet."""
    before = max(0.0, stated - 1)
    if stated and abs(before + packets_end(path, before) - stated) <= _ROUNDED:
        return stated
    return packets_end(path, 0.0)


def _duration(log: str) -> float:
    """Read the duration in seconds from ffmpeg's log; 0 if it gives none."""
    match = re.search(r"Duration: (\d+):(\d+):(\d+(?:\.\d+)?)", log)
    return sum(float(x) * f for x, f in zip(match.groups(), (3600, 60, 1), strict=True)) if match else 0.0
