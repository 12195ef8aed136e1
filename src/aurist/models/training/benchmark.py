"""How fast a recipe would be trained on this machine, before any clip is decoded for it."""

from __future__ import annotations

import time

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from aurist.models.network_member import some_samples
from aurist.models.training.fold import device, ear_of, front_end, in_place, new_network
from aurist.models.training.precision import choose_precision
from aurist.models.training.predict import as_network_likes
from aurist.recipes import Recipe

#: Making an image and changing it, by the time of making it alone.
_AUGMENTED = 2.0


def measure(recipe: Recipe, n_classes: int, jobs: int, *, multilabel: bool) -> tuple[str, float]:
    """The precision to train in, and clips/s of the training, measured on a batch of noise."""
    torch.set_num_threads(max(1, jobs))
    torch.manual_seed(0)
    ear = ear_of(recipe, some_samples(recipe))
    network = in_place(new_network(recipe, ear, n_classes))
    n = recipe.training.batch_size
    waves, front = torch.randn(n, ear.n_samples, device=device()), front_end(recipe)
    made = 0.0
    x = waves
    if front is not None:
        front = front.to(device())
        front(waves)
        began = time.perf_counter()
        x = front(waves)
        made = _AUGMENTED * (time.perf_counter() - began) / n
    targets = torch.randint(n_classes, (n,), device=device())

    def loss(logits: Tensor) -> Tensor:
        if multilabel:
            return binary_cross_entropy_with_logits(logits, torch.zeros_like(logits))
        return cross_entropy(logits, targets)

    precision, taken = choose_precision(network, as_network_likes(x), loss, recipe.training.precision)
    # images are made beside the training, by the same cores
    return precision, 1 / (taken + made / (1 + jobs))
