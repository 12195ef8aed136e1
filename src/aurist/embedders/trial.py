"""Run an embedder once: its speed, and its vector of a recording against the right one."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aurist.audio import read
from aurist.embedders.clips import Embedder, pooled, window_vectors
from aurist.embedders.network import EmbedderError
from aurist.errors import ConfigError, DataError

#: A vector that differs by more is of another network, or of another front end.
LEAST_COSINE = 0.99


@dataclass(frozen=True)
class Trial:
    """Seconds for a window on one core, and the vector of a recording; None without one."""

    seconds: float
    vector: npt.NDArray[np.float32] | None


def trial(embedder: Embedder, sound: Path | None) -> Trial:
    """Time an embedder on noise, and embed a recording."""
    spec = embedder.spec
    noise = np.random.default_rng(0).normal(0, 0.1, (4, spec.n_samples)).astype(np.float32)
    embedder.network(noise[:1])
    started = time.perf_counter()
    embedder.network(noise)
    seconds = (time.perf_counter() - started) / len(noise)
    if sound is None:
        return Trial(seconds, None)
    wave, _ = read(sound, spec.sample_rate)
    return Trial(seconds, pooled(window_vectors(wave, embedder), spec))


def compare(embedder: Embedder, sound: Path | None, vector: Path) -> str:
    """Compare the vector of a recording with the right one, from the network's own program.

    Raises
    ------
    ConfigError
        If there is no recording.
    DataError
        If the file holds no vector.
    EmbedderError
        If they differ.
    """
    if sound is None:
        raise ConfigError("A vector is compared with that of a recording: name it with sound=.")
    try:
        right = np.load(vector, allow_pickle=False).astype(np.float64).ravel()
    except (OSError, ValueError) as error:
        raise DataError(f"{vector} holds no vector: {error}") from error
    ours = trial(embedder, sound).vector
    assert ours is not None
    name = embedder.spec.name
    if right.shape != ours.shape:
        raise EmbedderError(f"{vector} has {len(right)} numbers, and {name} makes {len(ours)}.")
    cosine = float(right @ ours / max(np.linalg.norm(right) * np.linalg.norm(ours), 1e-12))
    if not cosine >= LEAST_COSINE:
        raise EmbedderError(
            f"{name} gives another vector than {vector}: their cosine is {cosine:.3f}, and at least {LEAST_COSINE} is "
            "expected. Check sample_rate, level, output and [front] in its TOML file. Networks of TensorFlow pad "
            "strided convolutions in another way than those of PyTorch: this alone gives a cosine of 0.3 to 0.5."
        )
    return f"{name} gives the same vector as {vector}: their cosine is {cosine:.5f}"
