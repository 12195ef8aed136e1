"""Sounds that tests of the audit share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

Samples = npt.NDArray[np.float32]
RATE = 22_050


def tune(seed: int, seconds: float = 6.0, rate: int = RATE) -> Samples:
    """Decaying notes of random pitch over noise: (n_samples,), float32."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * rate)) / rate
    y = 0.003 * rng.normal(size=len(t))
    onset = 0.0
    while onset < seconds:
        pitch = 220 * 2 ** (rng.integers(0, 30) / 12)
        after = np.clip(t - onset, 0, None)
        for partial in range(1, 6):
            y += (
                0.1
                / partial
                * np.sin(2 * np.pi * partial * pitch * after)
                * np.exp(-5 * after)
                * (t >= onset)
            )
        onset += rng.uniform(0.1, 0.4)
    return np.asarray(0.5 * y / np.abs(y).max(), dtype=np.float32)


def rain(seed: int, seconds: float = 6.0, rate: int = RATE) -> Samples:
    """Stationary coloured noise: all of it sounds the same, no two seconds are the same."""
    white = np.random.default_rng(seed).normal(size=int(seconds * rate))
    return np.asarray(0.05 * np.convolve(white, [1.0, 0.7, 0.4], mode="same"), dtype=np.float32)


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., str]:
    """Write a sound into the test's folder and return its path."""

    def write(name: str, y: npt.NDArray[np.floating], rate: int = RATE, **options: str) -> str:
        path = tmp_path / name
        soundfile.write(path, y, rate, **options)
        return str(path)

    return write
