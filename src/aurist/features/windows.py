"""The windows of a long recording, block by block, in memory."""

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

#: Seconds of a block, and the samples that it may hold at the highest rate: so much is in memory at a time, and so
#: much is done anew after a kill.
_SECONDS, _SAMPLES = 300.0, 1 << 24


@dataclass(frozen=True)
class WindowSettings:
    """How a recording is heard.

    Parameters
    ----------
    grid
        Its windows.
    rates
        The sample rates wanted, in Hz.
    margin
        Seconds around a window that are wanted, too, as far as the recording has them.
    channel
        Counted from 0; None: the mean of all.
    """

    grid: Grid
    rates: tuple[int, ...]
    margin: float = 0.0
    channel: int | None = None

    @property
    def block(self) -> int:
        """Windows of a block."""
        seconds = min(_SECONDS, _SAMPLES / max(self.rates, default=1))
        return max(1, int(seconds / self.grid.hop))


@dataclass(frozen=True)
class Block:
    """Some windows of a recording.

    Parameters
    ----------
    starts, ends
        (n,), in seconds.
    waves
        The windows at each rate.
    length
        Seconds of the whole recording where this is its last block, else None.
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


def read_block(path: Path, number: int, hearing: WindowSettings) -> Block:
    """Decode a block of a recording; it depends on no other, so that any of them can be made anew.

    Blocks are read in order until one has a length: behind that there is nothing.

    Parameters
    ----------
    path
        The recording.
    number
        Of the block, from 0.
    hearing
        How.

    Raises
    ------
    DataError
        Where the recording cannot be decoded, or holds no samples there.
    """
    grid = hearing.grid
    first, last = number * hearing.block, (number + 1) * hearing.block
    # the last window of a recording is moved back, by less than a hop
    begin = max(0.0, grid.start(first - 1) - hearing.margin) if first else 0.0
    stop = grid.start(last - 1) + grid.window + hearing.margin
    found = read_stretch(path, hearing.rates, begin, stop, channel=hearing.channel)
    length = found.length
    if not all(len(sound) for sound in found.sound.values()):
        raise DataError(f"{path} holds no samples{f' from {begin:.0f} s on' if number else ''}.")
    starts, ends = grid.windows(stop if length is None else length, first, last)
    waves = {
        rate: WavesInMemory(
            rate, sound, _samples(starts, rate, begin, len(sound)), _samples(ends, rate, begin, len(sound))
        )
        for rate, sound in found.sound.items()
    }
    is_last = length is not None and grid.count(length) <= last
    return Block(starts, ends, waves, length if is_last else None, found.silenced)


def _samples(seconds: npt.NDArray[np.float64], rate: int, begin: float, most: int) -> npt.NDArray[np.int64]:
    """Positions in a stretch that begins at a second."""
    found: npt.NDArray[np.int64] = np.rint(seconds * rate).astype(np.int64) - round(begin * rate)
    return np.minimum(found, most)
