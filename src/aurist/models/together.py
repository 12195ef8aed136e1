"""Predict with the networks of several folds and members at once: those that take the same images share them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from aurist.arrays import Proba
from aurist.models.base import Inputs
from aurist.models.network_model import Float, NetworkModel, Windows
from aurist.models.onnx_networks.networks import OnnxNetworks, logits_together


def predict_together(models: Sequence[NetworkModel], inputs: Inputs) -> list[Proba]:
    """Return `NetworkModel.predict_proba` of each model."""
    answers: dict[int, Proba] = {}
    for numbers in _groups(models):
        windows, logits = _logits([models[number] for number in numbers], inputs, frames=False)
        for number, of_one in zip(numbers, logits, strict=True):
            answers[number] = models[number].pooled(windows, of_one)
    return [answers[number] for number in range(len(models))]


def predict_parts_together(
    models: Sequence[NetworkModel], inputs: Inputs, n_parts: int
) -> list[tuple[Proba, Proba]]:
    """Return `NetworkModel.predict_parts` of each model; all score frames."""
    answers: dict[int, tuple[Proba, Proba]] = {}
    for numbers in _groups(models):
        windows, logits = _logits([models[number] for number in numbers], inputs, frames=True)
        for number, of_one in zip(numbers, logits, strict=True):
            answers[number] = models[number].parts(windows, of_one, n_parts)
    return [answers[number] for number in range(len(models))]


def expect_inputs(models: Sequence[NetworkModel], number: int) -> None:
    """Announce inputs that will be predicted, at least a window each: an engine may prepare for many."""
    for model in models:
        if isinstance(model.networks, OnnxNetworks):
            model.networks.expect(number)


def _groups(models: Sequence[NetworkModel]) -> list[list[int]]:
    """Group the numbers of models that can share images; the others are alone."""
    groups: dict[str, list[int]] = {}
    for number, model in enumerate(models):
        front, window = asdict(model.recipe.front), asdict(model.recipe.window)
        can_share = isinstance(model.networks, OnnxNetworks)
        key = repr((front, window, model.input_spec, None if can_share else number))
        groups.setdefault(key, []).append(number)
    return list(groups.values())


def _logits(
    models: Sequence[NetworkModel], inputs: Inputs, *, frames: bool
) -> tuple[Windows, list[list[list[Float]]]]:
    first = models[0]
    windows, jobs = first.windows(inputs), first.task.jobs
    shared = [model.networks for model in models if isinstance(model.networks, OnnxNetworks)]
    if shared:
        return windows, logits_together(shared, windows, jobs, frames=frames)
    return windows, [first.networks.logits(windows, jobs, frames=frames)]
