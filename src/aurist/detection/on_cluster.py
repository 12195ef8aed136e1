"""Scan recordings on the machines of a Ray cluster."""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

from aurist.clips import Clips
from aurist.cluster import connected, run_on_cluster
from aurist.detection.scan import WindowOptions, listen, recordings_of
from aurist.detection.settings import SETTINGS
from aurist.detection.sharding import begin_shard, is_finished, merge_shards
from aurist.folders import check_output
from aurist.run import ModelFiles, open_model

#: One recording each, if there are not more: a lost machine costs little.
_MOST_SHARDS = 1000


def scan_on_cluster(
    files: ModelFiles,
    clips: Clips,
    output: Path,
    options: WindowOptions,
    address: str,
    *,
    model: str | None = None,
    cores: int = 1,
) -> None:
    """Scan recordings in shards on a cluster, and merge them: `listen` then finds all windows scored.

    The shards are in ``<output>.shards`` until they are merged: a call that was killed continues.

    Parameters
    ----------
    files, clips, output
        On a disk that all machines share, at the same path.
    options, model
        As for `listen`.
    address
        See `connected`.
    cores
        Of each shard.

    Raises
    ------
    ClusterError
        If the cluster cannot be reached.
    """
    check_output(output, folder=True)
    if (output / SETTINGS).exists():  # merged already, by an earlier call
        return
    root = output.absolute().with_name(f"{output.name}.shards")
    of = min(_MOST_SHARDS, len(recordings_of(clips)))
    folders = [root / f"{number:04}" for number in range(1, of + 1)]
    clips = replace(clips, root=(clips.root or Path()).absolute())  # workers have another folder
    calls = [
        partial(_scan, files.folder.absolute(), clips, f"{number}/{of}", folder, options, model, cores)
        for number, folder in enumerate(folders, 1)
        if not is_finished(folder)
    ]
    if calls:
        with connected(address) as cluster:
            run_on_cluster(calls, cluster, cores=cores, title="shards of recordings")
    merge_shards(folders, output)
    shutil.rmtree(root)


def _scan(
    run: Path, clips: Clips, shard: str, folder: Path, options: WindowOptions, model: str | None, cores: int
) -> None:
    """Scan a shard, on a worker."""
    part = recordings_of(begin_shard(shard, clips, folder))
    listen(open_model(run), part, folder, options, model=model, jobs=cores, progress=False)
