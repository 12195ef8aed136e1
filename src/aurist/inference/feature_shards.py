"""Compute summary features in shards, on several machines, and merge them into one table."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.clips import Clips
from aurist.clips.read import ReadOptions
from aurist.cluster import connected, run_on_cluster
from aurist.errors import ConfigError, DataError, RunError, listing
from aurist.features.store import config_for_clips
from aurist.features.summary import VERSION, SummaryConfig
from aurist.files import folder_lock, full_disk_error
from aurist.folders import check_output
from aurist.inference.feature_tables import (
    DESCRIBED,
    FeatureFile,
    check_form,
    clips_to_describe,
    feature_rows,
    parts_of,
    write_features,
)
from aurist.records import read_record, write_record
from aurist.sharding import gaps, parse_shard
from aurist.stored import read_frame, stored
from aurist.tables import table_path, write_table

#: The record of a shard is its last file: a shard with a record is whole.
NAME, TABLE = "feature_shard.json", "features.parquet"
#: Of a cluster: a lost machine costs some minutes of its work.
CLIPS_PER_SHARD, _MOST_SHARDS = 200, 1000
_REMEDY = "Compute the shard again with `aurist features --shard` into another folder."


@dataclass(frozen=True)
class FeatureShard:
    """A part of the clips of a table of features: every n-th one, in order.

    Parameters
    ----------
    number, of
        The number of the part, from 1, and the number of parts.
    clips
        A hash of all clips.
    n_clips
        Their number.
    features, summary
        The version and the settings of the features.
    failures
        By clip, why it could not be read.
    """

    number: int
    of: int
    clips: str
    n_clips: int
    features: int
    summary: SummaryConfig
    failures: Mapping[str, str]


def is_feature_shard(folder: Path) -> bool:
    """Return True for a folder of `write_feature_shard`, finished or not."""
    return (folder / NAME).exists() or table_path(folder / TABLE).exists()


def write_feature_shard(
    source: Path,
    folder: Path,
    options: ReadOptions,
    shard: str,
    *,
    sample_rate: int | None = None,
    level: str = "relative",
    jobs: int = 0,
    cache_dir: Path | None = None,
) -> FeatureShard:
    """Compute the features of a part of the clips; a shard that is finished is not computed again.

    Parameters
    ----------
    source, options, sample_rate, level, jobs, cache_dir
        As for `feature_file`; the same for all shards.
    folder
        For this shard alone.
    shard
        The number of the part and the number of parts, such as "2/16".

    Raises
    ------
    ConfigError
        If the text is no such number, or the folder holds another shard.
    DataError
        If there is no audio.
    """
    number, of = parse_shard(shard)
    check_output(folder, folder=True)
    clips = clips_to_describe(source, options)
    if number > len(clips):
        raise ConfigError(f"shard is {shard}, but there are only {len(clips)} clips.")
    # the settings depend on all clips: shards agree
    config = config_for_clips(clips, sample_rate, level=level)
    expected = FeatureShard(number, of, _hash(clips), len(clips), VERSION, config, {})
    folder.mkdir(parents=True, exist_ok=True)
    with folder_lock(folder):
        if (folder / NAME).exists():
            before = read_record(folder / NAME, FeatureShard, _REMEDY)
            if replace(before, failures={}) == expected:
                return before
            others = "" if _same(before, expected) else " of other clips or settings"
            raise ConfigError(
                f"{folder} holds shard {before.number}/{before.of}{others}, and {shard} is given now. Give each shard "
                "a folder of its own."
            )
        part = np.zeros(len(clips), bool)
        part[number - 1 :: of] = True
        table, failures = feature_rows(clips.take(part), config, jobs=jobs, cache_dir=cache_dir)
        write_table(table, folder / TABLE)
        done = replace(expected, failures=failures)
        write_record(folder / NAME, done)
    return done


def merge_feature_shards(folders: Sequence[Path], output: Path, *, safe_csv: bool = False) -> FeatureFile:
    """Merge the shards into the table that one machine would have written.

    Raises
    ------
    DataError
        If shards are missing, given twice, unfinished, or of different clips or settings. All are listed.
    """
    check_form(output)
    unfinished = [
        f"{folder} is not finished: give its command again"
        for folder in folders
        if not (folder / NAME).exists()
    ]
    if unfinished:
        raise DataError(f"These shards cannot be merged:\n{listing(unfinished)}")
    shards = {folder: read_record(folder / NAME, FeatureShard, _REMEDY) for folder in folders}
    first_folder, first = next(iter(shards.items()))

    def difference(folder: Path) -> str | None:
        if _same(shards[folder], first):
            return None
        return f"of other clips or settings, or of another number of shards, than {first_folder}"

    problems = gaps(shards, difference)
    if problems:
        raise DataError(f"These shards cannot be merged:\n{listing(problems)}")
    failures = {clip: why for shard in shards.values() for clip, why in shard.failures.items()}
    output.parent.mkdir(parents=True, exist_ok=True)
    with full_disk_error(output), tempfile.TemporaryFile(dir=output.parent) as file:
        described, columns = _spread(shards, file)
        parts = (
            pd.concat([described.iloc[rows].reset_index(drop=True), _features(file, columns, rows)], axis=1)
            for rows in parts_of(len(described))
        )
        return write_features(described, parts, failures, output, safe_csv=safe_csv)


def _spread(shards: Mapping[Path, FeatureShard], file: IO[bytes]) -> tuple[pd.DataFrame, list[str]]:
    """Write the features of each clip to its place in a file: only those of one shard are in memory.

    Returns
    -------
    The columns of all clips beside their features, and the names of the features.
    """
    columns: list[str] = []
    described = []
    for folder, shard in shards.items():
        table = _rows(folder, shard)
        described.append(table[list(DESCRIBED)])
        of_shard = table.drop(columns=list(DESCRIBED))
        columns = columns or list(of_shard.columns)
        with stored(folder / TABLE, _REMEDY):
            values = of_shard[columns].to_numpy(dtype=np.float32)
        for row, of_clip in zip(table.index, values, strict=True):
            file.seek(row * of_clip.nbytes)
            file.write(of_clip.tobytes())
    return pd.concat(described).sort_index(kind="stable").reset_index(drop=True), columns


def _features(file: IO[bytes], columns: list[str], rows: npt.NDArray[np.intp]) -> pd.DataFrame:
    """Read the features of neighbouring clips from the file of `_spread`."""
    n_bytes = len(columns) * np.dtype(np.float32).itemsize
    file.seek(int(rows[0]) * n_bytes)
    values = np.frombuffer(file.read(len(rows) * n_bytes), dtype=np.float32)
    return pd.DataFrame(values.reshape(len(rows), len(columns)), columns=columns)


def _rows(folder: Path, shard: FeatureShard) -> pd.DataFrame:
    """Read the rows of a shard; their index is the number of the clip."""
    table = read_frame(table_path(folder / TABLE), dict.fromkeys(DESCRIBED, ""), _REMEDY)
    numbers = range(shard.number - 1, shard.n_clips, shard.of)
    if len(table) != len(numbers):
        raise RunError(f"{folder} has {len(table)} rows, and {len(numbers)} are expected. {_REMEDY}")
    return table.set_index(pd.RangeIndex(numbers.start, numbers.stop, numbers.step))


def _same(shard: FeatureShard, other: FeatureShard) -> bool:
    """Return True for parts of the same clips with the same settings."""
    return all(
        getattr(shard, name) == getattr(other, name)
        for name in ("of", "clips", "n_clips", "features", "summary")
    )


def _hash(clips: Clips) -> str:
    columns = ["clip_id", "path", "start", "end", "labels", "group", "fold", "part"]
    text = clips.table[columns].astype(str).to_csv(index=False)
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()


def features_on_cluster(
    source: Path,
    output: Path,
    options: ReadOptions,
    address: str,
    *,
    sample_rate: int | None = None,
    level: str = "relative",
    safe_csv: bool = False,
) -> FeatureFile:
    """Write the table of `feature_file`, computed in shards on the machines of a cluster.

    The shards are in ``<output>.shards`` until the table is written: a call that was killed continues.

    Parameters
    ----------
    source, output
        On a disk that all machines share, at the same path.
    address
        See `connected`.

    Raises
    ------
    ClusterError
        If the cluster cannot be reached.
    """
    check_form(output)
    clips = clips_to_describe(source, options)
    of = min(_MOST_SHARDS, -(-len(clips) // CLIPS_PER_SHARD))
    root = output.absolute().with_name(f"{output.name}.shards")
    folders = [root / f"{number:04}" for number in range(1, of + 1)]
    calls = [
        partial(
            write_feature_shard,
            *(source.absolute(), folder, options, f"{number}/{of}"),
            sample_rate=sample_rate,
            level=level,
            jobs=1,
        )
        for number, folder in enumerate(folders, 1)
        if not (folder / NAME).exists()
    ]
    if calls:
        with connected(address) as cluster:
            run_on_cluster(calls, cluster, title="shards of features")
    written = merge_feature_shards(folders, output, safe_csv=safe_csv)
    shutil.rmtree(root)
    return replace(written, notes=clips.notes)
