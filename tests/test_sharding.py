"""Shards that do not belong together, are missing, or say nonsense of themselves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from aurist.sharding import gaps


@dataclass(frozen=True)
class Shard:
    number: int
    of: int


def problems(*shards: tuple[int, int]) -> list[str]:
    return gaps({Path(f"part{i}"): Shard(*shard) for i, shard in enumerate(shards)}, lambda _: None)


@pytest.mark.parametrize(
    ("shards", "expected"),
    [
        (((2, 2), (1, 2)), []),
        (((1, 3), (1, 3)), ["part1: shard 1/3, as part0", "missing: 2/3, 3/3"]),
        # damaged descriptions
        (((1, -5),), ["part0: there is no shard 1/-5; its description is damaged"]),
        (((0, 1), (1, 1)), ["part0: there is no shard 0/1; its description is damaged"]),
    ],
)
def test_all_problems_are_listed(shards: tuple[tuple[int, int], ...], expected: list[str]) -> None:
    assert problems(*shards) == expected


def test_a_damaged_shard_of_very_many_takes_no_time() -> None:
    (missing,) = problems((1, 1 << 64))
    assert missing.startswith("missing: 2/") and len(missing) < 1000
