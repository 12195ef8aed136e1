"""Optimisers and learning rates of recipes."""

from __future__ import annotations

import math

import torch

from aurist.nets.parameters import parameter_groups
from aurist.recipes import Training

#: A one-cycle rate begins at this share of its highest.
_FIRST = 1 / 25


def optimizer(network: torch.nn.Module, config: Training) -> torch.optim.Optimizer:
    """Return the optimiser of a recipe; biases and norms have no weight decay."""
    groups = parameter_groups(network, config.weight_decay, config.layer_rate)
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=config.lr, momentum=config.momentum, nesterov=config.momentum > 0)
    if config.optimizer == "rmsprop":  # as in Keras: recipes with it come from there
        return torch.optim.RMSprop(groups, lr=config.lr, alpha=0.9, eps=1e-7, momentum=config.momentum)
    kind = torch.optim.AdamW if config.optimizer == "adamw" else torch.optim.Adam
    return kind(groups, lr=config.lr, betas=(config.momentum, 0.999))


def rate(config: Training, step: int, steps: int, steps_per_epoch: int) -> float:
    """Return the factor of the learning rate at a step, 0 to ``steps - 1``.

    Examples
    --------
    >>> config = Training(schedule="one_cycle", warmup=0.25)
    >>> [round(rate(config, step, 101, 10), 3) for step in (0, 25, 100)]
    [0.04, 1.0, 0.0]
    """
    if config.schedule in ("one_cycle", "cosine"):
        whole = max(1, steps - 1)
        rise = config.warmup * whole
        if step < rise:
            part = step / rise
            if config.schedule == "one_cycle":
                part = (1 - math.cos(math.pi * part)) / 2
            return _FIRST + (1 - _FIRST) * part
        return (1 + math.cos(math.pi * (step - rise) / max(1e-9, whole - rise))) / 2
    if config.schedule == "inverse":
        return 1 / (1 + config.decay * step)
    if config.schedule == "step":
        return config.decay ** (step // steps_per_epoch // config.decay_epochs)
    return 1.0


def set_rate(optimizer: torch.optim.Optimizer, config: Training, factor: float) -> None:
    """Set the learning rate of every group, which has its share of it."""
    for group in optimizer.param_groups:
        group["lr"] = config.lr * factor * group.get("share", 1.0)
