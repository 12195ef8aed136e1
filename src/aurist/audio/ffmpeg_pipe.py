"""Run ffmpeg: read its samples through a pipe, and keep paused decodings for later calls."""

from __future__ import annotations

import atexit
import struct
import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np

from aurist.audio.info import Samples, UnreadableAudioError

ADVICE = "If it plays elsewhere, convert it to WAV or FLAC; otherwise leave it out."
#: Samples per read.
_BLOCK = 1 << 20
#: Seconds that are kept to be read again: stretches of a long recording overlap by a window and its margin.
_AGAIN = 30
#: Paused decodings at most.
_MOST = 8

#: A file's path, modification time and size: a file that is written again gets another identity.
Identity = tuple[Path, int, int]


def identity(path: Path) -> Identity:
    """Return the identity of a file as it is now."""
    now = path.stat()
    return path.absolute(), now.st_mtime_ns, now.st_size


class Pipe:
    """A running ffmpeg that writes the first sound stream of a file as 32-bit float WAV."""

    def __init__(self, path: Path, *options: str) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed in __exit__
        command = [*_command(path), *options, "-c:a", "pcm_f32le", "-f", "wav", "-bitexact", "pipe:1"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._errors
        )
        if self._process.stdout is None:  # impossible: stdout is a pipe
            raise OSError("ffmpeg has no output")
        self.stream: IO[bytes] = self._process.stdout
        self.failed = False
        self.log = ""
        try:
            self.sample_rate, self.channels = _wav_format(self.stream)
        except ValueError:
            self.__exit__()
            raise UnreadableAudioError(
                path, f"holds no sound that ffmpeg knows ({self.reason})", ADVICE
            ) from None

    def __enter__(self) -> Pipe:
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
        """Return the last line of ffmpeg's log."""
        lines = [line.strip() for line in self.log.splitlines() if line.strip()]
        return lines[-1] if lines else "ffmpeg gave no reason"


def _command(path: Path, *before: str) -> list[str]:
    # "file:" makes sure that a name such as "-x" or "concat:a" is read as a file
    source = f"file:{path.absolute()}"
    return ["ffmpeg", "-nostdin", "-hide_banner", *before, "-i", source, "-map", "0:a:0"]


def packets_end(path: Path, start: float) -> float:
    """Return seconds from a start to the end of the last packet, without decoding; 0 if there is none."""
    command = [*_command(path, "-ss", f"{start:.3f}"), "-c", "copy", "-f", "framecrc", "pipe:1"]
    end, unit = 0, 1.0
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        for line in process.stdout or ():
            # "#tb 0: 1/48000", then "0, dts, pts, duration, bytes, checksum"
            if line.startswith(b"#tb 0:"):
                numerator, _, denominator = line[6:].partition(b"/")
                unit = int(numerator) / int(denominator)
            elif not line.startswith(b"#"):
                _, _, pts, duration, *_ = line.split(b",")
                end = max(end, int(pts) + int(duration))
    return end * unit


def _wav_format(stream: IO[bytes]) -> tuple[int, int]:
    """Read sample rate and channels from the header of a WAV in a pipe, up to its samples."""
    if len(head := stream.read(12)) < 12 or head[:4] not in (b"RIFF", b"RF64"):
        raise ValueError("not a WAV")
    wav_format = None
    while len(head := stream.read(8)) == 8:
        name, size = head[:4], struct.unpack("<I", head[4:])[0]
        if name == b"data":
            break
        body = stream.read(size + size % 2)
        if name == b"fmt ":
            channels, sample_rate = struct.unpack_from("<2xHI", body)
            wav_format = sample_rate, channels
    if wav_format is None or not all(wav_format):
        raise ValueError("no format chunk")
    return wav_format


class Decoding:
    """The samples of a file in order; the last seconds can be read again.

    Attributes
    ----------
    position
        Count of samples that were read.
    failed, reason
        True if ffmpeg ended with an error, known at the end of the file, and the last line of its log.
    """

    def __init__(self, path: Path) -> None:
        self._pipe = Pipe(path)
        self._recent: deque[tuple[int, Samples]] = deque()
        self._ended = False
        self.position = 0

    @property
    def failed(self) -> bool:
        return self._pipe.failed

    @property
    def reason(self) -> str:
        return self._pipe.reason

    def reaches(self, first: int) -> bool:
        """Tell whether this sample is still to come, or can be read again."""
        return first >= (self._recent[0][0] if self._recent else self.position)

    def blocks(self, first: int) -> Iterator[tuple[int, Samples]]:
        """Yield the position and samples, (n, channels), of blocks from sample ``first`` or earlier on."""
        for begin, block in list(self._recent):
            if begin + len(block) > first:
                yield begin, block
        while not self._ended:
            if len(block := self._next()):
                yield self.position - len(block), block

    def _next(self) -> Samples:
        channels = self._pipe.channels
        raw = self._pipe.stream.read(_BLOCK * 4 * channels)
        block: Samples = np.frombuffer(raw, dtype="<f4", count=len(raw) // (4 * channels) * channels)
        block = block.reshape(-1, channels).astype(np.float32, copy=False)
        if not len(block):
            self.close()
            return block
        self._recent.append((self.position, block))
        self.position += len(block)
        while len(self._recent) > 1 and self.position - self._recent[1][0] >= _AGAIN * self._pipe.sample_rate:
            self._recent.popleft()
        return block

    def close(self) -> None:
        """Stop ffmpeg if it has not ended."""
        if not self._ended:
            self._ended = True
            self._pipe.__exit__()


class _Waiting:
    """Paused decodings; each can be taken once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._decodings: list[tuple[Identity, Decoding]] = []

    def take(self, file: Identity, first: int) -> Decoding | None:
        """Take the decoding that is furthest but can still give this sample; None if there is none."""
        with self._lock:
            usable = [pair for pair in self._decodings if pair[0] == file and pair[1].reaches(first)]
            if not usable:
                return None
            best = max(usable, key=lambda pair: pair[1].position)
            self._decodings.remove(best)
            return best[1]

    def put(self, file: Identity, decoding: Decoding) -> None:
        """Add a paused decoding; if there are too many, the oldest ends."""
        with self._lock:
            self._decodings.append((file, decoding))
            if len(self._decodings) > _MOST:
                self._decodings.pop(0)[1].close()

    def clear(self) -> None:
        """End all paused decodings."""
        with self._lock:
            while self._decodings:
                self._decodings.pop()[1].close()


waiting = _Waiting()
atexit.register(waiting.clear)
