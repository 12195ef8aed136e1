"""The training loop and its time."""

from __future__ import annotations

import itertools
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


def test_the_body_waits_for_the_head_and_then_learns_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the first epochs the body and the statistics of its norms stay; later they change."""
    import torch

    from aurist.models.training import fold
    from aurist.models.training.loop import Trainer

    states: list[dict[str, torch.Tensor]] = []
    trained = Trainer._train_epoch

    def remembering(self: Trainer, epoch: int, progress: object) -> tuple[float, float, float]:
        result = trained(self, epoch, progress)  # type: ignore[arg-type]
        states.append({name: value.clone() for name, value in self.plain.state_dict().items()})
        return result

    monkeypatch.setattr(Trainer, "_train_epoch", remembering)
    recipe = tiny(training={"epochs": 5, "keep": "last", "top_k": 1, "head_epochs": 2, "layer_rate": 0.5})
    data = sound_data(tmp_path / "sounds", n=24)
    split = data.splits[0]
    train, validation = data.examples.take(split.train), data.examples.take(split.validation)
    fold.fit_fold(tmp_path, recipe, data.task, train, validation, seconds=60.0)
    changed = [
        {name for name in a if not torch.equal(a[name], b[name])} for a, b in itertools.pairwise(states)
    ]
    assert changed[0] and not any(name.startswith("body.") for name in changed[0])
    assert any(name.startswith("body.") and name.endswith("weight") for name in changed[2])
    assert any(name.endswith("running_mean") for name in changed[2])
