"""Sound that comes as time passes: a microphone, a network stream, or standard input, decoded by ffmpeg."""

from __future__ import annotations

import itertools
import math
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aurist.audio.info import Samples
from aurist.errors import ConfigError, DataError
from aurist.progress import logger

MICROPHONE, STDIN = "mic", "-"
#: Seconds of sound of a piece, and the most seconds that come at once when a stream is opened.
_PIECE, _MOST_AT_ONCE = 0.25, 10.0
#: Seconds without sound after which a network stream counts as broken.
_SILENT = 15
#: Seconds between two attempts to take up a stream again: doubled each time, up to the second number.
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 60.0


@dataclass(frozen=True)
class Source:
    """A source of sound.

    Parameters
    ----------
    name
        "mic", "mic:NAME" for another device, "-" for standard input, a URL (rtsp, http ...), or a file.
    raw_rate
        Of raw samples of 16 bits and one channel on standard input, in Hz; None: a sound file or a stream of one.

    Raises
    ------
    ConfigError
        If there is no ffmpeg, or no such file.

    Examples
    --------
    >>> Source("-", raw_rate=48000).arguments()
    ['-f', 's16le', '-ar', '48000', '-ac', '1', '-i', 'pipe:0']
    """

    name: str
    raw_rate: int | None = None

    def __post_init__(self) -> None:
        if shutil.which("ffmpeg") is None:
            raise ConfigError("Streams are decoded by ffmpeg, which is not on the PATH. Install it.")
        if self.raw_rate is not None and self.name != STDIN:
            raise ConfigError("raw_rate= is for standard input alone (source -).")
        if not (self.is_live or self.name == STDIN or Path(self.name).is_file()):
            raise ConfigError(
                f"There is no source {self.name}. Give mic, a URL such as rtsp://camera/sound, - for "
                "standard input, or a file."
            )

    @property
    def is_live(self) -> bool:
        """True if it has no end, and is taken up again when it breaks off."""
        return self.name.partition(":")[0] == MICROPHONE or "://" in self.name

    def arguments(self) -> list[str]:
        """Give the arguments of ffmpeg that open it."""
        kind, _, device = self.name.partition(":")
        if kind == MICROPHONE:
            systems = {"darwin": ("avfoundation", f":{device or '0'}"), "win32": ("dshow", f"audio={device}")}
            form, opened = systems.get(sys.platform, ("alsa", device or "default"))
            return ["-f", form, "-i", opened]
        if self.name == STDIN:
            raw = ["-f", "s16le", "-ar", str(self.raw_rate), "-ac", "1"] if self.raw_rate else []
            return [*raw, "-i", "pipe:0"]
        if kind in ("rtsp", "rtsps"):
            return ["-rtsp_transport", "tcp", "-timeout", f"{_SILENT}000000", "-i", self.name]
        if kind in ("http", "https"):
            # a playlist of a stranger must not name files of this machine
            allowed = ["-protocol_whitelist", "http,https,tcp,tls,crypto,httpproxy"]
            return [*allowed, "-rw_timeout", f"{_SILENT}000000", "-i", self.name]
        if "://" in self.name:
            return ["-rw_timeout", f"{_SILENT}000000", "-i", self.name]
        return ["-i", self.name]


@dataclass(frozen=True)
class Gap:
    """A time without sound, in seconds, because the source was being opened, or had broken off."""

    seconds: float


def sound_of(
    source: Source, sample_rate: int, stopped: threading.Event | None = None
) -> Iterator[Samples | Gap]:
    """Yield the sound of a source, mixed to one channel, piece by piece; a live source is taken up again without end.

    The sound of a live source begins with a gap: the time until it sounds.

    Parameters
    ----------
    source
        The source.
    sample_rate
        In Hz.
    stopped
        Set to end the sound of a live source; None: it has no end.

    Raises
    ------
    DataError
        If a source that is not live cannot be decoded, or gives no sound at all.
    """
    wait, lost, is_new = _FIRST_WAIT, time.monotonic(), True
    stopped = stopped or threading.Event()
    while not stopped.is_set():
        began = time.monotonic()
        pieces = _decoded(source, sample_rate)
        first, since = _at_once(pieces, sample_rate) if source.is_live else ([], 0.0)
        if first:
            yield Gap(max(0.0, since - lost))
            if not is_new:
                logger.warning(f"{source.name} is back after {since - lost:.0f} s.")
            is_new = False
        count = len(first)
        for piece in itertools.chain(first, pieces):
            count += 1
            yield piece
        if not source.is_live:
            if not count:
                raise DataError(
                    f"{'Standard input' if source.name == STDIN else source.name} gives no sound."
                )
            return
        wait = _FIRST_WAIT if time.monotonic() - began > _LONGEST_WAIT else min(2 * wait, _LONGEST_WAIT)
        lost = time.monotonic() if count else lost
        logger.warning(f"{source.name} broke off, or cannot be opened. Trying again in {wait:.0f} s.")
        stopped.wait(wait)


def _at_once(pieces: Iterator[Samples], sample_rate: int) -> tuple[list[Samples], float]:
    """Take the first pieces, until one has to be waited for: they sounded while ffmpeg looked at the format.

    Returns
    -------
    first
        The pieces.
    since
        The time of this process at which the first one began, by the least late of them.
    """
    first: list[Samples] = []
    seconds, since, asked = 0.0, math.inf, time.monotonic()
    for piece in pieces:
        now = time.monotonic()
        first.append(piece)
        seconds += len(piece) / sample_rate
        since = min(since, now - seconds)
        if (len(first) > 1 and now - asked > _PIECE / 2) or seconds > _MOST_AT_ONCE:
            break
        asked = now
    return first, since


def _decoded(source: Source, sample_rate: int) -> Iterator[Samples]:
    """Yield what one ffmpeg decodes."""
    size = 4 * round(_PIECE * sample_rate)
    command = [
        "ffmpeg",
        "-hide_banner",
        "-loglevel",
        "error",
        *(() if source.name == STDIN else ("-nostdin",)),
    ]
    command += [*source.arguments(), "-vn", "-ac", "1", "-ar", str(sample_rate), "-f", "f32le", "pipe:1"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=size
    ) as process:
        assert process.stdout is not None
        try:
            while raw := process.stdout.read(size):
                yield np.nan_to_num(np.frombuffer(raw[: len(raw) // 4 * 4], "<f4").astype(np.float32))
        finally:
            process.kill()
