"""Divide work into numbered shards that machines do apart, and check that all of them are there."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path
from typing import Protocol

from aurist.errors import ConfigError

_SHARD = re.compile(r"(\d+)/(\d+)")
#: Missing shards that a message names.
_SHOWN = 10


class Numbered(Protocol):
    """A shard with its number, from 1, and the number of all."""

    @property
    def number(self) -> int:
        """The number, from 1."""
        ...

    @property
    def of(self) -> int:
        """The number of all shards."""
        ...


def parse_shard(text: str) -> tuple[int, int]:
    """Read the number of a shard and the number of all.

    Raises
    ------
    ConfigError
        If the text is no such number.

    Examples
    --------
    >>> parse_shard("2/16")
    (2, 16)
    >>> parse_shard("17/16")
    Traceback (most recent call last):
    aurist.errors.ConfigError: shard is '17/16', but must be a number and the number of all, such as 2/16.
    """
    match = _SHARD.fullmatch(text.strip())
    number, of = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= number <= of:
        raise ConfigError(f"shard is {text!r}, but must be a number and the number of all, such as 2/16.")
    return number, of


def gaps(shards: Mapping[Path, Numbered], difference: Callable[[Path], str | None]) -> list[str]:
    """List the shards that do not belong to the others, are given twice, or are missing.

    Parameters
    ----------
    shards
        By folder, its shard.
    difference
        Tells how the shard of a folder differs from the first one; None: it belongs to it.
    """
    problems: list[str] = []
    numbers: dict[int, Path] = {}
    for folder, shard in shards.items():
        differs = difference(folder)
        if differs is not None:
            problems.append(f"{folder}: {differs}")
        elif not 1 <= shard.number <= shard.of:
            problems.append(
                f"{folder}: there is no shard {shard.number}/{shard.of}; its description is damaged"
            )
        elif shard.number in numbers:
            problems.append(f"{folder}: shard {shard.number}/{shard.of}, as {numbers[shard.number]}")
        numbers.setdefault(shard.number, folder)
    of = next(iter(shards.values())).of
    n_missing = max(0, of) - sum(1 <= number <= of for number in numbers)
    # a damaged shard may say that it is one of very many
    first = list(islice((f"{n}/{of}" for n in range(1, of + 1) if n not in numbers), min(n_missing, _SHOWN)))
    if n_missing:
        more = f" and {n_missing - len(first)} more" if n_missing > len(first) else ""
        problems.append(f"missing: {', '.join(first)}{more}")
    return problems
