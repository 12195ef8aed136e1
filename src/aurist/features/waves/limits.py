"""Limits of the store of decoded audio: on the disk, and in memory if the disk cannot be used."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from aurist import system
from aurist.errors import ConfigError, DataError
from aurist.features.cache import AUDIO
from aurist.features.waves.index import Index
from aurist.features.waves.shards import CannotStoreError, shard_sizes

_GB = 1_000_000_000
_DEFAULT_LIMIT = 50 * _GB
_UNITS = {"KB": 1_000, "MB": 1_000_000, "GB": _GB, "TB": 1_000 * _GB}


def parse_size(text: str) -> int:
    """Parse a size such as "20 GB" to bytes.

    Raises
    ------
    ConfigError
        If it is no size.

    Examples
    --------
    >>> parse_size("1.5GB"), parse_size("500 mb")
    (1500000000, 500000000)
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]B)\s*", text.upper())
    if match is None:
        raise ConfigError(f"{text!r} is not a size: expected a number with KB, MB, GB or TB, such as 20GB.")
    return round(float(match[1]) * _UNITS[match[2]])


def audio_limit(cache_dir: Path) -> int:
    """Return the limit of decoded audio in bytes: ``$AURIST_CACHE_LIMIT``, else 50 GB or a third of the free disk.

    Raises
    ------
    ConfigError
        If the variable is no size.
    """
    given = os.environ.get("AURIST_CACHE_LIMIT")
    if given:
        return parse_size(given)
    existing = next(
        (folder for folder in (cache_dir, *cache_dir.absolute().parents) if folder.exists()), Path("/")
    )
    # stored audio counts as free, else the limit would shrink as the store grows
    taken = sum(shard_sizes(cache_dir / AUDIO).values())
    return min(_DEFAULT_LIMIT, (shutil.disk_usage(existing).free + taken) // 3)


def trim_waves(cache_dir: Path, limit: int) -> None:
    """Delete the least recently used decoded audio until the rest takes at most ``limit`` bytes.

    Audio in use by a living process stays.

    Raises
    ------
    DataError
        If the store cannot be written.
    """
    if not (cache_dir / AUDIO).is_dir():
        return
    index = Index(cache_dir / AUDIO)
    try:
        index.trim(limit)
    except CannotStoreError as error:
        raise DataError(f"{index.folder} cannot be trimmed ({error}). Check its permissions.") from error
    finally:
        index.close()


def free_memory() -> int:
    """Return the bytes of memory that are free without swapping; 4 GB if the system does not tell."""
    return system.free_memory() or 4 * _GB
