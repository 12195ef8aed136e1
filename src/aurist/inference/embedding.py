"""Embeddings: features of recordings that pretrained networks make, in addition to the summary features."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from aurist.embedders import (
    Embedder,
    EmbedderRecord,
    embed_clips,
    embed_waves,
    open_stored,
)
from aurist.models.base import Inputs
from aurist.models.network import embed
from aurist.recipes import Recipe
from aurist.run.embedders_file import FeatureNetwork
from aurist.tables import read_table
from aurist.workers import run_in_processes


@dataclass(frozen=True)
class Embedded:
    """Features with embeddings, (n, n_features), by row the reasons for those that failed, and seconds by network."""

    table: pd.DataFrame
    failures: dict[int, str]
    seconds: dict[str, float] = field(default_factory=dict)


def rate_of(network: FeatureNetwork) -> int:
    """Return the sample rate of the sound that a network takes, in Hz."""
    return network.sample_rate if isinstance(network, EmbedderRecord) else network.front.sample_rate


def margin_of(network: FeatureNetwork) -> float:
    """Return the seconds around a window that a network needs."""
    return 0.0 if isinstance(network, EmbedderRecord) else network.window.margin


def with_embeddings(
    features: pd.DataFrame, inputs: Inputs, folder: Path, networks: Sequence[FeatureNetwork], jobs: int
) -> Embedded:
    """Append the embeddings of each network to the features.

    Parameters
    ----------
    features
        (n, n_features).
    inputs
        The n clips.
    folder
        The run or the model folder, which keeps or names the networks.
    networks
        The networks.
    jobs
        Cores.
    """
    parts, failures, seconds = [features], dict[int, str](), dict[str, float]()
    for network in networks:
        began = time.monotonic()
        if isinstance(network, EmbedderRecord):
            table, failed = _by_file(network, inputs, folder, jobs)
            failures = failed | failures
        else:
            table = _by_torch(network, inputs, folder, jobs)
        parts.append(table.set_axis(features.index))
        seconds[network.name] = time.monotonic() - began
    return Embedded(pd.concat(parts, axis=1) if networks else features, failures, seconds)


def _by_file(
    record: EmbedderRecord, inputs: Inputs, folder: Path, jobs: int
) -> tuple[pd.DataFrame, dict[int, str]]:
    embedder = opened(record, folder)
    if inputs.in_memory is not None:
        return embed_waves(inputs.in_memory[record.sample_rate], embedder, jobs=jobs), {}
    assert inputs.clips is not None  # checked before
    made = embed_clips(inputs.clips, embedder, cache_dir=inputs.cache_dir, jobs=jobs)
    return made.table, made.failures


@lru_cache(maxsize=4)
def opened(record: EmbedderRecord, folder: Path) -> Embedder:
    """Find and open an embedder of a run, and keep it: the blocks of a long recording use it again and again."""
    return open_stored(record, folder)


def _by_torch(recipe: Recipe, inputs: Inputs, folder: Path, jobs: int) -> pd.DataFrame:
    with TemporaryDirectory() as folder_name:
        path = Path(folder_name) / "made.parquet"
        # a separate process releases the memory and threads of torch
        run_in_processes(
            [partial(embed, folder / "embedders" / recipe.name, recipe, inputs, jobs, path)], workers=1
        )
        return read_table(path)
