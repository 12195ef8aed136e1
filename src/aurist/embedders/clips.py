"""Vectors of clips and of windows: cut, run the network, pool; the vectors of clips are stored like features."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.clips import Clips
from aurist.embedders.network import EmbedderError, Network, check_vectors, open_embedder
from aurist.embedders.spec import EmbedderSpec
from aurist.events import Grid
from aurist.features.matrix import EMBEDDED
from aurist.features.stored_vectors import VectorSettings, rows_to_compute, share_stored, vectors_of_clips
from aurist.features.waves import WavesInMemory
from aurist.files import sha256_of
from aurist.machine import available_cores

Float = npt.NDArray[np.float32]

_STATISTICS: dict[str, Callable[[Float], Float]] = {
    "mean": lambda vectors: vectors.mean(axis=0),
    "std": lambda vectors: vectors.std(axis=0),
    "max": lambda vectors: vectors.max(axis=0),
}


@dataclass(frozen=True)
class Embedder:
    """An embedder that is ready to run.

    Parameters
    ----------
    spec
        Its description.
    network
        Its network.
    size
        Numbers in a vector of a window.
    key
        A key of all that vectors depend on.
    """

    spec: EmbedderSpec
    network: Network
    size: int
    key: bytes

    @property
    def columns(self) -> list[str]:
        """The names of the features of a clip."""
        n = self.size * len(self.spec.pool)
        return [f"{EMBEDDED}{self.spec.name}_{i:04d}" for i in range(n)]


def load_embedder(spec: EmbedderSpec, path: Path) -> Embedder:
    """Open an embedder with its network at ``path``, and check it.

    It is kept: a fit that times an embedder uses the same one afterwards.

    Raises
    ------
    EmbedderError
        If the file is missing, is another one, or cannot be run.
    """
    if not path.is_file():
        source = f" It can be had from: {spec.source}" if spec.source else ""
        raise EmbedderError(
            f"The network of the embedder {spec.name} is missing: {path} does not exist.{source}"
        )
    written = path.stat()
    return _opened(spec, path, (written.st_size, written.st_mtime_ns))


@lru_cache(maxsize=4)
def _opened(spec: EmbedderSpec, path: Path, stamp: tuple[int, int]) -> Embedder:
    """Open an embedder; with another stamp, the size and the time of its file, it is opened again."""
    digest = sha256_of(path)
    if spec.sha256 and digest != spec.sha256:
        raise EmbedderError(
            f"{path} is not the network that {spec.name} stands for: its SHA-256 begins with {digest[:12]}, and "
            f"{spec.sha256[:12]} is expected. Vectors of another network mean something else; get the right file"
            f"{f' from {spec.source}' if spec.source else ''}, or describe this one under another name."
        )
    network, size = open_embedder(spec, path)
    return Embedder(spec, network, size, spec.settings_key(digest))


def window_vectors(wave: Float, embedder: Embedder) -> Float:
    """Turn each window of a wave into a vector, (n_windows, size).

    Windows follow each other in hops; the last one is moved back to end with the sound. Sound that is shorter than a
    window is padded.

    Parameters
    ----------
    wave
        (n_samples,), at the embedder's rate.
    embedder
        The embedder.

    Raises
    ------
    DataError
        If vectors are not finite.
    """
    vectors = embedder.network(cut(wave, embedder.spec))
    check_vectors(vectors, embedder.spec)
    return vectors


def cut(wave: Float, spec: EmbedderSpec) -> Float:
    """Cut a wave into windows, (n_windows, n_samples), at the level that the embedder expects.

    Examples
    --------
    >>> spec = EmbedderSpec(name="tiny", file="tiny.onnx", sample_rate=2, seconds=2.0, pad="repeat")
    >>> cut(np.array([1, 2, 3, 4, 5], np.float32), spec).tolist()
    [[1.0, 2.0, 3.0, 4.0], [2.0, 3.0, 4.0, 5.0]]
    >>> cut(np.array([1, 2, 3], np.float32), spec).tolist()
    [[1.0, 2.0, 3.0, 1.0]]
    """
    n = spec.n_samples
    if len(wave) < n:
        windows = _padded(wave, n, spec.pad)[None]
    else:
        grid = Grid(spec.seconds, spec.seconds - spec.step)
        starts, _ = grid.windows(len(wave) / spec.sample_rate)
        first = np.minimum(np.rint(starts * spec.sample_rate).astype(int), len(wave) - n)
        windows = wave[first[:, None] + np.arange(n)]
    if spec.level == "peak":
        windows = windows - windows.mean(axis=1, keepdims=True)
        peak = np.abs(windows).max(axis=1, keepdims=True)
        windows = windows * (spec.peak / np.where(peak > 0, peak, 1))
    return np.ascontiguousarray(windows, dtype=np.float32)


def _padded(wave: Float, n: int, pad: str) -> Float:
    if pad == "repeat":
        return np.resize(wave, n)
    return np.pad(wave, (0, n - len(wave)))


def pooled(vectors: Float, spec: EmbedderSpec) -> Float:
    """Pool the vectors of windows into one of the clip, (size * n_statistics,)."""
    return np.concatenate([_STATISTICS[name](vectors) for name in spec.pool]).astype(np.float32)


@dataclass(frozen=True)
class Embeddings:
    """The vectors of clips: (n_clips, n_features), NaN for those that failed, with reasons by row."""

    table: pd.DataFrame
    failures: dict[int, str]


def embed_clips(
    clips: Clips, embedder: Embedder, *, cache_dir: Path | None = None, jobs: int = 0, progress: bool = True
) -> Embeddings:
    """Turn every clip into a vector, or read it from the cache.

    As for `aurist.features.store.summary_table`, stored vectors depend on the content of the sound and of the network,
    the span and the settings; a killed run continues.

    Parameters
    ----------
    clips
        Clips with audio.
    embedder
        The embedder.
    cache_dir
        Folder of the cache; None: the default folder.
    jobs
        Threads; 0: one per core.
    progress
        True: show a progress bar if it takes over two seconds.
    """
    values, failures = vectors_of_clips(
        clips, _settings(embedder), cache_dir=cache_dir, jobs=jobs, progress=progress
    )
    return Embeddings(pd.DataFrame(values, columns=embedder.columns, index=clips.table.index), failures)


def share_embedded(clips: Clips, embedder: Embedder, *, cache_dir: Path | None = None) -> float:
    """Return about which share of the clips `embed_clips` would read from the cache, 0 to 1."""
    return share_stored(clips, _settings(embedder), cache_dir=cache_dir)


def rows_to_embed(clips: Clips, embedder: Embedder, *, cache_dir: Path | None = None) -> npt.NDArray[np.intp]:
    """Return the rows, (n,), that `embed_clips` would compute, and not read from the cache."""
    return rows_to_compute(clips, _settings(embedder), cache_dir=cache_dir)


def _settings(embedder: Embedder) -> VectorSettings:
    return VectorSettings(
        lambda wave: pooled(window_vectors(wave, embedder), embedder.spec),
        len(embedder.columns),
        embedder.spec.sample_rate,
        embedder.key,
        f"embeddings by {embedder.spec.name}",
    )


def embed_waves(waves: WavesInMemory, embedder: Embedder, *, jobs: int = 0) -> pd.DataFrame:
    """Turn windows in memory into vectors, (n_windows, n_features), equal to `embed_clips`.

    Parameters
    ----------
    waves
        Windows at the embedder's rate.
    embedder
        The embedder.
    jobs
        Threads; 0: one per core.
    """

    def vector(row: int) -> Float:
        return pooled(window_vectors(waves.window(row), embedder), embedder.spec)

    with ThreadPoolExecutor(available_cores(jobs), thread_name_prefix="windows") as pool:
        rows: Sequence[Float] = list(pool.map(vector, range(len(waves))))
    return pd.DataFrame(np.reshape(rows, (len(rows), len(embedder.columns))), columns=embedder.columns)
