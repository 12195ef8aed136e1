"""Networks as members: they learn what is plain, only from what they may see, and go on where they were."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from aurist.crossval import TrainingData, fit_member
from aurist.errors import RunError
from aurist.fold_files import load_folds
from aurist.metrics import metric
from aurist.models.base import FitFailedError, ModelWithVariants
from aurist.models.engines import engine
from aurist.models.network import NetworkEngine
from aurist.models.network_member import recipe_member
from aurist.recipes import Recipe
from aurist.results.bootstrap import bootstrap

from .sounds import sound_data, tiny

pytest.importorskip("timm")


def fitted(folder: Path, data: TrainingData, recipe: Recipe, seconds: float = 600) -> NetworkEngine:
    """Fit the first fold in this process."""
    folder.mkdir(parents=True, exist_ok=True)
    split = data.splits[0]
    train, validation = data.examples.take(split.train), data.examples.take(split.validation)
    network_engine = NetworkEngine()
    network_engine.fit(folder, data.task, recipe_member(recipe), train, validation, seconds)
    return network_engine


def weights(folder: Path) -> dict[str, np.ndarray[Any, Any]]:
    from safetensors.numpy import load_file

    return {
        f"{path.relative_to(folder)}:{name}": value
        for path in sorted(folder.glob("net*/*.safetensors"))
        for name, value in load_file(path).items()
    }


def test_learns_what_is_plain_and_is_the_same_when_read_back(tmp_path: Path) -> None:
    data = sound_data(tmp_path / "sounds")
    member = recipe_member(tiny())
    result = fit_member(tmp_path / "run", data, member, seconds=120)
    proba = result.oof.aligned(data.clip_ids.tolist())
    assert np.allclose(proba.sum(axis=1), 1, atol=1e-5)
    assert metric("accuracy")(data.examples.targets, proba) > 0.9
    assert result.validation is not None
    assert result.facts["params"] > 1000
    assert result.facts["train_speed"] > 0
    split = data.splits[0]
    again = load_folds(tmp_path / "run", data.task, member)[0].predict_proba(
        data.examples.inputs.take(split.scored)
    )
    assert np.allclose(again, proba[split.scored], atol=1e-5)


def test_shuffled_labels_score_chance(tmp_path: Path) -> None:
    """Early stopping, the best checkpoints and the pooling look at the validation part alone, so that nothing leaks."""
    data = sound_data(tmp_path / "sounds", n=90, shuffled=True)
    result = fit_member(tmp_path / "run", data, recipe_member(tiny()), seconds=120)
    proba = result.oof.aligned(data.clip_ids.tolist())
    interval = bootstrap(data.examples.targets, proba, data.groups, "accuracy", level=0.998)
    assert interval.low < 1 / 3 < interval.high + 0.1, interval


def test_several_labels_a_clip(tmp_path: Path) -> None:
    data = sound_data(tmp_path / "sounds", multilabel=True)
    result = fit_member(tmp_path / "run", data, recipe_member(tiny()), seconds=120)
    proba = result.oof.aligned(data.clip_ids.tolist())
    assert metric("average_precision")(data.examples.targets, proba, multilabel=True) > 0.9
    assert proba.sum(axis=1).max() > 1.2  # each class has a probability of its own


@pytest.mark.parametrize("training", [{}, {"keep": "last", "top_k": 1, "ema": 0.9}, {"seeds": 2}], ids=str)
def test_the_same_seed_gives_the_same_weights(tmp_path: Path, training: dict[str, Any]) -> None:
    data = sound_data(tmp_path / "sounds", n=36)
    recipe = tiny(training={"epochs": 3, **training})
    for name in "ab":
        fitted(tmp_path / name, data, recipe)
    a, b = weights(tmp_path / "a"), weights(tmp_path / "b")
    assert a.keys() == b.keys()
    assert all((a[name] == b[name]).all() for name in a)


@pytest.mark.parametrize("training", [{}, {"keep": "last", "top_k": 1, "ema": 0.9}], ids=str)
def test_a_training_that_was_killed_goes_on_to_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, training: dict[str, Any]
) -> None:
    from aurist.models.training import checkpoints
    from aurist.models.training.batches import Batches

    data = sound_data(tmp_path / "sounds", n=48)
    recipe = tiny(training={"epochs": 10, **training})
    fitted(tmp_path / "whole", data, recipe)
    make, rng, calls = Batches.make, np.random.default_rng(7), [0]
    monkeypatch.setattr(checkpoints, "STATE_EVERY", 0.0)

    def killed(self: Batches, *given: Any, **named: Any) -> Any:
        calls[0] -= 1
        if calls[0] < 0:
            raise KeyboardInterrupt
        return make(self, *given, **named)

    monkeypatch.setattr(Batches, "make", killed)
    for _ in range(3):
        calls[0] = int(rng.integers(3, 7))
        with pytest.raises(KeyboardInterrupt):
            fitted(tmp_path / "killed", data, recipe)
    calls[0] = 1000
    fitted(tmp_path / "killed", data, recipe)
    whole, again = weights(tmp_path / "whole"), weights(tmp_path / "killed")
    assert whole.keys() == again.keys()
    assert all((whole[name] == again[name]).all() for name in whole)
    curves = [pd.read_csv(tmp_path / name / "net0" / "history.csv")["loss"] for name in ("whole", "killed")]
    assert curves[0].tolist() == curves[1].tolist()
    assert not list(tmp_path.glob("killed/net*/state.pt"))


def test_a_moving_average_of_few_steps_is_not_of_the_first_weights(tmp_path: Path) -> None:
    """Forty steps with a decay that is made for thousands, as where the time is short."""
    data = sound_data(tmp_path / "sounds")
    recipe = tiny(training={"epochs": 10, "keep": "last", "top_k": 1, "ema": 0.999})
    result = fit_member(tmp_path / "run", data, recipe_member(recipe), seconds=120)
    proba = result.oof.aligned(data.clip_ids.tolist())
    assert metric("accuracy")(data.examples.targets, proba) > 0.6


def test_a_damaged_state_says_what_to_do(tmp_path: Path) -> None:
    data = sound_data(tmp_path / "sounds", n=36)
    folder = tmp_path / "run" / "net0"
    folder.mkdir(parents=True)
    (folder / "state.pt").write_bytes(b"not a state")
    with pytest.raises(RunError, match=r"state\.pt is damaged .*Delete it"):
        fitted(tmp_path / "run", data, tiny(training={"epochs": 2}))


def test_slices_vote_and_what_each_idea_gives_is_told(tmp_path: Path) -> None:
    data = sound_data(tmp_path / "sounds", n=36, seconds=1.0)
    recipe = tiny(window={"seconds": 0.4, "hop": 0.2}, training={"epochs": 4, "seeds": 2})
    network = fitted(tmp_path / "run", data, recipe)
    model = network.load(tmp_path / "run", data.task, recipe_member(recipe))
    assert isinstance(model, ModelWithVariants)
    inputs = data.examples.inputs.take(data.splits[0].scored)
    ways = model.variants(inputs)
    assert list(ways) == [
        "pooled by mean",
        "pooled by max",
        "pooled by vote",
        "pooled by top3",
        "one window",
        "one checkpoint",
        "one network",
    ]
    assert (model.predict_proba(inputs) == ways["pooled by mean"]).all()
    assert len({proba.tobytes() for proba in ways.values()}) == len(ways)
    votes = ways["pooled by vote"] * 4  # 1 s holds four windows of 0.4 s every 0.2 s
    assert np.allclose(votes, votes.round(), atol=1e-6)


def test_the_pooling_chosen_is_kept_with_the_member(tmp_path: Path) -> None:
    data = sound_data(tmp_path / "sounds", n=36, seconds=1.0)
    recipe = tiny(window={"seconds": 0.4, "hop": 0.2}, training={"epochs": 2})
    network = fitted(tmp_path / "run", data, recipe)
    member = recipe_member(recipe)
    chosen = replace(member, settings={**member.settings, "pooling": "max"})
    model = network.load(tmp_path / "run", data.task, chosen)
    inputs = data.examples.inputs.take(data.splits[0].scored)
    assert isinstance(model, ModelWithVariants)
    assert (model.predict_proba(inputs) == model.variants(inputs)["pooled by max"]).all()


def test_a_class_that_is_not_in_the_training_folds_gets_no_probability(tmp_path: Path) -> None:
    data = sound_data(tmp_path / "sounds", n=36)
    there = np.flatnonzero(data.examples.targets[:, 2] == 0)
    train, validation = data.examples.take(there[:16]), data.examples.take(there[16:])
    member = recipe_member(tiny(training={"epochs": 2}))
    (tmp_path / "run").mkdir()
    model = NetworkEngine().fit(tmp_path / "run", data.task, member, train, validation, 60).model
    assert (model.predict_proba(data.examples.inputs)[:, 2] == 0).all()


def test_a_loss_that_is_no_number_stops_with_advice(tmp_path: Path) -> None:
    data = sound_data(tmp_path / "sounds", n=36)
    recipe = tiny(training={"optimizer": "sgd", "lr": 1e30, "schedule": "constant"})
    with pytest.raises(FitFailedError, match=r"no longer a number in epoch 1.*lower learning rate"):
        fitted(tmp_path / "run", data, recipe)


def test_too_little_time_is_said_before_anything_is_trained(tmp_path: Path) -> None:
    data = sound_data(tmp_path / "sounds", n=36)
    with pytest.raises(FitFailedError, match=r"3 epochs of .* clips need about .* s per fold"):
        fitted(tmp_path / "run", data, tiny(), seconds=0.0)


def test_a_late_fold_trains_for_one_epoch_rather_than_lose_the_finished_folds(tmp_path: Path) -> None:
    data = sound_data(tmp_path / "sounds", n=36)
    fitted(tmp_path / "fold0", data, tiny(training={"epochs": 3}))
    fitted(tmp_path / "fold1", data, tiny(), seconds=0.0)
    assert json.loads((tmp_path / "fold1" / "plan.json").read_text())["epochs"] == 1
    assert len(pd.read_csv(tmp_path / "fold1" / "net0" / "history.csv")) == 1


def test_the_epochs_fit_the_time(tmp_path: Path) -> None:
    data = sound_data(tmp_path / "sounds", n=36)
    fitted(tmp_path / "run", data, tiny(training={"epochs": 1_000_000}), seconds=8)
    plan = json.loads((tmp_path / "run" / "plan.json").read_text())
    history = pd.read_csv(tmp_path / "run" / "net0" / "history.csv")
    assert 3 <= plan["epochs"] < 1_000_000
    assert history["lr"].iloc[-1] < 1e-3 or len(history) < plan["epochs"]


def test_patience_stops_a_training_that_no_longer_gets_better(tmp_path: Path) -> None:
    data = sound_data(tmp_path / "sounds", n=36)
    recipe = tiny(training={"epochs": 200, "patience": 2, "schedule": "constant", "lr": 1e-12})
    fitted(tmp_path / "run", data, recipe)
    history = pd.read_csv(tmp_path / "run" / "net0" / "history.csv")
    best = history.sort_values(["score", "validation_loss"], ascending=[False, True])["epoch"].iloc[0]
    assert len(history) < 200
    assert history["epoch"].iloc[-1] - best == 2


def test_a_network_needs_recordings(tmp_path: Path) -> None:
    data = sound_data(tmp_path / "sounds", n=36)
    inputs = replace(data.examples.inputs, clips=None)
    with pytest.raises(FitFailedError, match="has none"):
        fitted(tmp_path / "run", replace(data, examples=replace(data.examples, inputs=inputs)), tiny())


def test_the_engine_is_found_by_its_name() -> None:
    assert isinstance(engine("network"), NetworkEngine)
