"""Index recordings on the machines of a Ray cluster."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence, Set
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from aurist.cluster import connected, run_on_cluster
from aurist.detection.store import Recording
from aurist.embedders import EmbedderRecord, load_embedder
from aurist.errors import about
from aurist.files import write_json
from aurist.folders import claim
from aurist.progress import logger
from aurist.search.building import IndexBuilder, build_index
from aurist.search.index import open_index
from aurist.stored import read_json

#: One recording each, if there are not more: a lost machine costs little.
_MOST_SHARDS = 1000
#: The recordings of a shard that cannot be read: its last file.
FAILURES = "failures.json"


def index_on_cluster(
    recordings: Sequence[Recording],
    output: Path,
    record: EmbedderRecord,
    network: Path,
    address: str,
    *,
    hop: float | None = None,
) -> dict[str, str]:
    """Add the windows of recordings to an index, as `build_index` does, in shards on a cluster.

    The shards are indexes in ``<output>.shards`` until they are merged: a call that was killed continues.

    Parameters
    ----------
    recordings, output, network
        On a disk that all machines share, at the same path.
    record, hop
        As for `build_index`.
    address
        See `aurist.cluster.connected`.

    Returns
    -------
    By recording, why it could not be read.

    Raises
    ------
    ClusterError
        If the cluster cannot be reached.
    ConfigError
        If the folder holds an index of another embedder or hop, or recordings changed since.
    """
    root = output.absolute().with_name(f"{output.name}.shards")
    every = [replace(recording, file=recording.file.absolute()) for recording in recordings]
    failures: dict[str, str] = {}
    with claim(output):
        builder = IndexBuilder(output, record, load_embedder(record.embedder, network), hop, 1)
        shards = _shards(every, {recording.file for recording in builder.missing(every)}, root)
        calls = [
            partial(_index, of_shard, folder, record, network.absolute(), hop)
            for folder, of_shard in shards.items()
            if not (folder / FAILURES).exists()
        ]
        if calls:
            with connected(address) as cluster:
                run_on_cluster(calls, cluster, title="shards of recordings")
        for folder in shards:
            builder.take(open_index(folder))
            failures |= read_json(folder / FAILURES, {str: str}, f"Remove {root}.")
    shutil.rmtree(root, ignore_errors=True)
    for name, why in failures.items():
        logger.warning(about(name, why))
    return failures


def _shards(recordings: Sequence[Recording], missing: Set[Path], root: Path) -> dict[Path, list[Recording]]:
    """Divide recordings, in order; shards of which nothing is missing are left out.

    The folder of a shard is named by its recordings: those of another call are not taken for these.
    """
    n_shards = min(_MOST_SHARDS, max(1, len(recordings)))
    shards = {}
    for rows in np.array_split(np.arange(len(recordings)), n_shards):
        of_shard = [recordings[row] for row in rows]
        if any(recording.file in missing for recording in of_shard):
            stamps = json.dumps([[str(recording.file), recording.stamp()] for recording in of_shard])
            shards[root / hashlib.sha256(stamps.encode()).hexdigest()[:16]] = of_shard
    return shards


def _index(
    recordings: Sequence[Recording], folder: Path, record: EmbedderRecord, network: Path, hop: float | None
) -> None:
    """Index a shard, on a worker."""
    if (folder / FAILURES).exists():
        return
    embedder = load_embedder(record.embedder, network)
    failures = build_index(recordings, folder, record, embedder, hop=hop, jobs=1, progress=False)
    write_json(folder / FAILURES, failures)
