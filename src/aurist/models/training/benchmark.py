"""Measure the speed of a recipe's training on this machine, before any clip is decoded."""

from __future__ import annotations

import time

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from aurist.models.network_files import input_spec_of
from aurist.models.network_member import some_samples
from aurist.models.training.fold import device, front_end, new_network, to_device
from aurist.models.training.precision import choose_precision
from aurist.models.training.predict import channels_last
from aurist.recipes import Recipe

#: Time to make and augment an image, over the time to make it alone.
_AUGMENTED = 2.0


def measure(recipe: Recipe, n_classes: int, jobs: int, *, multilabel: bool) -> tuple[str, float]:
    """Return the precision to train in, and the clips/s of training, measured on a batch of noise."""
    torch.set_num_threads(max(1, jobs))
    torch.manual_seed(0)
    input_spec = input_spec_of(recipe, some_samples(recipe))
    network = to_device(new_network(recipe, input_spec, n_classes))
    n = recipe.training.batch_size
    waves, front = torch.randn(n, input_spec.n_samples, device=device()), front_end(recipe)
    front_seconds = 0.0
    x = waves
    if front is not None:
        front = front.to(device())
        front(waves)
        began = time.perf_counter()
        x = front(waves)
        front_seconds = _AUGMENTED * (time.perf_counter() - began) / n
    targets = torch.randint(n_classes, (n,), device=device())

    def loss(logits: Tensor) -> Tensor:
        if multilabel:
            return binary_cross_entropy_with_logits(logits, torch.zeros_like(logits))
        return cross_entropy(logits, targets)

    precision, train_seconds = choose_precision(network, channels_last(x), loss, recipe.training.precision)
    # the same cores make images while the network trains
    return precision, 1 / (train_seconds + front_seconds / (1 + jobs))
