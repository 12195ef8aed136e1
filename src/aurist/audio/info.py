"""Types for a sound file: its properties, its samples, and the error if it cannot be decoded."""

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

#: A recording that ends more seconds before its stated length has lost its end. Codecs pad, and durations are rounded.
_LOST = 0.2


class UnreadableAudioError(DataError):
    """A sound file cannot be decoded: the file, the problem, and the next step.

    Parameters
    ----------
    path
        The file.
    problem
        The problem, as a clause: "is empty (0 bytes)".
    advice
        The next step, as a sentence.
    """

    def __init__(self, path: Path, problem: str, advice: str) -> None:
        super().__init__(f"{path} {problem}. {advice}")
        self.path = path
        self.problem = problem
        self.advice = advice

    def __reduce__(self) -> tuple[type[UnreadableAudioError], tuple[Path, str, str]]:
        # exceptions are rebuilt from args, and these hold only the message: this lets the error cross processes
        return type(self), (self.path, self.problem, self.advice)


@dataclass(frozen=True)
class AudioInfo:
    """Properties of a sound file.

    Parameters
    ----------
    sample_rate
        In Hz.
    frames
        Samples per channel that can be decoded, even if the header is wrong. A file with damage inside may hold fewer
        (see `decode_full`).
    channels
        Count of channels.
    format, subtype
        The container and the coding in libsndfile's terms ("WAV", "PCM_16"), or ("FFMPEG", the codec).
    promised
        Samples per channel by the header, if the end is missing; 0: as ``frames``.
    note
        The fault of a whole file's header, as a clause; "" if there is none.
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
        """Return the length in seconds that can be decoded.

        Examples
        --------
        >>> AudioInfo(22050, 33075, 1, "WAV", "PCM_16").duration
        1.5
        """
        return self.frames / self.sample_rate

    @property
    def promised_duration(self) -> float:
        """Return the length in seconds that the header promises."""
        return max(self.frames, self.promised) / self.sample_rate


def describe_lost_end(length: float, promised: float) -> str:
    """Describe that a recording has lost its end, as a clause; "" if it has not.

    Parameters
    ----------
    length, promised
        Seconds of sound, and seconds by the header.

    Examples
    --------
    >>> describe_lost_end(3.0, 60.0), describe_lost_end(59.9, 60.0)
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
        Properties of the file before it was decoded.
    truncated
        True if the file ends before its header says: the rest of a download or a recording is missing.
    """

    samples: Samples
    sample_rate: int
    info: AudioInfo
    truncated: bool


def format_stretches(stretches: Iterable[tuple[float, float]], most: int = 5) -> str:
    """Format stretches of time in seconds, to a tenth of a second; stretches that touch are joined.

    Examples
    --------
    >>> format_stretches([(61.02, 62.81), (1.0, 1.5), (1.25, 2.0)])
    '1.0 to 2.0 s, 61.0 to 62.9 s'
    """
    joined: list[list[float]] = []
    for start, end in sorted((math.floor(10 * a) / 10, math.ceil(10 * b) / 10) for a, b in stretches):
        if joined and start <= joined[-1][1]:
            joined[-1][1] = max(joined[-1][1], end)
        else:
            joined.append([start, end])
    texts = [f"{start:.1f} to {end:.1f} s" for start, end in joined[:most]]
    return ", ".join(texts) + (f" and {len(joined) - most} more" if len(joined) > most else "")


class Source(Protocol):
    """An open sound file that can be decoded, by libsndfile or ffmpeg."""

    info: AudioInfo

    @property
    def truncated(self) -> bool:
        """True if the end is known to be missing; certain once the file was decoded to its end."""
        ...

    @property
    def gaps(self) -> list[tuple[int, int]]:
        """Damaged frames [first, last), given as silence, in the part that was decoded."""
        ...

    def blocks(self, first: int, last: int | None) -> Iterator[Samples]:
        """Yield frames [first, last) in blocks of (n, channels); fewer if the file ends before."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...
