"""Damaged inputs of every kind: a small share of what `benchmarks/mutations.py` reads."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
#: Of each kind; run folders, networks and what ffmpeg reads are slow.
N, SEED = 12, 3
#: Bytes by which an input may make the process larger.
MORE = 1 << 30


def _kinds() -> list[str]:
    sys.path.insert(0, str(BENCHMARKS))
    try:
        from _mutation_targets import TARGETS
    finally:
        sys.path.remove(str(BENCHMARKS))
    slow = ("run folder", "network", "sound, ffmpeg")
    return [target.name for target in TARGETS if not target.name.startswith(slow)]


@pytest.mark.parametrize("kind", _kinds())
def test_what_is_damaged_is_read_or_refused(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS)
    import mutations
    from _mutation_targets import TARGETS
    from mutations import CLEAN, OURS, one

    # this process may be large already: by what else it has loaded
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 + MORE
    monkeypatch.setattr(mutations, "MEMORY", grown)
    target = next(target for target in TARGETS if target.name == kind)
    target.make(tmp_path)
    target.read(tmp_path)
    bad = []
    for number in range(N):
        outcome, done, message = one(target, tmp_path, number, SEED)
        if outcome not in (CLEAN, OURS):
            bad.append(f"{number}, {done}: {outcome}\n{message}")
    assert not bad, "\n".join(bad)
