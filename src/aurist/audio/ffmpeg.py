"""Files that libsndfile does not know (m4a, wma, the sound of a video), by way of an ffmpeg on the PATH."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from aurist.audio.info import AudioInfo, Samples, UnreadableAudioError
from aurist.audio.layout import Layout
from aurist.audio.pipes import ADVICE, Decoding, Identity, Pipe, identity, packets_end, waiting

#: What ffmpeg says where it does not know a length, and gives one none the less.
_GUESSED = "Estimating duration from bitrate"
#: Seconds that the last packet may end apart from the length in the header, as durations are rounded; or without that
#: being worth a word, as codecs pad.
_ROUNDED, _PADDED = 0.1, 0.5


def available() -> bool:
    """Whether there is an ffmpeg on the PATH."""
    return shutil.which("ffmpeg") is not None


class FfmpegSource:
    """A file that ffmpeg decodes into a pipe, from its beginning: exact, and bounded in memory.

    Where one call of `blocks` has ended the next goes on, as the ffmpeg of the first waits for it.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._file = path, identity(path)
        self.gaps: list[tuple[int, int]] = []  # ffmpeg steps over damage in its own ways
        self.info, self.truncated = _looked_at(self._file)

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
        """Nothing is open between calls but what waits, and ends with this process."""


@lru_cache(maxsize=1 << 12)
def _looked_at(file: Identity) -> tuple[AudioInfo, bool]:
    """What a file holds, and whether its end is missing; looked at once for each file as it is."""
    path = file[0]
    # -t 0: the header of the WAV that would come is all that is wanted here
    with Pipe(path, "-t", "0") as pipe:
        rate, channels = pipe.sample_rate, pipe.channels
    log = pipe.log
    codec = re.search(r"Audio: (\w+)", log)
    is_guess = _GUESSED in log
    stated = 0.0 if is_guess else _duration(log)
    seconds = _length(path, stated)
    # a picture may go on for longer than the sound
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
        layout.told(seconds),
    )
    return info, truncated


def _length(path: Path, stated: float) -> float:
    """Seconds of sound: those stated where a packet ends then, else those of all packets that are there."""
    before = max(0.0, stated - 1)
    if stated and abs(before + packets_end(path, before) - stated) <= _ROUNDED:
        return stated
    return packets_end(path, 0.0)


def _duration(log: str) -> float:
    """Seconds; 0 where there is no saying."""
    found = re.search(r"Duration: (\d+):(\d+):(\d+(?:\.\d+)?)", log)
    return sum(float(x) * f for x, f in zip(found.groups(), (3600, 60, 1), strict=True)) if found else 0.0
