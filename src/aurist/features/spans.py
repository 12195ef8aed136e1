"""Spans of files, their cache keys, and a pool of threads, for the stores of features and decoded audio."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pandas as pd

from aurist.archives import exists
from aurist.clips import Clips
from aurist.features.cache import FeatureCache

T = TypeVar("T")

_SECONDS_BETWEEN_COMMITS = 1.0


@dataclass(frozen=True)
class Span:
    """The span of a clip in its file.

    Parameters
    ----------
    row
        Its row in the clips table.
    path
        Its file; None if it is not a recording.
    start, end
        In seconds; ``end=None`` is the end of the file.
    """

    row: int
    path: Path | None
    start: float
    end: float | None


def spans_of(clips: Clips) -> Iterator[Span]:
    """Yield the span of every clip, in order."""
    table = clips.table
    for row, (path, start, end) in enumerate(zip(table["path"], table["start"], table["end"], strict=True)):
        yield Span(
            row,
            None if pd.isna(path) else clips.file(str(path)),
            0.0 if pd.isna(start) else float(start),
            None if pd.isna(end) else float(end),
        )


def span_key(cache: FeatureCache, span: Span, settings: bytes) -> bytes | None:
    """Return the cache key of a result: it depends on the file's content, the span and the settings.

    None if there is no file; reading it then gives the error.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    if span.path is None or not exists(span.path):
        return None
    hashed = hashlib.blake2b(cache.digest(span.path), digest_size=16)
    hashed.update(json.dumps([span.start, span.end]).encode())
    hashed.update(settings)
    return hashed.digest()


def failure_message(span: Span, error: Exception) -> str:
    """Describe a clip's error, with its file named once."""
    if isinstance(error, (OSError, MemoryError)):
        return f"{span.path} cannot be read ({error or type(error).__name__})"
    message = str(error)
    return message if str(span.path) in message else f"{span.path}: {message}"


def run_in_threads(
    work: Callable[[Span], T], spans: Iterable[Span], workers: int, commit: Callable[[], None]
) -> Iterator[tuple[int, T]]:
    """Run ``work`` in threads, and yield rows and results as they come; call ``commit`` about every second.

    Only as many clips wait as keep the threads busy, so memory is bounded.
    """
    waiting: dict[Future[T], int] = {}
    committed = time.monotonic()
    with ThreadPoolExecutor(workers, thread_name_prefix="clips") as pool:
        try:
            remaining = iter(spans)
            exhausted = False
            while not exhausted or waiting:
                while not exhausted and len(waiting) < 4 * workers:
                    span = next(remaining, None)
                    exhausted = span is None
                    if span is not None:
                        waiting[pool.submit(work, span)] = span.row
                done, _ = wait(waiting, _SECONDS_BETWEEN_COMMITS, return_when=FIRST_COMPLETED)
                for future in done:
                    yield waiting.pop(future), future.result()
                if time.monotonic() - committed > _SECONDS_BETWEEN_COMMITS:
                    commit()
                    committed = time.monotonic()
        finally:
            pool.shutdown(cancel_futures=True)
