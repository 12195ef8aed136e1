"""Summary features of a table of clips: in parallel, with progress, each computed once."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.audio import probe, read
from aurist.clips import Clips
from aurist.errors import DataError
from aurist.features.cache import FeatureCache, cache_size, clear_cache, default_cache_dir
from aurist.features.spans import Span, in_parallel, span_key, spans_of, why_failed
from aurist.features.summary import (
    VERSION,
    SummaryConfig,
    at_recorded_level,
    measure,
    summary,
    summary_columns,
)
from aurist.features.summary_config import fitting
from aurist.features.waves import WavesInMemory
from aurist.machine import available_cores
from aurist.progress import Advance

__all__ = [
    "SummaryTable",
    "cache_size",
    "clear_cache",
    "config_for",
    "default_cache_dir",
    "sampled_rates",
    "summary_of_waves",
    "summary_table",
]

Float = npt.NDArray[np.float32]

#: Recordings that are asked for their sample rate where nobody has asked them all.
_SAMPLED = 50


@dataclass(frozen=True)
class SummaryTable:
    """The features of clips, and what went wrong.

    Parameters
    ----------
    features
        (n_clips, n_features), float32, in the order of the clips; a row of NaN where it failed.
    level
        (n_clips,), float32: at which each clip was recorded, in dB; NaN where it failed.
    failures
        Why a clip has no features, by row.
    """

    features: pd.DataFrame
    level: Float
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
    # stored without the level and with it apart: to change one's mind about it costs nothing
    relative = dataclasses.replace(config, level="relative")
    values = np.full((len(clips), len(summary_columns(relative)) + 1), np.nan, dtype=np.float32)
    failures: dict[int, str] = {}
    work = _Work(relative, FeatureCache(cache_dir), values.shape[1])
    try:
        with Advance(len(clips), progress, "features") as advance:
            for row, found in in_parallel(work, spans_of(clips), available_cores(jobs), work.cache.commit):
                if isinstance(found, str):
                    failures[row] = found
                else:
                    values[row] = found
                advance()
    finally:
        work.cache.close()
    values, level = values[:, :-1], values[:, -1]
    if config.level == "keep":
        values = at_recorded_level(values, level, config)
    features = pd.DataFrame(values, columns=list(summary_columns(config)), index=clips.table.index)
    return SummaryTable(features, level, dict(sorted(failures.items())))


def config_for(clips: Clips, sample_rate: int | None = None, *, level: str = "relative") -> SummaryConfig:
    """The settings for clips that no audit has looked at: at a given rate in Hz, else as `fitting` says."""
    if sample_rate is not None:
        return SummaryConfig(sample_rate=sample_rate, level=level)
    return fitting(sampled_rates(clips), clips.band, level=level)


def sampled_rates(clips: Clips) -> dict[str, int]:
    """How many of some recordings, taken evenly, have each sample rate; those that cannot be read are passed over."""
    paths = list(dict.fromkeys(clips.table["path"].dropna()))
    rates: Counter[str] = Counter()
    for path in paths[:: max(1, len(paths) // _SAMPLED)]:
        with suppress(DataError, OSError):
            rates[f"{probe(clips.file(str(path))).sample_rate:g}"] += 1
    return dict(rates)


def summary_of_waves(waves: WavesInMemory, config: SummaryConfig, *, jobs: int = 0) -> pd.DataFrame:
    """The summary features of windows in memory, (n_windows, n_features): those of `summary_table` for the same sound.

    Parameters
    ----------
    waves
        At ``config.sample_rate``; every window has samples, and they are finite.
    config
        How the features are computed.
    jobs
        Threads; 0: as many as this process has cores.
    """
    with ThreadPoolExecutor(available_cores(jobs), thread_name_prefix="windows") as pool:
        rows = list(pool.map(lambda row: summary(waves.window(row), config), range(len(waves))))
    columns = list(summary_columns(config))
    return pd.DataFrame(np.reshape(rows, (len(rows), len(columns))), columns=columns, dtype=np.float32)


class _Work:
    """The features of one clip and then its level, by way of the store."""

    def __init__(self, config: SummaryConfig, cache: FeatureCache, size: int) -> None:
        self.config = config
        self.cache = cache
        self.size = size
        self._settings = json.dumps([VERSION, dataclasses.asdict(config)], sort_keys=True).encode()

    def __call__(self, span: Span) -> Float | str:
        if span.path is None:
            return "has no path: it is not a recording"
        try:
            key = span_key(self.cache, span, self._settings)
            found = None if key is None else self.cache.get(key, self.size)
            if found is None:
                y, _ = read(span.path, self.config.sample_rate, start=span.start, end=span.end)
                if not len(y):
                    return f"{span.path} holds no samples"
                features, level = measure(y, self.config)
                found = np.append(features, np.float32(level))
                if key is not None:
                    self.cache.put(key, found)
        except (DataError, OSError, MemoryError) as error:
            return why_failed(span, error)
        return found
