"""The windows that networks hear, cut out of stored sound."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aurist.features.waves import Waves
from aurist.pooling import window_starts
from aurist.recipes import Recipe, Window

Float = npt.NDArray[np.float32]

#: A clip that is longer than a window by this share has one window still: files are rarely exact.
_TAIL = 0.02


@dataclass(frozen=True)
class Sound:
    """Clips, and how windows are cut out of them.

    Parameters
    ----------
    waves
        The clips.
    window
        How.
    n_samples
        Of a window.
    """

    waves: Waves
    window: Window
    n_samples: int

    def __len__(self) -> int:
        return len(self.waves)

    def training_start(self, row: int, rng: np.random.Generator) -> int:
        """Where a training window begins, in samples of what is stored."""
        begin, end = int(self.waves.begin[row]), int(self.waves.end[row])
        if self.window.place == "centre":
            return self._centred(row)
        room = end - begin - self.n_samples
        return begin if room <= 0 else begin + int(rng.integers(room + 1))

    def starts(self, row: int) -> npt.NDArray[np.int64]:
        """Where the windows begin by which a clip is predicted; one at least."""
        begin, length = int(self.waves.begin[row]), int(self.waves.end[row] - self.waves.begin[row])
        if length <= (1 + _TAIL) * self.n_samples:
            first = self._centred(row) if self.window.place == "centre" else begin
            return np.array([first], dtype=np.int64)
        hop = (
            self.n_samples // 2
            if self.window.hop is None
            else round(self.window.hop * self.waves.sample_rate)
        )
        return begin + window_starts(length, self.n_samples, max(1, hop))

    def read(self, row: int, start: int, out: Float) -> None:
        """Fill ``out`` (n_samples,) with a window; what the clip is too short for as the recipe says."""
        stop = start + self.n_samples
        if self.window.place == "random":
            stop = min(stop, int(self.waves.end[row]))
        found = self.waves.read(row, start, stop, out=out)
        n = len(found)
        if n == self.n_samples:
            return
        if self.window.pad == "repeat" and n > 0:
            out[:] = np.resize(out[:n].copy(), self.n_samples)
        else:
            out[n:] = 0

    def _centred(self, row: int) -> int:
        """With the clip in its middle, but within the recording as far as it is stored."""
        middle = int(self.waves.begin[row] + self.waves.end[row]) // 2
        return max(0, min(middle - self.n_samples // 2, int(self.waves.n_samples[row]) - self.n_samples))


def window_length(recipe: Recipe, waves: Waves) -> int:
    """Samples of a window: as the recipe says, but no more than the longest clip where sound would only be padded."""
    longest = int((waves.end - waves.begin).max(initial=1))
    if recipe.window.seconds is None:
        return max(longest, recipe.front.n_fft)
    wanted = round(recipe.window.seconds * recipe.front.sample_rate)
    if recipe.window.place == "centre":
        return wanted
    return max(min(wanted, longest), recipe.front.n_fft)
