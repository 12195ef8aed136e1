"""Read the windows of a long recording into memory, block by block."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aurist.audio import read_stretch
from aurist.errors import DataError
from aurist.events import Grid
from aurist.features.waves import WavesInMemory

#: Seconds of a block, and its maximum of samples at the highest rate: this much is in memory at a time, and this much
#: is repeated after a kill.
_SECONDS, _SAMPLES = 300.0, 1 << 22


@dataclass(frozen=True)
class WindowSettings:
    """Settings to cut a recording into windows.

    Parameters
    ----------
    grid
        The windows.
    rates
        The sample rates, in Hz.
    margin
        Seconds around a window to read too, if the recording has them.
    channel
        The channel, counted from 0; None: the mean of all.
    """

    grid: Grid
    rates: tuple[int, ...]
    margin: float = 0.0
    channel: int | None = None

    @property
    def block(self) -> int:
        """Count of windows per block."""
        seconds = min(_SECONDS, _SAMPLES / max(self.rates, default=1))
        return max(1, int(seconds / self.grid.hop))


@dataclass(frozen=True)
class Block:
    """A block of windows of a recording.

    Parameters
    ----------
    starts, ends
        (n,), in seconds.
    waves
        The windows at each rate.
    length
        Seconds of the whole recording if this is its last block, else None.
    silenced
        See `aurist.audio.Stretch`.
    """

    starts: npt.NDArray[np.float64]
    ends: npt.NDArray[np.float64]
    waves: Mapping[int, WavesInMemory]
    length: float | None
    silenced: tuple[tuple[float, float], ...] = ()

    def __len__(self) -> int:
        return len(self.starts)


def read_block(path: Path, number: int, settings: WindowSettings) -> Block:
    """Decode a block of a recording. Blocks are independent, so any of them can be repeated.

    Read blocks in order until one has a length: it is the last.

    Parameters
    ----------
    path
        The recording.
    number
        Number of the block, from 0.
    settings
        The settings.

    Raises
    ------
    DataError
        If the recording cannot be decoded, or holds no samples there.
    """
    grid = settings.grid
    first, last = number * settings.block, (number + 1) * settings.block
    # the last window of a recording is moved back, by less than a hop
    begin = max(0.0, grid.start(first - 1) - settings.margin) if first else 0.0
    stop = grid.start(last - 1) + grid.window + settings.margin
    stretch = read_stretch(path, settings.rates, begin, stop, channel=settings.channel)
    length = stretch.length
    if not all(len(sound) for sound in stretch.sound.values()):
        raise DataError(f"{path} holds no samples{f' from {begin:.0f} s on' if number else ''}.")
    starts, ends = grid.windows(stop if length is None else length, first, last)
    waves = {
        rate: WavesInMemory(
            rate, sound, _samples(starts, rate, begin, len(sound)), _samples(ends, rate, begin, len(sound))
        )
        for rate, sound in stretch.sound.items()
    }
    is_last = length is not None and grid.count(length) <= last
    return Block(starts, ends, waves, length if is_last else None, stretch.silenced)


def _samples(seconds: npt.NDArray[np.float64], rate: int, begin: float, most: int) -> npt.NDArray[np.int64]:
    """Return positions in samples in a stretch that begins at second ``begin``."""
    positions: npt.NDArray[np.int64] = np.rint(seconds * rate).astype(np.int64) - round(begin * rate)
    return np.minimum(positions, most)
