"""Windows of sound in memory, as networks hear clips: for recordings too long to be stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from aurist.features.waves.shards import Float

Samples = npt.NDArray[np.int64]


class WaveSource(Protocol):
    """What networks need of the sound of clips; `Waves` has it on the disk, `WavesInMemory` in memory."""

    @property
    def sample_rate(self) -> int:
        """In Hz."""
        ...

    @property
    def n_samples(self) -> Samples:
        """(n_clips,): samples that there are of each clip and around it."""
        ...

    @property
    def begin(self) -> Samples:
        """(n_clips,): where the clip itself begins in them."""
        ...

    @property
    def end(self) -> Samples:
        """(n_clips,): and where it ends."""
        ...

    def __len__(self) -> int: ...

    def read(self, row: int, start: int = 0, stop: int | None = None, out: Float | None = None) -> Float:
        """Samples [start, stop) of what there is, as a copy, in ``out`` where that is given."""
        ...


@dataclass(frozen=True)
class WavesInMemory:
    """Windows of one stretch of sound, which share it: they may overlap, and the sound around each is its margin.

    Parameters
    ----------
    sample_rate
        In Hz.
    sound
        (n_samples,), float32.
    begin, end
        (n_windows,): the samples [begin, end) of ``sound`` are a window.

    Examples
    --------
    >>> held = WavesInMemory(8, np.arange(8, dtype=np.float32), np.array([0, 2]), np.array([4, 6]))
    >>> held.window(1).tolist(), held.take(np.array([1])).begin.tolist()
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
        """(n_windows,): all see the whole stretch."""
        return np.full(len(self), len(self.sound), dtype=np.int64)

    def window(self, row: int) -> Float:
        """(n,): a window, not copied."""
        return self.sound[self.begin[row] : self.end[row]]

    def take(self, rows: npt.NDArray[np.intp]) -> WavesInMemory:
        """The windows of these positions."""
        return WavesInMemory(self.sample_rate, self.sound, self.begin[rows], self.end[rows])

    def read(self, row: int, start: int = 0, stop: int | None = None, out: Float | None = None) -> Float:
        """Samples [start, stop) of the stretch, as a copy, in ``out`` where that is given."""
        found = self.sound[slice(*slice(start, stop).indices(len(self.sound))[:2])]
        if out is None:
            return found.copy()
        out[: len(found)] = found
        return out[: len(found)]
