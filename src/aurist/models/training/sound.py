"""The windows that networks hear, cut out of stored sound."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from aurist.features.waves import WaveSource
from aurist.pooling import window_starts
from aurist.recipes import Recipe, Window

Float = npt.NDArray[np.float32]

#: A clip that is longer than a window by this share has one window still: files are rarely exact.
_TAIL = 0.02
#: Silence is 60 dB below the clip's peak, by blocks of a twentieth of a second; a window in which a fifth of the
#: blocks is louder holds something to hear.
_SILENCE, _BLOCKS, _HEARD = 1e-3, 20, 0.2
#: Draws of a training window before a silent one is taken after all.
_TRIES = 16


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

    waves: WaveSource
    window: Window
    n_samples: int
    #: where each clip is audible, once it was asked for
    _audible: dict[int, npt.NDArray[np.int64]] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.waves)

    def training_start(self, row: int, rng: np.random.Generator) -> int:
        """Where a training window begins, in samples of what is stored."""
        begin, end = int(self.waves.begin[row]), int(self.waves.end[row])
        if self.window.place == "centre":
            return self._centred(row)
        room = end - begin - self.n_samples
        if room <= 0:
            return begin
        start = int(rng.integers(room + 1))
        if self.window.skip_silence:
            for _ in range(_TRIES):
                if self._is_heard(row, np.array([start]))[0]:
                    break
                start = int(rng.integers(room + 1))
        return begin + start

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
        found = window_starts(length, self.n_samples, max(1, hop))
        if self.window.skip_silence:
            heard = self._is_heard(row, found)
            found = found[heard] if heard.any() else found
        return begin + found

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

    def _is_heard(self, row: int, starts: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Whether windows that begin so many samples behind the clip's own begin hold something to hear."""
        block = max(1, self.waves.sample_rate // _BLOCKS)
        if row not in self._audible:
            y = self.waves.read(row, int(self.waves.begin[row]), int(self.waves.end[row]))
            self._audible[row] = np.concatenate([[0], np.cumsum(_audible_blocks(y, block))])
        counted = self._audible[row]
        first = np.minimum(starts // block, len(counted) - 1)
        last = np.minimum((starts + self.n_samples) // block, len(counted) - 1)
        return np.asarray(counted[last] - counted[first] >= _HEARD * self.n_samples / block)

    def _centred(self, row: int) -> int:
        """With the clip in its middle, but within the recording as far as it is stored."""
        middle = int(self.waves.begin[row] + self.waves.end[row]) // 2
        return max(0, min(middle - self.n_samples // 2, int(self.waves.n_samples[row]) - self.n_samples))


def _audible_blocks(y: Float, block: int) -> npt.NDArray[np.bool_]:
    """(n_blocks,): which blocks are not silent beside the loudest."""
    padded = np.pad(np.abs(y), (0, -len(y) % block))
    loudest = padded.reshape(-1, block).max(axis=1, initial=0.0)
    return np.asarray(loudest > _SILENCE * loudest.max(initial=0.0))


def window_length(recipe: Recipe, waves: WaveSource) -> int:
    """Samples of a window: as the recipe says, but no more than the longest clip where sound would only be padded."""
    longest = int((waves.end - waves.begin).max(initial=1))
    if recipe.window.seconds is None:
        return max(longest, recipe.front.n_fft)
    wanted = round(recipe.window.seconds * recipe.front.sample_rate)
    if recipe.window.place == "centre":
        return wanted
    return max(min(wanted, longest), recipe.front.n_fft)
