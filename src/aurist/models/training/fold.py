"""The networks of one fold: what they hear, how long they may learn, one after the other."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from aurist.features.spectrogram import Spectrogram
from aurist.features.spectrogram_config import shape
from aurist.features.waves import WaveSource, store_waves
from aurist.files import write_json
from aurist.metrics import UNKNOWN
from aurist.models.base import Examples, FitFailedError, Inputs, Task, fit_again
from aurist.models.training.batches import Batches, LabelledAudio
from aurist.models.training.checkpoints import Kept
from aurist.models.training.loop import Plan, Trainer, loss_kind
from aurist.models.training.precision import CLIPS, choose_precision
from aurist.models.training.predict import as_network_likes
from aurist.models.training.sound import Sound, window_length
from aurist.nets.build import build_network, count_parameters
from aurist.nets.losses import LossFunction, class_weights, loss_function
from aurist.nets.transformer import TransformerNetwork
from aurist.recipes import Recipe
from aurist.stored import read_json

NETWORKS, PLAN = "networks.json", "plan.json"
_PLANNED = {"epochs": int, "precision": str, "clips_per_second": float}
#: Of the time, what a plan may fill: machines are not always as fast as in the moment of measuring.
_FILLED = 0.85
#: A network that learns for fewer epochs than this is no good.
_FEWEST = 3


@dataclass(frozen=True)
class InputSpec:
    """What of a clip reaches a network: the length of a window in samples, and the image made of it.

    ``image`` is (channels, rows, frames); None for networks that take waves.
    """

    n_samples: int
    image: tuple[int, int, int] | None


def ear_of(recipe: Recipe, n_samples: int) -> InputSpec:
    """How the network of a recipe hears windows of so many samples."""
    return InputSpec(n_samples, shape(recipe.front, n_samples) if recipe.network.takes == "image" else None)


def ear_from(table: Mapping[str, Any]) -> InputSpec:
    """Back from JSON."""
    image = table["image"]
    return InputSpec(table["n_samples"], None if image is None else (image[0], image[1], image[2]))


def device() -> torch.device:
    """A GPU where there is one."""
    return torch.device("cuda") if torch.cuda.is_available() else torch.device("cpu")


def in_place(network: nn.Module) -> nn.Module:
    """The network where it computes, laid out in memory as convolutions compute fastest."""
    moved: nn.Module = network.to(device()).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return moved


def hear(inputs: Inputs, recipe: Recipe, jobs: int) -> WaveSource:
    """The sound of clips, from memory, from the store, or decoded into that."""
    if inputs.held is not None:
        return inputs.held[recipe.front.sample_rate]
    if inputs.clips is None:
        raise FitFailedError(f"{recipe.name}: a network listens to recordings, and this data has none.")
    return store_waves(
        inputs.clips,
        recipe.front.sample_rate,
        margin=recipe.window.margin,
        cache_dir=inputs.cache_dir,
        jobs=jobs,
    )


def front_end(recipe: Recipe) -> Spectrogram | None:
    """What makes images; None for networks that take waves."""
    return Spectrogram(recipe.front) if recipe.network.takes == "image" else None


def new_network(recipe: Recipe, ear: InputSpec, n_classes: int) -> nn.Module:
    """The network of a recipe with its first weights, of torch's own generator."""
    return build_network(recipe.network, ear.image, n_classes, sample_rate=recipe.front.sample_rate)


def fit_fold(
    folder: Path, recipe: Recipe, task: Task, train: Examples, validation: Examples, seconds: float
) -> dict[str, float]:
    """Train the networks of a fold, or go on with those of a fit that was killed.

    Parameters
    ----------
    folder
        Gets ``plan.json``, then ``net0`` and so on, and ``networks.json`` last.
    recipe, task
        What to do.
    train, validation
        To learn from, and to choose on; a recipe that chooses nothing learns from both.
    seconds
        About which to keep.

    Returns
    -------
    dict
        Facts for the leaderboard: ``params``, ``train_speed`` in clips/s.

    Raises
    ------
    FitFailedError
        Where the time is too short, or training went astray.
    """
    until = time.monotonic() + seconds
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    torch.set_num_threads(max(1, task.jobs))
    if recipe.training.keep == "last":
        train = train.together(validation)
    waves = hear(train.inputs, recipe, task.jobs)
    ear = ear_of(recipe, window_length(recipe, waves))
    part = _part(train, waves, recipe, ear)
    held = None
    if recipe.training.keep == "best":
        held = _part(validation, hear(validation.inputs, recipe, task.jobs), recipe, ear)
    front = front_end(recipe)
    front = None if front is None else front.to(device())
    loss = _loss(recipe, task, part)
    plan = _plan(folder, recipe, task, ear, part, loss, front, until)
    kept: list[list[Kept]] = []
    for number in range(recipe.training.seeds):
        seed = task.seed + 1000 * number
        torch.manual_seed(seed)
        place = folder / f"net{number}"
        place.mkdir(exist_ok=True)
        network = new_network(recipe, ear, len(task.classes))
        left = recipe.training.seeds - number
        now = time.monotonic()
        trainer = Trainer(place, recipe, task, plan, network, loss, part, held, front, seed)
        kept.append(trainer.train(now + (until - now) / left))
        speed = float(np.median([epoch.clips_per_second for epoch in trainer.history]))
    write_json(
        folder / NETWORKS,
        {
            "recipe": recipe.to_dict(),
            "ear": asdict(ear),
            "precision": plan.precision,
            "described": network.described() if isinstance(network, TransformerNetwork) else None,
            "unseen": [int(column) for column in np.flatnonzero(part.targets.max(axis=0) == 0)],
            "networks": [
                [{"file": f"net{n}/{one.file}", **asdict(one)} for one in net] for n, net in enumerate(kept)
            ],
        },
    )
    for state in folder.glob("net*/state.pt"):
        state.unlink()
    return {"params": float(count_parameters(network)), "train_speed": speed}


def _part(examples: Examples, waves: WaveSource, recipe: Recipe, ear: InputSpec) -> LabelledAudio:
    known = examples.targets != UNKNOWN
    return LabelledAudio(
        Sound(waves, recipe.window, ear.n_samples),
        (examples.targets > 0).astype(np.float32),
        None if known.all() else known.astype(np.float32),
        examples.weight.astype(np.float32),
    )


def _loss(recipe: Recipe, task: Task, part: LabelledAudio) -> LossFunction:
    weights = None
    if recipe.loss.class_weights:
        weights = class_weights(torch.from_numpy(part.targets), torch.from_numpy(part.weight))
    return loss_function(
        loss_kind(recipe, task),
        label_smoothing=recipe.loss.label_smoothing,
        gamma=recipe.loss.gamma,
        class_weight=weights,
    )


def _plan(
    folder: Path,
    recipe: Recipe,
    task: Task,
    ear: InputSpec,
    part: LabelledAudio,
    loss: LossFunction,
    front: Spectrogram | None,
    until: float,
) -> Plan:
    """The plan of a fit that was killed, or one that the time allows."""
    path = folder / PLAN
    if path.exists():
        kept = read_json(path, _PLANNED, fit_again(folder))
        return Plan(**{name: kept[name] for name in _PLANNED})
    torch.manual_seed(task.seed)
    network = new_network(recipe, ear, len(task.classes))
    network = in_place(network)
    batches = Batches(part, recipe, front, task.seed, device())
    began = time.perf_counter()
    batch = batches.make(0, 0, np.arange(min(CLIPS, len(part))), mixed=True)
    made = (time.perf_counter() - began) / len(batch.x)
    said = partial(_said, loss, batch.targets, batch.known, batch.weight)
    precision, taken = choose_precision(network, as_network_likes(batch.x), said, recipe.training.precision)
    clip = taken + made / (1 + task.jobs)
    affordable = (until - time.monotonic()) * _FILLED / (recipe.training.seeds * len(part) * clip)
    epochs = math.floor(min(recipe.training.epochs, affordable))
    if epochs < min(_FEWEST, recipe.training.epochs):
        needed = _FEWEST * recipe.training.seeds * len(part) * clip / _FILLED
        raise FitFailedError(
            f"{recipe.name}: {_FEWEST} epochs of {len(part)} clips need about {needed:.0f} s a fold at "
            f"{1 / clip:.1f} clips/s, and {max(0.0, until - time.monotonic()):.0f} s are left for it."
        )
    plan = Plan(epochs, precision, 1 / clip)
    write_json(path, asdict(plan))
    return plan


def _said(
    loss: LossFunction, targets: Tensor, known: Tensor | None, weight: Tensor, logits: Tensor
) -> Tensor:
    return loss(logits, targets, known, weight)
