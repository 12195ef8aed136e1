"""What is known of a sound file, and the error for those that cannot be decoded."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from aurist.errors import DataError

Samples = npt.NDArray[np.float32]

#: A recording that ends so many seconds before its header says has lost its end: codecs pad, and durations are rounded.
_LOST = 0.2


class UnreadableAudioError(DataError):
    """A sound file cannot be decoded: which, what was found in it, and what to do.

    Parameters
    ----------
    path
        The file.
    found
        What is wrong with it, as a clause: "is empty (0 bytes)".
    advice
        The next step, as a sentence.
    """

    def __init__(self, path: Path, found: str, advice: str) -> None:
        super().__init__(f"{path} {found}. {advice}")
        self.path = path
        self.found = found
        self.advice = advice

    def __reduce__(self) -> tuple[type[UnreadableAudioError], tuple[Path, str, str]]:
        # exceptions are rebuilt from args, which hold the one message: without this none crosses processes
        return type(self), (self.path, self.found, self.advice)


@dataclass(frozen=True)
class AudioInfo:
    """What a sound file holds.

    Parameters
    ----------
    sample_rate
        In Hz.
    frames
        Samples per channel that can be decoded, whatever the header says; a file that is damaged within may hold fewer
        (see `decode_full`).
    channels
        How many.
    format, subtype
        The container and the coding in libsndfile's terms ("WAV", "PCM_16"), or ("FFMPEG", the codec).
    promised
        Samples per channel before its end was lost, as the header has it; 0: as ``frames``.
    note
        What is wrong with the header of a file that is whole, as a clause; "": nothing.
    """

    sample_rate: int
    frames: int
    channels: int
    format: str
    subtype: str
    promised: int = 0
    note: str = ""

    @property
    def duration(self) -> float:
        """Length in seconds of what can be decoded.

        Examples
        --------
        >>> AudioInfo(22050, 33075, 1, "WAV", "PCM_16").duration
        1.5
        """
        return self.frames / self.sample_rate

    @property
    def promised_duration(self) -> float:
        """Seconds before its end was lost, as the header has it."""
        return max(self.frames, self.promised) / self.sample_rate


def lost_end(length: float, promised: float) -> str:
    """Say that a recording has lost its end, as a clause; "" where it has not.

    Parameters
    ----------
    length, promised
        Seconds that there are, and that its header says.

    Examples
    --------
    >>> lost_end(3.0, 60.0), lost_end(59.9, 60.0)
    ('ends after 3.0 s, though its header says 60.0 s: its end is missing', '')
    """
    if promised - length <= _LOST:
        return ""
    return f"ends after {length:.1f} s, though its header says {promised:.1f} s: its end is missing"


@dataclass(frozen=True)
class Decoded:
    """A whole file, decoded.

    Parameters
    ----------
    samples
        (n_samples,), float32 in [-1, 1], downmixed.
    sample_rate
        Of ``samples``, in Hz.
    info
        What was known before.
    truncated
        Whether the file ends before its header says: the rest of a download or of a recording is missing.
    """

    samples: Samples
    sample_rate: int
    info: AudioInfo
    truncated: bool


def in_words(stretches: Iterable[tuple[float, float]], shown: int = 5) -> str:
    """Stretches of time in seconds as words, to the tenth; those that meet are one.

    Examples
    --------
    >>> in_words([(61.02, 62.81), (1.0, 1.5), (1.25, 2.0)])
    '1.0 to 2.0 s, 61.0 to 62.9 s'
    """
    joined: list[list[float]] = []
    for start, end in sorted((math.floor(10 * a) / 10, math.ceil(10 * b) / 10) for a, b in stretches):
        if joined and start <= joined[-1][1]:
            joined[-1][1] = max(joined[-1][1], end)
        else:
            joined.append([start, end])
    said = [f"{start:.1f} to {end:.1f} s" for start, end in joined[:shown]]
    return ", ".join(said) + (f" and {len(joined) - shown} more" if len(joined) > shown else "")


class Source(Protocol):
    """A file opened for decoding: libsndfile's or ffmpeg's."""

    info: AudioInfo
    #: The file is known to be cut short (known for sure once it is decoded to its end).
    truncated: bool
    #: Frames [first, last) that are damaged, and given as silence, as far as the file has been decoded.
    gaps: list[tuple[int, int]]

    def blocks(self, first: int, last: int | None) -> Iterator[Samples]:
        """The frames [first, last) in blocks of (n, channels); fewer where the file ends before."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...
