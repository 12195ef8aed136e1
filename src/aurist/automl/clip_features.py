"""Compute the features of the training clips, and list the clips that cannot be used."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.audit import Audit
from aurist.clips import Clips
from aurist.cluster import Cluster
from aurist.config import FitConfig, duration
from aurist.embedders import Available, embed_on_cluster, store_embedder
from aurist.features.summary_config import SummaryConfig, config_for_rates
from aurist.folders import remove_folder
from aurist.inference.embedding import with_embeddings
from aurist.inference.features import raw_features
from aurist.models.base import Inputs
from aurist.progress import logger
from aurist.recipes import Recipe
from aurist.run.embedders_file import FeatureNetwork


@dataclass(frozen=True)
class TrainingFeatures:
    """The features of all clips.

    Parameters
    ----------
    summary
        (n_clips, n_features): without embeddings; NaN for a broken clip.
    table
        (n_clips, n_features): with embeddings.
    level
        (n_clips,): of the recordings, in dB; None for a table of features.
    broken
        The unusable clips, with reasons.
    embedders
        The networks that made embeddings.
    """

    summary: pd.DataFrame
    table: pd.DataFrame
    level: npt.NDArray[np.float32] | None
    broken: pd.DataFrame
    embedders: Sequence[FeatureNetwork]


def summary_config_of(config: FitConfig, clips: Clips, report: Audit) -> SummaryConfig:
    """Choose the settings of summary features, by the band of the boxes and the sample rates of the recordings."""
    rates = report.content.get("sample_rates")
    return config_for_rates(
        rates if isinstance(rates, dict) else {},
        clips.band,
        sample_rate=config.sample_rate,
        level=config.level,
    )


def training_features(
    clips: Clips,
    summary: SummaryConfig | None,
    report: Audit,
    output: Path,
    chosen: Sequence[Available | Recipe],
    *,
    jobs: int,
    cache_dir: Path | None,
    cluster: Cluster | None = None,
) -> TrainingFeatures:
    """Compute summary features and embeddings of every usable clip.

    Parameters
    ----------
    clips
        All clips.
    summary
        The settings of summary features; None if the clips have features.
    report
        Their audit.
    output
        The run folder, which keeps or names the networks.
    chosen
        The networks that make embeddings.
    jobs, cache_dir
        Cores, and the folder of the cache.
    cluster
        Computes the vectors of embedders; None: this machine.
    """
    features, level, broken = _summary_features(clips, summary, report, jobs, cache_dir)
    remove_folder(output / "embedders")  # of an attempt that was killed, perhaps with other settings
    networks = [store_embedder(output, c) if isinstance(c, Available) else c for c in chosen]
    if not networks:
        return TrainingFeatures(features, features, level, broken, networks)
    usable = _usable(clips, broken)
    some = features.iloc[usable]
    if cluster is not None:
        _embed_on(cluster, clips.take(usable), chosen, output, cache_dir)
    made = with_embeddings(some, Inputs(some, clips.take(usable), cache_dir), output, networks, jobs)
    times = ", ".join(f"{name} took {duration(seconds)}" for name, seconds in made.seconds.items())
    logger.info(f"plan: embeddings: {times}")
    table = made.table.reindex(features.index)
    broken = _with_failures(broken, clips, usable, made.failures)
    return TrainingFeatures(features, table, level, broken, networks)


def _embed_on(
    cluster: Cluster, clips: Clips, chosen: Sequence[Available | Recipe], output: Path, cache_dir: Path | None
) -> None:
    """Fill the cache with the vectors of embedders. Networks of recipes are run here, by PyTorch."""
    for network in chosen:
        if isinstance(network, Available):
            began = time.monotonic()
            shards = output.absolute().with_name(f"{output.name}.{network.spec.name}.shards")
            embed_on_cluster(clips, network.spec, network.path(), cluster, shards, cache_dir=cache_dir)
            logger.info(
                f"embeddings: {network.spec.name}: {duration(time.monotonic() - began)} on the cluster"
            )


def _summary_features(
    clips: Clips, summary: SummaryConfig | None, report: Audit, jobs: int, cache_dir: Path | None
) -> tuple[pd.DataFrame, npt.NDArray[np.float32] | None, pd.DataFrame]:
    """Compute the features and the level of every clip, and list the unusable clips with reasons."""
    broken = report.quarantine
    if summary is None:
        return clips.feature_table(), None, broken
    usable = _usable(clips, broken)
    computed = raw_features(clips.take(usable), summary, cache_dir=cache_dir, jobs=jobs)
    features = computed.table.set_axis(usable, axis=0).reindex(range(len(clips)))
    level = np.full(len(clips), np.nan, np.float32)
    level[usable] = computed.level
    return features, level, _with_failures(broken, clips, usable, computed.failures)


def _usable(clips: Clips, broken: pd.DataFrame) -> npt.NDArray[np.intp]:
    return np.flatnonzero(~clips.table["clip_id"].isin(broken["clip_id"]).to_numpy())


def _with_failures(
    broken: pd.DataFrame, clips: Clips, usable: npt.NDArray[np.intp], failures: Mapping[int, str]
) -> pd.DataFrame:
    """Append the clips that failed; ``failures`` are by position in ``usable``."""
    failed = [
        {
            "row": usable[row],
            "clip_id": clips.table["clip_id"].iloc[usable[row]],
            "path": clips.table["path"].iloc[usable[row]],
            "kind": "unreadable",
            "detail": message,
            "fatal": True,
        }
        for row, message in failures.items()
    ]
    return pd.concat([broken, pd.DataFrame(failed, columns=broken.columns)], ignore_index=True)
