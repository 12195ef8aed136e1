"""How much the store of decoded audio may take: of the disk, and of the memory where there is no disk."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from aurist.errors import ConfigError, DataError
from aurist.features.cache import AUDIO
from aurist.features.waves.index import Index
from aurist.features.waves.shards import CannotStoreError, shard_sizes

_GB = 1_000_000_000
_DEFAULT_LIMIT = 50 * _GB
_UNITS = {"KB": 1_000, "MB": 1_000_000, "GB": _GB, "TB": 1_000 * _GB}


def parse_size(text: str) -> int:
    """Bytes of a size such as "20 GB".

    Raises
    ------
    ConfigError
        Where it is not one.

    Examples
    --------
    >>> parse_size("1.5GB"), parse_size("500 mb")
    (1500000000, 500000000)
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]B)\s*", text.upper())
    if found is None:
        raise ConfigError(f"{text!r} is not a size: expected a number with KB, MB, GB or TB, such as 20GB.")
    return round(float(found[1]) * _UNITS[found[2]])


def audio_limit(cache_dir: Path) -> int:
    """Bytes that decoded audio may take: ``$AURIST_CACHE_LIMIT``, else 50 GB or a third of the free disk.

    Raises
    ------
    ConfigError
        Where the variable does not hold a size.
    """
    given = os.environ.get("AURIST_CACHE_LIMIT")
    if given:
        return parse_size(given)
    there = next((place for place in (cache_dir, *cache_dir.absolute().parents) if place.exists()), Path("/"))
    # what is stored already could be had: else the limit would shrink as the store grows
    taken = sum(shard_sizes(cache_dir / AUDIO).values())
    return min(_DEFAULT_LIMIT, (shutil.disk_usage(there).free + taken) // 3)


def trim_waves(cache_dir: Path, limit: int) -> None:
    """Drop the decoded audio that was used least recently, until the rest takes ``limit`` bytes at most.

    What a living process uses stays.

    Raises
    ------
    DataError
        Where the store cannot be written.
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
    """Bytes of memory that can be had without swapping; a guess of 4 GB where the system does not say."""
    try:
        found = re.search(r"MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text())
        if found is not None:
            return 1024 * int(found[1])
    except OSError:
        pass
    return 4 * _GB
