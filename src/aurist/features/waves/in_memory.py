"""Windows of sound in memory, in the form for networks, for recordings that are too long to store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from aurist.features.waves.shards import Float

Samples = npt.NDArray[np.int64]


class WaveSource(Protocol):
    """The sound of clips for networks; `Waves` has it on the disk, `WavesInMemory` in memory."""

    @property
    def sample_rate(self) -> int:
        """In Hz."""
        ...

    @property
    def n_samples(self) -> Samples:
        """(n_clips,): available samples of each clip with its margins."""
        ...

    @property
    def begin(self) -> Samples:
        """(n_clips,): first sample of the clip itself."""
        ...

    @property
    def end(self) -> Samples:
        """(n_clips,): end of the clip itself."""
        ...

    def __len__(self) -> int: ...

    def read(self, row: int, start: int = 0, stop: int | None = None, out: Float | None = None) -> Float:
        """Copy the available samples [start, stop), into ``out`` if given."""
        ...


@dataclass(frozen=True)
class WavesInMemory:
    """Windows of one stretch of sound. They share it, may overlap, and use the sound around them as margins.

    Parameters
    ----------
    sample_rate
        In Hz.
    sound
        (n_samples,), float32.
    begin, end
        (n_windows,): a window is the samples [begin, end) of ``sound``.

    Examples
    --------
    >>> waves = WavesInMemory(8, np.arange(8, dtype=np.float32), np.array([0, 2]), np.array([4, 6]))
    >>> waves.window(1).tolist(), waves.take(np.array([1])).begin.tolist()
    ([2.0, 3.0, 4.0, 5.0], [2])
    """

    sample_rate: int
    sound: Float
    begin: Samples
    end: Samples

    def __len__(self) -> int:
        return len(self.begin)

    @property
    def n_samples(self) -> Samples:
        """(n_windows,): each has the whole stretch."""
        return np.full(len(self), len(self.sound), dtype=np.int64)

    def window(self, row: int) -> Float:
        """Return a window, (n,), without a copy."""
        return self.sound[self.begin[row] : self.end[row]]

    def take(self, rows: npt.NDArray[np.intp]) -> WavesInMemory:
        """Take the windows at these positions."""
        return WavesInMemory(self.sample_rate, self.sound, self.begin[rows], self.end[rows])

    def read(self, row: int, start: int = 0, stop: int | None = None, out: Float | None = None) -> Float:
        """Copy the samples [start, stop) of the stretch, into ``out`` if given."""
        samples = self.sound[slice(*slice(start, stop).indices(len(self.sound))[:2])]
        if out is None:
            return samples.copy()
        out[: len(samples)] = samples
        return out[: len(samples)]
