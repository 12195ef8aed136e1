"""Compiled loops only where there is enough to do."""

from __future__ import annotations

import sys

import pytest

from aurist import loops
from aurist.loops import FEW_CLIPS, FEW_CLIPS_IN_ALL, compiles_features, compiles_models, job_of_clips


@pytest.fixture(autouse=True)
def _fresh_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numba is not loaded, and no clip was announced."""
    monkeypatch.delitem(sys.modules, "numba", raising=False)
    monkeypatch.setattr(loops._Clips, "in_job", FEW_CLIPS + 1)
    monkeypatch.setattr(loops._Clips, "in_all", 0)


def test_a_few_short_clips_are_not_worth_compiled_loops() -> None:
    with job_of_clips(FEW_CLIPS):
        assert not compiles_features(6.0)
        assert compiles_features(3600.0)
    assert compiles_features(6.0)  # such as windows of a recording


def test_many_clips_and_many_jobs_are() -> None:
    with job_of_clips(FEW_CLIPS + 1):
        assert compiles_features(6.0)
    answers = []
    for _ in range(FEW_CLIPS_IN_ALL):
        with job_of_clips(1):
            answers.append(compiles_features(6.0))
    assert answers == [False] * (FEW_CLIPS_IN_ALL - FEW_CLIPS - 1) + [True] * (FEW_CLIPS + 1)


def test_rows_of_models() -> None:
    assert not compiles_models(1)
    assert compiles_models(1000)


def test_once_numba_is_loaded_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numba", object())
    with job_of_clips(1):
        assert compiles_features(1.0)
    assert compiles_models(1)
