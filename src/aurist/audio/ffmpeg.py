"""Files that libsndfile does not know (m4a, wma, the sound of a video), by way of an ffmpeg on the PATH."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np

from aurist.audio.info import AudioInfo, Samples, UnreadableAudioError

_BLOCK = 1 << 20


def available() -> bool:
    """Whether there is an ffmpeg on the PATH."""
    return shutil.which("ffmpeg") is not None


class FfmpegSource:
    """A file that ffmpeg decodes into a pipe, from its beginning: exact, and bounded in memory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.truncated = False
        # -t 0: the header of the WAV that would come is all that is wanted here
        with _Pipe(path, "-t", "0") as pipe:
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
        position = 0
        width = 4 * self.info.channels
        with _Pipe(self._path) as pipe:
            while last is None or position < last:
                raw = pipe.stream.read(_BLOCK * width)
                block = np.frombuffer(raw, dtype="<f4", count=len(raw) // width * self.info.channels)
                block = block.reshape(-1, self.info.channels).astype(np.float32, copy=False)
                if not len(block):
                    break
                kept = block[max(0, first - position) : None if last is None else last - position]
                position += len(block)
                if len(kept):
                    yield kept
            else:
                return
        # durations are rounded and codecs pad: a tenth of a second is no loss
        missing = self.info.frames - position
        self.truncated = pipe.failed or missing > 0.1 * self.info.sample_rate
        if position == 0 and pipe.failed:
            raise UnreadableAudioError(self._path, f"cannot be decoded ({pipe.reason})", _ADVICE)

    def close(self) -> None:
        """Nothing is open between calls."""


_ADVICE = "If it plays elsewhere, convert it to WAV or FLAC; otherwise leave it out."


class _Pipe:
    """A running ffmpeg that writes the first sound stream of a file as 32-bit float WAV."""

    def __init__(self, path: Path, *options: str) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed in __exit__
        # "file:" keeps a name such as "-x" or "concat:a" from being anything but a file
        source = f"file:{path.absolute()}"
        command = ["ffmpeg", "-nostdin", "-hide_banner", "-i", source, "-map", "0:a:0", *options]
        command += ["-c:a", "pcm_f32le", "-f", "wav", "-bitexact", "pipe:1"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._errors
        )
        if self._process.stdout is None:  # cannot be: stdout is a pipe
            raise OSError("ffmpeg has no output")
        self.stream: IO[bytes] = self._process.stdout
        self.failed = False
        self.log = ""
        try:
            self.sample_rate, self.channels = _wav_format(self.stream)
        except ValueError:
            self.__exit__()
            raise UnreadableAudioError(
                path, f"holds no sound that ffmpeg knows ({self.reason})", _ADVICE
            ) from None

    def __enter__(self) -> _Pipe:
        return self

    def __exit__(self, *_: object) -> None:
        ended = not self.stream.read(1) if self._process.poll() is None else True
        if not ended:
            self._process.kill()
        self.stream.close()
        self.failed = self._process.wait() != 0 and ended
        self._errors.seek(0)
        self.log = self._errors.read().decode("utf-8", "replace")
        self._errors.close()

    @property
    def reason(self) -> str:
        """The last thing that ffmpeg said."""
        lines = [line.strip() for line in self.log.splitlines() if line.strip()]
        return lines[-1] if lines else "ffmpeg gave no reason"


def _wav_format(stream: IO[bytes]) -> tuple[int, int]:
    """Sample rate and channels from the header of a WAV that comes through a pipe, up to its samples."""
    if len(head := stream.read(12)) < 12 or head[:4] not in (b"RIFF", b"RF64"):
        raise ValueError("not a WAV")
    found = None
    while len(head := stream.read(8)) == 8:
        name, size = head[:4], struct.unpack("<I", head[4:])[0]
        if name == b"data":
            break
        body = stream.read(size + size % 2)
        if name == b"fmt ":
            channels, sample_rate = struct.unpack_from("<2xHI", body)
            found = sample_rate, channels
    if found is None or not all(found):
        raise ValueError("no format chunk")
    return found


def _duration(log: str) -> float:
    found = re.search(r"Duration: (\d+):(\d+):(\d+(?:\.\d+)?)", log)
    return sum(float(x) * f for x, f in zip(found.groups(), (3600, 60, 1), strict=True)) if found else 0.0
