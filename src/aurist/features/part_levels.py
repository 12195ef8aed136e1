"""Levels of mel bands in equal parts of a window: they tell when in it something is loud, and at which pitch."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aurist.clips import Clips
from aurist.features import filters
from aurist.features.stored_vectors import VectorSettings, vectors_of_clips
from aurist.features.waves import WavesInMemory
from aurist.machine import available_cores

Float = npt.NDArray[np.float32]

#: Seconds of a frame, about, and its fewest samples.
_FRAME, _FEWEST = 0.023, 32
#: The lowest and the highest band as shares of the sample rate: the last tenth of the spectrum tells of the recorder.
_LOWEST, _HIGHEST = 0.005, 0.45
_FLOOR = 1e-10


@dataclass(frozen=True)
class LevelConfig:
    """Settings of levels.

    Parameters
    ----------
    sample_rate
        In Hz.
    n_parts
        Equal parts of a window.
    n_bands
        Mel bands.
    """

    sample_rate: int
    n_parts: int = 20
    n_bands: int = 48

    @property
    def n_fft(self) -> int:
        """Samples of a frame: a power of two."""
        return int(max(_FEWEST, 2 ** round(np.log2(_FRAME * self.sample_rate))))


def part_levels(wave: Float, config: LevelConfig) -> Float:
    """Measure the mean power of each band in each part of a window, (n_parts, n_bands), in dB.
    Parameters
    ----------
    wave
        (n_samples,), at ``config.sample_rate``.
    config
        The settings.

    Examples
    --------
    >>> tone = np.sin(2 * np.pi * 2000 * np.arange(22050) / 22050).astype(np.float32)
    >>> wave = np.concatenate([np.zeros(22050, np.float32), tone])
    >>> levels = part_levels(wave, LevelConfig(22050, n_parts=4))
    >>> levels.shape, levels.max(axis=1)[[0, 3]].round(-1).tolist()
    ((4, 48), [-100.0, 20.0])
    """
    from scipy import fft

    size = config.n_fft
    # four frames or more in each part, which overlap by half at most
    hop = int(np.clip(len(wave) // (4 * config.n_parts), size // 2, size))
    # no frame reaches beyond the window: an edge is loud in all bands
    padded = np.pad(wave, (0, max(0, size - len(wave))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
    window, bank = filters.hann(size).astype(np.float32), _bank(config)
    spectrum = fft.rfft(frames * window, axis=1)
    power = (spectrum.real**2 + spectrum.imag**2) @ bank.T
    # a frame belongs to the part in which its middle lies; a part without one has the nearest
    edges = (np.arange(config.n_parts + 1) * len(padded) / config.n_parts - size / 2) / hop
    first = np.clip(np.ceil(edges[:-1]).astype(int), 0, len(power) - 1)
    last = np.maximum(np.ceil(edges[1:]).astype(int), first + 1)
    means = np.stack([power[i:j].mean(axis=0) for i, j in zip(first, last, strict=True)])
    return np.asarray(10 * np.log10(np.maximum(means, _FLOOR)), dtype=np.float32)


def levels_of_clips(
    clips: Clips, config: LevelConfig, *, cache_dir: Path | None, jobs: int
) -> npt.NDArray[np.float32]:
    """Measure clips, (n_clips, n_parts, n_bands), or read their levels from the cache; NaN for unreadable clips."""
    settings = VectorSettings(
        lambda wave: part_levels(wave, config).ravel(),
        config.n_parts * config.n_bands,
        config.sample_rate,
        json.dumps(["part levels", 1, asdict(config)], sort_keys=True).encode(),
        "times of calls",
    )
    values, _ = vectors_of_clips(clips, settings, cache_dir=cache_dir, jobs=jobs, progress=True)
    return values.reshape(len(clips), config.n_parts, config.n_bands)


def levels_of_waves(waves: WavesInMemory, config: LevelConfig, *, jobs: int) -> npt.NDArray[np.float32]:
    """Measure windows in memory, (n_windows, n_parts, n_bands), as `levels_of_clips` does."""
    with ThreadPoolExecutor(available_cores(jobs), thread_name_prefix="windows") as pool:
        rows = list(pool.map(lambda row: part_levels(waves.window(row), config), range(len(waves))))
    return np.reshape(rows, (len(rows), config.n_parts, config.n_bands)).astype(np.float32)


@lru_cache(maxsize=4)
def _bank(config: LevelConfig) -> Float:
    rate = config.sample_rate
    return filters.mel_matrix(rate, config.n_fft, config.n_bands, _LOWEST * rate, _HIGHEST * rate)
