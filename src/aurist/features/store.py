"""Summary features of a table of clips: in parallel, with progress, each computed once."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.audio import read
from aurist.clips import Clips
from aurist.errors import DataError
from aurist.features.cache import FeatureCache, cache_size, clear_cache, default_cache_dir
from aurist.features.summary import VERSION, SummaryConfig, summary, summary_columns
from aurist.progress import Advance

__all__ = ["SummaryTable", "cache_size", "clear_cache", "default_cache_dir", "summary_table"]

Float = npt.NDArray[np.float32]

_SECONDS_BETWEEN_COMMITS = 1.0


@dataclass(frozen=True)
class SummaryTable:
    """The features of clips, and what went wrong.

    Parameters
    ----------
    features
        (n_clips, n_features), float32, in the order of the clips; a row of NaN where it failed.
    failures
        Why a clip has no features, by row.
    """

    features: pd.DataFrame
    failures: dict[int, str]


def summary_table(
    clips: Clips,
    config: SummaryConfig,
    *,
    cache_dir: Path | None = None,
    jobs: int = 0,
    progress: bool = True,
) -> SummaryTable:
    """Compute the summary features of every clip, or take them from the store.

    Stored features are found by the content of the file, the span and the settings: a file that was moved is
    known, one that was changed is not. What is done is stored at least every second, so that a killed
    run goes on where it was.

    Parameters
    ----------
    clips
        Clips with audio; of a clip with a start or an end only that span is decoded.
    config
        How the features are computed.
    cache_dir
        Folder of the store; None: `default_cache_dir`.
    jobs
        Threads (the work runs outside the interpreter's lock); 0: as many as this process has cores.
    progress
        Show a bar where it takes over two seconds.
    """
    columns = summary_columns(config)
    values = np.full((len(clips), len(columns)), np.nan, dtype=np.float32)
    failures: dict[int, str] = {}
    work = _Work(config, FeatureCache(cache_dir), len(columns))
    workers = (
        jobs
        if jobs > 0
        else len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count()
    )
    try:
        with Advance(len(clips), progress, "features") as advance:
            for row, found in _in_parallel(work, _spans(clips), workers or 1):
                if isinstance(found, str):
                    failures[row] = found
                else:
                    values[row] = found
                advance()
    finally:
        work.cache.close()
    return SummaryTable(
        pd.DataFrame(values, columns=list(columns), index=clips.table.index), dict(sorted(failures.items()))
    )


@dataclass(frozen=True)
class _Span:
    row: int
    path: Path | None
    start: float
    end: float | None


def _spans(clips: Clips) -> Iterator[_Span]:
    table = clips.table
    for row, (path, start, end) in enumerate(zip(table["path"], table["start"], table["end"], strict=True)):
        yield _Span(
            row,
            None if pd.isna(path) else clips.file(str(path)),
            0.0 if pd.isna(start) else float(start),
            None if pd.isna(end) else float(end),
        )


class _Work:
    """The features of one clip, by way of the store."""

    def __init__(self, config: SummaryConfig, cache: FeatureCache, size: int) -> None:
        self.config = config
        self.cache = cache
        self.size = size
        self._settings = json.dumps([VERSION, dataclasses.asdict(config)], sort_keys=True).encode()

    def __call__(self, span: _Span) -> Float | str:
        if span.path is None:
            return "has no path: it is not a recording"
        try:
            key = self._key(span)
            found = None if key is None else self.cache.get(key, self.size)
            if found is None:
                y, _ = read(span.path, self.config.sample_rate, start=span.start, end=span.end)
                if not len(y):
                    return f"{span.path} holds no samples"
                found = summary(y, self.config)
                if key is not None:
                    self.cache.put(key, found)
        except DataError as error:
            message = str(error)
            return message if str(span.path) in message else f"{span.path}: {message}"
        except (OSError, MemoryError) as error:
            return f"{span.path} cannot be read ({error or type(error).__name__})"
        return found

    def _key(self, span: _Span) -> bytes | None:
        if span.path is None or not span.path.is_file():
            return None  # reading it says what is wrong
        hashed = hashlib.blake2b(self.cache.digest(span.path), digest_size=16)
        hashed.update(json.dumps([span.start, span.end]).encode())
        hashed.update(self._settings)
        return hashed.digest()


def _in_parallel(work: _Work, spans: Iterator[_Span], workers: int) -> Iterator[tuple[int, Float | str]]:
    """Results as they come. No more clips wait than keep the threads busy, so that memory is bounded."""
    waiting: dict[Future[Float | str], int] = {}
    committed = time.monotonic()
    with ThreadPoolExecutor(workers, thread_name_prefix="features") as pool:
        try:
            for span in spans:
                waiting[pool.submit(work, span)] = span.row
                while len(waiting) >= 4 * workers:
                    yield from _finished(waiting)
                if time.monotonic() - committed > _SECONDS_BETWEEN_COMMITS:
                    work.cache.commit()
                    committed = time.monotonic()
            while waiting:
                yield from _finished(waiting)
        finally:
            pool.shutdown(cancel_futures=True)


def _finished(waiting: dict[Future[Float | str], int]) -> Iterator[tuple[int, Float | str]]:
    done, _ = wait(waiting, return_when=FIRST_COMPLETED)
    for future in done:
        yield waiting.pop(future), future.result()
