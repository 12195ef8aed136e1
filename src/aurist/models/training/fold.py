"""Train the networks of one fold, one after the other: load the sound, plan the epochs, train."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from aurist.features.spectrogram import Spectrogram
from aurist.features.waves import WaveSource
from aurist.files import write_json
from aurist.metrics import UNKNOWN
from aurist.models.base import Examples, FitFailedError, Task, fit_again
from aurist.models.network_files import NETWORKS, InputSpec, input_spec_of
from aurist.models.network_member import loss_kind
from aurist.models.sound import Sound, load_waves, window_length
from aurist.models.training.batches import Batches, LabelledAudio
from aurist.models.training.checkpoints import Checkpoint
from aurist.models.training.devices import fabric_for, launch
from aurist.models.training.loop import Plan, Trainer
from aurist.models.training.precision import CLIPS, choose_precision
from aurist.models.training.predict import channels_last
from aurist.nets.build import build_network, count_parameters
from aurist.nets.losses import LossFunction, class_weights, loss_function
from aurist.nets.transformer import TransformerNetwork
from aurist.recipes import Recipe
from aurist.stored import read_json

PLAN = "plan.json"
_PLANNED = {"epochs": int, "precision": str, "clips_per_second": float}
#: Share of the time that a plan may use: a machine can be slower later than when it was measured.
_FILLED = 0.85
#: A network trained for fewer epochs than this is not worth its time.
_FEWEST = 3
#: How often the speed is measured at most, if a network seems too slow for its time.
_MEASURED_AGAIN = 2


def device() -> torch.device:
    """Return the GPU if there is one, else the CPU."""
    return torch.device("cuda") if torch.cuda.is_available() else torch.device("cpu")


def to_device(network: nn.Module) -> nn.Module:
    """Move a network to its device, in the memory layout that is fastest for convolutions."""
    moved: nn.Module = network.to(device()).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return moved


def front_end(recipe: Recipe) -> Spectrogram | None:
    """Return the layer that makes images; None for networks that take waves."""
    return Spectrogram(recipe.front) if recipe.network.takes == "image" else None


def new_network(recipe: Recipe, input_spec: InputSpec, n_classes: int) -> nn.Module:
    """Build the network of a recipe. Its first weights come from torch's global generator."""
    return build_network(recipe.network, input_spec.image, n_classes, sample_rate=recipe.front.sample_rate)


def fit_fold(
    folder: Path, recipe: Recipe, task: Task, train: Examples, validation: Examples, seconds: float
) -> dict[str, float]:
    """Train the networks of a fold, or resume a fit that was killed.

    Parameters
    ----------
    folder
        ``plan.json`` is written first, then ``net0`` and so on, and ``networks.json`` last.
    recipe, task
        The setting of the networks, and the classes to learn.
    train, validation
        Clips to learn from, and to choose epochs on. A recipe that chooses nothing learns from both.
    seconds
        About the time to use.

    Returns
    -------
    dict
        Facts for the leaderboard: ``params``, ``train_speed`` in clips/s.

    Raises
    ------
    FitFailedError
        If the time is too short, or the loss is no longer a number.
    WorkerDiedError
        If one of several processes that train together dies.
    """
    until = time.monotonic() + seconds
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    torch.set_num_threads(max(1, task.jobs))
    material = _material(recipe, task, train, validation, device())
    plan = _plan_training(
        folder, recipe, len(material.part), partial(_measured, recipe, task, material), until
    )
    trained: list[TrainedNetwork] = []
    for number in range(recipe.training.seeds):
        net_folder = folder / f"net{number}"
        net_folder.mkdir(exist_ok=True)
        seconds_left = (until - time.monotonic()) / (recipe.training.seeds - number)
        seed = task.seed + 1000 * number
        settings = _Settings(net_folder, recipe, task, plan, seed, seconds_left)
        if recipe.training.devices == 1:
            network = _train(fabric_for(recipe.training, plan.precision), material, settings)
        else:
            network = launch(
                recipe.training, plan.precision, partial(_train_share, train, validation, settings)
            )
        trained.append(network)
    write_json(
        folder / NETWORKS,
        {
            "recipe": recipe.to_dict(),
            "ear": asdict(material.input_spec),
            "precision": plan.precision,
            "described": trained[-1].described,
            "unseen": [int(column) for column in np.flatnonzero(material.part.targets.max(axis=0) == 0)],
            "networks": [
                [
                    {"file": f"net{n}/{checkpoint.file}", **asdict(checkpoint)}
                    for checkpoint in network.checkpoints
                ]
                for n, network in enumerate(trained)
            ],
        },
    )
    for state in folder.glob("net*/state.pt"):
        state.unlink()
    return {"params": float(trained[-1].params), "train_speed": trained[-1].clips_per_second}


@dataclass(frozen=True)
class TrainedNetwork:
    """A trained network: its checkpoints, best first, and the number of its parameters.

    ``described`` is the architecture of a transformer.
    """

    checkpoints: list[Checkpoint]
    params: int
    clips_per_second: float
    described: dict[str, Any] | None


@dataclass(frozen=True)
class _Material:
    """The clips that the networks of a fold learn from and choose on; front end, loss and shape of the input."""

    part: LabelledAudio
    chosen_on: LabelledAudio | None
    front: Spectrogram | None
    loss: LossFunction
    input_spec: InputSpec


@dataclass(frozen=True)
class _Settings:
    """The training of one network of a fold: its folder, setting, classes and plan, its seed, and about its seconds."""

    folder: Path
    recipe: Recipe
    task: Task
    plan: Plan
    seed: int
    seconds: float


def _material(
    recipe: Recipe, task: Task, train: Examples, validation: Examples, on: torch.device
) -> _Material:
    if recipe.training.keep == "last":
        train = train.concat(validation)
    waves = load_waves(train.inputs, recipe, task.jobs)
    input_spec = input_spec_of(recipe, window_length(recipe, waves))
    part = _labelled_audio(train, waves, recipe, input_spec)
    chosen_on = None
    if recipe.training.keep == "best":
        chosen_on = _labelled_audio(
            validation, load_waves(validation.inputs, recipe, task.jobs), recipe, input_spec
        )
    front = front_end(recipe)
    front = None if front is None else front.to(on)
    return _Material(part, chosen_on, front, _loss(recipe, task, part), input_spec)


def _train(fabric: Fabric, material: _Material, settings: _Settings) -> TrainedNetwork:
    recipe, task = settings.recipe, settings.task
    torch.manual_seed(settings.seed)
    network = new_network(recipe, material.input_spec, len(task.classes))
    learnt_from = material.loss, material.part, material.chosen_on, material.front
    trainer = Trainer(
        settings.folder, recipe, task, settings.plan, network, *learnt_from, settings.seed, fabric
    )
    checkpoints = trainer.train(time.monotonic() + settings.seconds)
    speed = float(np.median([epoch.clips_per_second for epoch in trainer.history]))
    described = network.architecture() if isinstance(network, TransformerNetwork) else None
    return TrainedNetwork(checkpoints, count_parameters(network), speed, described)


def _train_share(
    train: Examples, validation: Examples, settings: _Settings, fabric: Fabric
) -> TrainedNetwork:
    """Train in one of several processes, which load the sound themselves."""
    recipe, jobs = settings.recipe, max(1, settings.task.jobs // settings.recipe.training.devices)
    task = replace(settings.task, jobs=jobs)
    torch.set_num_threads(jobs)
    material = _material(recipe, task, train, validation, fabric.device)
    return _train(fabric, material, replace(settings, task=task))


def _labelled_audio(
    examples: Examples, waves: WaveSource, recipe: Recipe, input_spec: InputSpec
) -> LabelledAudio:
    is_known = examples.targets != UNKNOWN
    return LabelledAudio(
        Sound(waves, recipe.window, input_spec.n_samples),
        examples.probabilities,
        None if is_known.all() else is_known.astype(np.float32),
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


def _plan_training(
    folder: Path, recipe: Recipe, n_clips: int, measure: Callable[[], tuple[str, float]], until: float
) -> Plan:
    """Read the plan of a killed fit, or make one that fits into the time, by the speed that `_measured` measures."""
    path = folder / PLAN
    if path.exists():
        stored_plan = read_json(path, _PLANNED, fit_again(folder))
        return Plan(**{name: stored_plan[name] for name in _PLANNED})
    affordable = 0.0
    for _ in range(_MEASURED_AGAIN):  # one moment of other work on the machine must not cost the network
        precision, clip_seconds = measure()
        epoch_seconds = recipe.training.seeds * n_clips * clip_seconds / _FILLED
        affordable = max(affordable, (until - time.monotonic()) / epoch_seconds)
        if affordable >= _FEWEST:
            break
    epochs = math.floor(min(recipe.training.epochs, affordable))
    if any(folder.parent.glob(f"fold*/{NETWORKS}")):
        epochs = max(1, epochs)  # without this fold, the finished ones would be lost
    elif epochs < min(_FEWEST, recipe.training.epochs):
        raise FitFailedError(
            f"{recipe.name}: {_FEWEST} epochs of {n_clips} clips need about {_FEWEST * epoch_seconds:.0f} s per fold "
            f"at {1 / clip_seconds:.1f} clips/s, and {max(0.0, until - time.monotonic()):.0f} s are left for it."
        )
    plan = Plan(epochs, precision, 1 / clip_seconds)
    write_json(path, asdict(plan))
    return plan


def _measured(recipe: Recipe, task: Task, material: _Material) -> tuple[str, float]:
    """Return the precision to train in, and the seconds of training for a clip."""
    part = material.part
    torch.manual_seed(task.seed)
    network = to_device(new_network(recipe, material.input_spec, len(task.classes)))
    batches = Batches(part, recipe, material.front, task.seed, device())
    began = time.perf_counter()
    batch = batches.make(0, 0, np.arange(min(CLIPS, len(part))), mixed=True)
    batch_seconds = (time.perf_counter() - began) / len(batch.x)
    batch_loss = partial(_batch_loss, material.loss, batch.targets, batch.known, batch.weight)
    precision, train_seconds = choose_precision(
        network, channels_last(batch.x), batch_loss, recipe.training.precision
    )
    return precision, train_seconds + batch_seconds / (1 + task.jobs)


def _batch_loss(
    loss: LossFunction, targets: Tensor, known: Tensor | None, weight: Tensor, logits: Tensor
) -> Tensor:
    return loss(logits, targets, known, weight)
