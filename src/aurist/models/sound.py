"""Cut the windows of a network out of stored sound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from aurist.features.waves import WavesInMemory, WaveSource, store_waves
from aurist.models.base import FitFailedError, Inputs
from aurist.pooling import window_starts
from aurist.recipes import Recipe, Window

Float = npt.NDArray[np.float32]

#: A clip that is longer than a window by up to this share has only one window: files are rarely exact.
TAIL = 0.02
#: Silence is 60 dB below the clip's peak, in blocks of 1/20 s. A window is audible if at least a fifth of its blocks
#: are louder.
SILENCE, BLOCKS, AUDIBLE_SHARE = 1e-3, 20, 0.2
#: Random tries for an audible training window, before a silent one is used.
_TRIES = 16


@dataclass(frozen=True)
class Sound:
    """Clips that are cut into windows.

    Parameters
    ----------
    waves
        The sound of the clips.
    window
        The setting of the windows.
    n_samples
        The length of a window.
    """

    waves: WaveSource
    window: Window
    n_samples: int
    #: counts of audible blocks by clip, computed at first use
    _audible: dict[int, npt.NDArray[np.int64]] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.waves)

    def windows(self) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int64]]:
        """Return the clip of each window to predict with, and its first sample, (n_windows,) each."""
        starts = [self.starts(row) for row in range(len(self))]
        clip = np.repeat(np.arange(len(self)), [len(s) for s in starts]).astype(np.intp)
        return clip, np.concatenate([np.zeros(0, np.int64), *starts])

    def distinct(
        self, clip: npt.NDArray[np.intp], start: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """Find windows of the same samples, as clips of one stretch of sound may overlap.

        Parameters
        ----------
        clip, start : (n_windows,)
            As `windows` returns them.

        Returns
        -------
        first : (n_distinct,)
            Positions of different windows.
        which : (n_windows,)
            For each window the position in ``first`` of the one with its samples.
        """
        keys = np.stack([self._source(clip), start, self._stop(clip, start)], axis=1)
        _, first, which = np.unique(keys, axis=0, return_index=True, return_inverse=True)
        return first, which.reshape(-1)

    def stretches(
        self, clip: npt.NDArray[np.intp], start: npt.NDArray[np.int64]
    ) -> Iterator[tuple[slice, Float | None]]:
        """Group windows that `distinct` gave, in their order, by the stretch of sound that they lie in.

        Yields
        ------
        slice
            The windows of a group.
        (n,), float32, or None
            Their sound from the start of the first to the end of the last; None if one must be padded.
        """
        source, stop = self._source(clip), self._stop(clip, start)
        cuts = [0, *(np.flatnonzero(np.diff(source)) + 1).tolist(), len(clip)]
        for first, last in pairwise(cuts):
            begin, end = int(start[first]), int(stop[last - 1])
            windows = slice(first, last)
            is_whole = (stop[windows] - start[windows] == self.n_samples).all()
            if not is_whole or begin < 0 or end > self.waves.n_samples[clip[first]]:
                yield windows, None
            elif isinstance(self.waves, WavesInMemory):
                yield windows, self.waves.sound[begin:end]
            else:
                yield windows, self.waves.read(int(clip[first]), begin, end)

    def training_start(self, row: int, rng: np.random.Generator) -> int:
        """Draw the first sample of a training window, in samples of the stored sound."""
        begin, end = int(self.waves.begin[row]), int(self.waves.end[row])
        if self.window.place == "centre":
            return self._centred(row)
        room = end - begin - self.n_samples
        if room <= 0:
            return begin
        start = int(rng.integers(room + 1))
        if self.window.skip_silence:
            for _ in range(_TRIES):
                if self._is_audible(row, np.array([start]))[0]:
                    break
                start = int(rng.integers(room + 1))
        return begin + start

    def starts(self, row: int) -> npt.NDArray[np.int64]:
        """Return the first samples of the windows to predict a clip with; at least one."""
        begin, length = int(self.waves.begin[row]), int(self.waves.end[row] - self.waves.begin[row])
        if length <= (1 + TAIL) * self.n_samples:
            first = self._centred(row) if self.window.place == "centre" else begin
            return np.array([first], dtype=np.int64)
        hop = (
            self.n_samples // 2
            if self.window.hop is None
            else round(self.window.hop * self.waves.sample_rate)
        )
        starts = window_starts(length, self.n_samples, max(1, hop))
        if self.window.skip_silence:
            audible = self._is_audible(row, starts)
            starts = starts[audible] if audible.any() else starts
        return begin + starts

    def read(self, row: int, start: int, out: Float) -> None:
        """Fill ``out`` (n_samples,) with a window; a short clip is padded or repeated, as the recipe says."""
        stop = start + self.n_samples
        if self.window.place == "random":
            stop = min(stop, int(self.waves.end[row]))
        wave = self.waves.read(row, start, stop, out=out)
        n = len(wave)
        if n == self.n_samples:
            return
        if self.window.pad == "repeat" and n > 0:
            out[:] = np.resize(out[:n].copy(), self.n_samples)
        else:
            out[n:] = 0

    def _source(self, clip: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
        """Number the sound that the samples of windows are counted in."""
        return np.zeros_like(clip) if isinstance(self.waves, WavesInMemory) else clip

    def _stop(self, clip: npt.NDArray[np.intp], start: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the ends of windows, before any padding."""
        whole = start + self.n_samples
        return np.minimum(whole, self.waves.end[clip]) if self.window.place == "random" else whole

    def _is_audible(self, row: int, starts: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Return True for audible windows; ``starts`` count from the first sample of the clip."""
        block = max(1, self.waves.sample_rate // BLOCKS)
        if row not in self._audible:
            y = self.waves.read(row, int(self.waves.begin[row]), int(self.waves.end[row]))
            self._audible[row] = np.concatenate([[0], np.cumsum(_audible_blocks(y, block))])
        counted = self._audible[row]
        first = np.minimum(starts // block, len(counted) - 1)
        last = np.minimum((starts + self.n_samples) // block, len(counted) - 1)
        return np.asarray(counted[last] - counted[first] >= AUDIBLE_SHARE * self.n_samples / block)

    def _centred(self, row: int) -> int:
        """Return the start of a window with the clip in its middle, moved to lie within the stored sound."""
        middle = int(self.waves.begin[row] + self.waves.end[row]) // 2
        return max(0, min(middle - self.n_samples // 2, int(self.waves.n_samples[row]) - self.n_samples))


def _audible_blocks(y: Float, block: int) -> npt.NDArray[np.bool_]:
    """Return (n_blocks,): True for blocks that are not silent, relative to the loudest."""
    padded = np.pad(np.abs(y), (0, -len(y) % block))
    loudest = padded.reshape(-1, block).max(axis=1, initial=0.0)
    return np.asarray(loudest > SILENCE * loudest.max(initial=0.0))


def window_length(recipe: Recipe, waves: WaveSource) -> int:
    """Return the samples of a window: as the recipe says, but not longer than the longest clip."""
    longest = int((waves.end - waves.begin).max(initial=1))
    if recipe.window.seconds is None:
        return max(longest, recipe.front.n_fft)
    n_samples = round(recipe.window.seconds * recipe.front.sample_rate)
    if recipe.window.place == "centre":
        return n_samples
    return max(min(n_samples, longest), recipe.front.n_fft)


def load_waves(inputs: Inputs, recipe: Recipe, jobs: int) -> WaveSource:
    """Return the sound of clips: from memory, or from the store, where it is decoded once."""
    if inputs.in_memory is not None:
        return inputs.in_memory[recipe.front.sample_rate]
    if inputs.clips is None:
        raise FitFailedError(f"{recipe.name}: a network needs recordings, and this data has none.")
    return store_waves(
        inputs.clips,
        recipe.front.sample_rate,
        margin=recipe.window.margin,
        cache_dir=inputs.cache_dir,
        jobs=jobs,
    )
