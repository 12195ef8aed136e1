"""Compute summary features of a table of clips in threads, with progress and a cache."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.audio import probe
from aurist.clips import Clips
from aurist.errors import DataError
from aurist.features.cache import cache_size, clear_cache
from aurist.features.stored_vectors import VectorSettings, vectors_of_clips
from aurist.features.summary import (
    VERSION,
    SummaryConfig,
    at_recorded_level,
    measure_both,
    summary,
    summary_columns,
)
from aurist.features.summary_config import config_for_rates
from aurist.features.waves import WavesInMemory
from aurist.loops import compiles_features
from aurist.machine import available_cores
from aurist.progress import Advance

__all__ = [
    "SummaryTable",
    "cache_size",
    "clear_cache",
    "config_for_clips",
    "sampled_rates",
    "summary_of_waves",
    "summary_table",
    "table_of_vectors",
]

Float = npt.NDArray[np.float32]

#: Recordings to probe for their sample rate.
_SAMPLED = 50


@dataclass(frozen=True)
class SummaryTable:
    """The features of clips, and failures.

    Parameters
    ----------
    features
        (n_clips, n_features), float32, in the order of the clips; failed rows are NaN.
    level
        (n_clips,), float32: the recorded level of each clip, in dB; NaN for failed clips.
    failures
        Reasons of failed clips, by row.
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
    progress: bool | Advance = True,
    keep: bool = True,
    by_column: bool = False,
) -> SummaryTable:
    """Compute the summary features of every clip, or read them from the cache.

    Cached features depend on the content of the file, the span and the settings: they serve for a moved file, but not
    for a changed one. Results are stored at least every second, so a killed run can continue.

    Parameters
    ----------
    clips
        Clips with audio. If a clip has a start or an end, only that span is decoded.
    config
        The settings of features.
    cache_dir
        Folder of the cache; None: `default_cache_dir`.
    jobs
        Threads (the work runs outside the interpreter's lock); 0: one per core of this process.
    progress
        True: show a progress bar if it takes over two seconds. Or the bar of a job that these clips are a part of.
    keep
        False: neither read nor write the cache.
    by_column
        True: the numbers of a column lie together, as files of columns take them without a copy.
    """
    # features are stored without the level, and the level apart: switching the setting needs no new computation
    relative = dataclasses.replace(config, level="relative")
    settings = VectorSettings(
        lambda wave: measure_both(wave, relative),
        len(summary_columns(relative)) + 1,
        relative.sample_rate,
        json.dumps([VERSION, dataclasses.asdict(relative)], sort_keys=True).encode(),
        "features",
        # without compiled loops the last bits differ: a stored clip would not be recognised by them
        compiles_features,
    )
    values, failures = vectors_of_clips(
        clips,
        settings,
        cache_dir=cache_dir,
        jobs=jobs,
        progress=progress,
        keep=keep,
        by_column=by_column,
    )
    return table_of_vectors(values, config, failures)


def table_of_vectors(
    vectors: Float, config: SummaryConfig, failures: Mapping[int, str] | None = None
) -> SummaryTable:
    """Make the table of what `aurist.features.summary.measure_both` computed, (n_clips, n_features + 1)."""
    values, level = vectors[:, :-1], vectors[:, -1]
    if config.level == "keep":
        values = at_recorded_level(values, level, config)
    return SummaryTable(
        pd.DataFrame(values, columns=list(summary_columns(config))), level, dict(failures or {})
    )


def config_for_clips(
    clips: Clips, sample_rate: int | None = None, *, level: str = "relative"
) -> SummaryConfig:
    """Choose settings for clips without an audit: at a given rate in Hz, else by some of their sample rates."""
    rates = {} if sample_rate is not None else sampled_rates(clips)
    return config_for_rates(rates, clips.band, sample_rate=sample_rate, level=level)


def sampled_rates(clips: Clips) -> dict[str, int]:
    """Count the sample rates of some recordings, chosen evenly; unreadable ones are skipped."""
    paths = list(dict.fromkeys(clips.table["path"].dropna()))
    rates: Counter[str] = Counter()
    for path in paths[:: max(1, len(paths) // _SAMPLED)]:
        with suppress(DataError, OSError):
            rates[f"{probe(clips.file(str(path))).sample_rate:g}"] += 1
    return dict(rates)


def summary_of_waves(waves: WavesInMemory, config: SummaryConfig, *, jobs: int = 0) -> pd.DataFrame:
    """Compute the summary features of windows in memory, (n_windows, n_features), equal to `summary_table`.

    Parameters
    ----------
    waves
        Windows at ``config.sample_rate``; each has samples, all finite.
    config
        The settings of features.
    jobs
        Threads; 0: one per core of this process.
    """
    with ThreadPoolExecutor(available_cores(jobs), thread_name_prefix="windows") as pool:
        rows = list(pool.map(lambda row: summary(waves.window(row), config), range(len(waves))))
    columns = list(summary_columns(config))
    return pd.DataFrame(np.reshape(rows, (len(rows), len(columns))), columns=columns, dtype=np.float32)
