"""One vector for each clip, computed in threads or read from the cache."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from aurist.audio import read
from aurist.clips import Clips
from aurist.errors import DataError
from aurist.features.cache import FeatureCache
from aurist.features.spans import Span, failure_message, run_in_threads, span_key, spans_of
from aurist.machine import available_cores
from aurist.progress import Advance, progress_of

Float = npt.NDArray[np.float32]


@dataclass(frozen=True)
class VectorSettings:
    """The computation of a vector from the sound of a clip.

    Parameters
    ----------
    compute
        From samples, (n_samples,), to numbers, (size,). It may raise DataError.
    size
        Numbers in a vector.
    sample_rate
        Of the samples, in Hz.
    key
        All that the numbers depend on, besides the sound.
    title
        For the progress bar.
    is_stored
        Decide whether the vector of so many seconds may be stored; None: always.
    """

    compute: Callable[[Float], Float]
    size: int
    sample_rate: int
    key: bytes
    title: str
    is_stored: Callable[[float], bool] | None = None


def vectors_of_clips(
    clips: Clips,
    settings: VectorSettings,
    *,
    cache_dir: Path | None,
    jobs: int,
    progress: bool | Advance,
    keep: bool = True,
    by_column: bool = False,
) -> tuple[Float, dict[int, str]]:
    """Compute the vector of every clip, or read it from the cache.

    Results are stored at least every second, so a killed run can continue. Without ``keep`` there is no cache: to hash
    and to store a clip that never comes again takes time.

    Parameters
    ----------
    clips, settings, cache_dir, jobs, keep
        As for `aurist.features.store.summary_table`.
    progress
        True: show a progress bar if it takes over two seconds. Or the bar of a job that these clips are a part of.
    by_column
        True: the numbers of a column lie together, as tables of columns take them without a copy.

    Returns
    -------
    values : (n_clips, size)
        NaN for clips that failed.
    failures
        Reasons of failed clips, by row.
    """
    order: Literal["C", "F"] = "F" if by_column else "C"
    values = np.full((len(clips), settings.size), np.nan, dtype=np.float32, order=order)
    failures: dict[int, str] = {}
    work = _Work(settings, FeatureCache(cache_dir) if keep else None)
    try:
        with progress_of(progress, len(clips), settings.title) as advance:
            for row, result in run_in_threads(work, spans_of(clips), available_cores(jobs), work.commit):
                if isinstance(result, str):
                    failures[row] = result
                else:
                    values[row] = result
                advance()
    finally:
        work.close()
    return values, dict(sorted(failures.items()))


def share_stored(
    clips: Clips, settings: VectorSettings, *, cache_dir: Path | None, at_most: int = 100
) -> float:
    """Return the share of clips whose vectors are in the cache, 0 to 1, of at most so many clips at equal distances."""
    rows = np.unique(np.linspace(0, len(clips) - 1, min(at_most, len(clips))).astype(int))
    cache = FeatureCache(cache_dir, warn=False)
    try:
        keys = (_key(cache, span, settings) for span in spans_of(clips.take(rows)))
        stored = [key is not None and cache.get(key, settings.size) is not None for key in keys]
    finally:
        cache.close()
    return sum(stored) / max(1, len(stored))


def rows_to_compute(
    clips: Clips, settings: VectorSettings, *, cache_dir: Path | None
) -> npt.NDArray[np.intp]:
    """Return the rows, (n,), whose vectors are not in the cache; no file is read for it."""
    cache = FeatureCache(cache_dir, warn=False)

    def is_stored(span: Span) -> bool:
        with contextlib.suppress(OSError):
            if span.path is not None and cache.stored_digest(span.path) is not None:
                key = span_key(cache, span, settings.key)
                return key is not None and cache.get(key, settings.size) is not None
        return False

    try:
        return np.array([span.row for span in spans_of(clips) if not is_stored(span)], dtype=np.intp)
    finally:
        cache.close()


def _key(cache: FeatureCache, span: Span, settings: VectorSettings) -> bytes | None:
    with contextlib.suppress(OSError):  # computing the vector gives the message
        return span_key(cache, span, settings.key)
    return None


class _Work:
    """Computes the vector of one clip, with the cache if there is one."""

    def __init__(self, settings: VectorSettings, cache: FeatureCache | None) -> None:
        self.settings = settings
        self.cache = cache

    def commit(self) -> None:
        if self.cache is not None:
            self.cache.commit()

    def close(self) -> None:
        if self.cache is not None:
            self.cache.close()

    def __call__(self, span: Span) -> Float | str:
        settings = self.settings
        if span.path is None:
            return "has no path: it is not a recording"
        try:
            cache = self.cache
            key = None if cache is None else span_key(cache, span, settings.key)
            vector = None if cache is None or key is None else cache.get(key, settings.size)
            if vector is None:
                wave, _ = read(span.path, settings.sample_rate, start=span.start, end=span.end)
                if not len(wave):
                    return f"{span.path} holds no samples"
                vector = settings.compute(wave)
                seconds = len(wave) / settings.sample_rate
                is_stored = settings.is_stored is None or settings.is_stored(seconds)
                if cache is not None and key is not None and is_stored:
                    cache.put(key, vector)
        except (DataError, OSError, MemoryError) as error:
            return failure_message(span, error)
        return vector
