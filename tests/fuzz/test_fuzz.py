"""Damaged inputs of every kind: a small share of what `benchmarks/fuzz.py` reads."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from .harness import CLEAN, OURS, one, prepared
from .targets import TARGETS

#: Inputs of each kind; runs, networks and what ffmpeg reads are slow.
N, SEED = 12, 3
SLOW = ("run folder", "model folder", "network", "sound, ffmpeg")
#: Bytes by which an input may make the process larger.
MORE = 1 << 30


@pytest.mark.parametrize(
    "kind",
    [pytest.param(t.name, marks=[pytest.mark.slow] * t.name.startswith(SLOW)) for t in TARGETS],
)
def test_what_is_damaged_is_read_or_refused(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AURIST_CACHE_DIR", str(tmp_path / "cache"))
    # this process may be large already: by what else it has loaded
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 + MORE
    target = next(target for target in TARGETS if target.name == kind)
    whole = prepared(target, tmp_path)
    bad = []
    for number in range(N):
        outcome, done, message = one(target, whole, number, SEED, most)
        if outcome not in (CLEAN, OURS):
            bad.append(f"{number}, {done}: {outcome}\n{message}")
    assert not bad, "\n".join(bad)
