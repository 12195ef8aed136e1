"""The training loop and its time."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from ..sounds import sound_data, tiny

pytest.importorskip("timm")


@pytest.mark.parametrize("hoped", [0.5, 20.0])
def test_the_rate_comes_to_its_end_though_the_machine_is_slower_than_it_was(
    hoped: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plan of twenty times the epochs that there is time for is cut while it runs, and so is its schedule."""
    from aurist.models.training import fold

    monkeypatch.setattr(fold, "_FILLED", hoped)
    recipe = tiny(
        training={"epochs": 100_000, "keep": "last", "lr": 5e-3, "top_k": 1, "schedule": "one_cycle"}
    )
    data = sound_data(tmp_path / "sounds", n=24)
    split = data.splits[0]
    train, validation = data.examples.take(split.train), data.examples.take(split.validation)
    fold.fit_fold(tmp_path, recipe, data.task, train, validation, seconds=8.0)
    history = pd.read_csv(tmp_path / "net0" / "history.csv")
    assert 3 <= len(history) < 100_000
    assert history["lr"].max() > 3e-3
    assert history["lr"].iloc[-1] < 1e-3
