"""Turn clips into vectors on the machines of a Ray cluster, and put the vectors into the cache of this one."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from aurist.clips import Clips
from aurist.cluster import Cluster, run_on_cluster
from aurist.embedders.clips import embed_clips, load_embedder, rows_to_embed
from aurist.embedders.spec import EmbedderSpec
from aurist.features.cache import NAME, FeatureCache
from aurist.files import atomic_path

#: A lost machine costs some minutes of its work.
CLIPS_PER_SHARD, _MOST_SHARDS = 200, 1000


def embed_on_cluster(
    clips: Clips,
    spec: EmbedderSpec,
    network: Path,
    cluster: Cluster,
    folder: Path,
    *,
    cache_dir: Path | None = None,
) -> None:
    """Compute the vectors that `embed_clips` would compute here, so that it finds them in the cache.

    A shard is the cache of a worker, a file in ``folder``. Vectors are stored by the content of sound and network:
    those of another file are not taken for these. A call that was killed continues.

    Parameters
    ----------
    clips, network, folder
        On a disk that all machines share, at the same paths.
    spec
        The embedder.
    cluster
        The cluster, by `aurist.cluster.connected`.
    cache_dir
        Folder of the cache of this machine; None: the default folder.

    Raises
    ------
    EmbedderError
        If the network cannot be run.
    """
    _take_shards(folder, cache_dir)  # of a call that was killed
    rows = rows_to_embed(clips, load_embedder(spec, network), cache_dir=cache_dir)
    if len(rows):
        clips = replace(clips, root=(clips.root or Path()).absolute())  # workers have another folder
        parts = np.array_split(rows, min(_MOST_SHARDS, -(-len(rows) // CLIPS_PER_SHARD)))
        calls = [
            partial(
                _embed, clips.take(part), spec, network.absolute(), folder.absolute() / f"{number:04}.sqlite"
            )
            for number, part in enumerate(parts)
        ]
        run_on_cluster(calls, cluster, title=f"shards of embeddings by {spec.name}")
        _take_shards(folder, cache_dir)
    shutil.rmtree(folder, ignore_errors=True)


def _embed(clips: Clips, spec: EmbedderSpec, network: Path, shard: Path) -> None:
    """Write a shard, on a worker."""
    if shard.exists():  # a lost machine had finished it
        return
    with TemporaryDirectory(prefix="aurist-embed-") as folder:
        embed_clips(clips, load_embedder(spec, network), cache_dir=Path(folder), jobs=1, progress=False)
        with atomic_path(shard) as part:
            shutil.copyfile(Path(folder) / NAME, part)


def _take_shards(folder: Path, cache_dir: Path | None) -> None:
    """Move the vectors of all shards into the cache."""
    shards: Sequence[Path] = sorted(folder.glob("*.sqlite"))
    if not shards:
        return
    cache = FeatureCache(cache_dir)
    try:
        for shard in shards:
            cache.add_all(shard)
            cache.commit()
            shard.unlink()
    finally:
        cache.close()
