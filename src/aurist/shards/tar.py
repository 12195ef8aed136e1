"""Shards of WebDataset: tar files of recordings, each with a JSON file beside it."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterable
from pathlib import Path

from aurist.clips import Clips
from aurist.shards.example import Example


def write_tar(path: Path, examples: Iterable[Example], clips: Clips) -> None:
    """Write a shard; files of one example share the part of their name before the first point."""
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as shard:
        for example in examples:
            for name, data in (
                (example.name, example.sound),
                (f"{example.key}.json", json.dumps(example.facts).encode()),
            ):
                entry = tarfile.TarInfo(name)
                entry.size = len(data)
                shard.addfile(entry, io.BytesIO(data))
