"""Workers that are warmed up while the data is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from aurist.automl import warming
from aurist.config import FitConfig

from ..small_run import SMALL


@pytest.fixture
def warmed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of workers that were asked for."""
    numbers: list[int] = []

    @contextmanager
    def warm_workers(workers: int, modules: Sequence[str]) -> Iterator[None]:
        assert "autogluon.tabular" in modules
        numbers.append(workers)
        yield

    monkeypatch.setattr(warming, "warm_workers", warm_workers)
    return numbers


def test_workers_of_autogluon_are_warmed_up_one_for_each_fold_or_core(warmed: list[int]) -> None:
    for jobs in (2, 16):
        with warming.workers_for(FitConfig(preset="quick", jobs=jobs)):
            pass
    assert warmed == [2, 3]


def test_no_worker_is_started_that_no_model_needs(
    tmp_path: Path, warmed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "plan.toml").write_text(SMALL)
    configs = [
        FitConfig(plan=str(tmp_path / "plan.toml")),
        FitConfig(engine="networks", recipes=("mel-cnn",)),
    ]
    for config in configs:
        with warming.workers_for(config):
            pass
    monkeypatch.setattr(warming, "has_extra", lambda extra: False)
    with warming.workers_for(FitConfig()):
        pass
    assert warmed == []
