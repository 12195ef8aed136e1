"""The training loop and its time."""

from __future__ import annotations

import itertools
from pathlib import Path

import pandas as pd
import pytest

from aurist import workers
from aurist.models.base import FitFailedError
from aurist.models.engines import engine_of
from aurist.models.network_member import recipe_member

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


@pytest.mark.slow
def test_two_processes_train_as_one_does(tmp_path: Path) -> None:
    """Their gradients are averaged: the curve is that of one process but for the norms' statistics of half batches."""
    from aurist.models.training import fold

    data = sound_data(tmp_path / "sounds")
    split = data.splits[0]
    train, validation = data.examples.take(split.train), data.examples.take(split.validation)
    curves = []
    for devices in (1, 2):
        training = {"epochs": 25, "keep": "last", "top_k": 1, "devices": devices, "head_epochs": 1}
        recipe = tiny(augment={"mixing": "none"}, training=training)
        folder = tmp_path / f"of{devices}"
        folder.mkdir()
        fold.fit_fold(folder, recipe, data.task, train, validation, seconds=600.0)
        curves.append(pd.read_csv(folder / "net0" / "history.csv"))
        model = engine_of(recipe_member(recipe)).load(folder, data.task, recipe_member(recipe))
        scored = model.predict_proba(data.examples.inputs.take(split.scored)).argmax(1)
        assert (scored == data.examples.targets[split.scored].argmax(1)).mean() > 0.9
        assert len(list(folder.glob("net0/epoch*.safetensors"))) == 1
    assert workers._pool._executor is None  # a worker that is itself replaced would wait for its own
    assert curves[0]["loss"].iloc[0] == pytest.approx(curves[1]["loss"].iloc[0], rel=0.2)
    assert curves[0]["lr"].tolist() == curves[1]["lr"].tolist()


@pytest.mark.slow
def test_what_fails_in_two_processes_is_an_error_of_the_fold(tmp_path: Path) -> None:
    from aurist.models.training import fold

    data = sound_data(tmp_path / "sounds", n=24)
    split = data.splits[0]
    train, validation = data.examples.take(split.train), data.examples.take(split.validation)
    recipe = tiny(training={"optimizer": "sgd", "lr": 1e30, "devices": 2})
    with pytest.raises(FitFailedError, match=r"^tiny: the loss was no longer a number in epoch 1\."):
        fold.fit_fold(tmp_path, recipe, data.task, train, validation, seconds=600.0)
