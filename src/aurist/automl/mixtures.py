"""Mixtures of pairs of training clips: sounds that nobody labelled, and that no model has learnt by heart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aurist.clips import Clips, make_clips
from aurist.features.waves import WaveSource

Float = npt.NDArray[np.float32]

#: The second clip is up to this much louder or fainter than the first, in dB.
_DECIBELS = 12.0
_PEAK = 0.99


def write_mixtures(
    folder: Path,
    waves: WaveSource,
    rows: npt.NDArray[np.intp],
    n: int,
    *,
    multilabel: bool,
    seed: int,
) -> Clips:
    """Write mixtures of clips as sound files.

    Parameters
    ----------
    folder
        For the files.
    waves
        The sound of clips.
    rows
        The clips to mix.
    n
        The number of mixtures.
    multilabel
        True if clips may have several labels.
    seed
        Of the choices.

    Returns
    -------
    Clips
        Clips without labels, each as long as the first clip of its pair.
    """
    import soundfile

    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, y in enumerate(_mixtures(waves, rows, n, np.random.default_rng(seed))):
        path = folder / f"{number:05}.flac"
        soundfile.write(path, y, waves.sample_rate, subtype="PCM_16")
        paths.append(str(path.resolve()))
    return make_clips([()] * len(paths), paths=paths, multilabel=multilabel)


def _mixtures(
    waves: WaveSource, rows: npt.NDArray[np.intp], n: int, rng: np.random.Generator
) -> Iterator[Float]:
    """Yield mixtures of two random clips; the second begins anywhere, and is repeated if it is shorter."""
    for _ in range(n):
        first, second = (_whole(waves, int(row)) for row in rng.choice(rows, 2, replace=len(rows) < 2))
        gain = 10 ** (rng.uniform(-_DECIBELS, _DECIBELS) / 20) * _rms(first) / max(_rms(second), 1e-9)
        added = np.resize(np.roll(second, -int(rng.integers(max(1, len(second))))), len(first))
        y = first + np.float32(gain) * added
        yield np.asarray(y * min(1.0, _PEAK / max(float(np.abs(y).max(initial=0)), 1e-9)), dtype=np.float32)


def _whole(waves: WaveSource, row: int) -> Float:
    return waves.read(row, int(waves.begin[row]), int(waves.end[row]))


def _rms(y: Float) -> float:
    return float(np.sqrt(np.mean(np.square(y, dtype=np.float64)))) if len(y) else 0.0
