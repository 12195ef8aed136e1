"""Losses, and probabilities from logits; always in single precision."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from aurist.errors import ConfigError

KINDS = ("cross_entropy", "focal", "bce", "bce_focal")
#: turns logits (batch, n_classes), targets (batch, n_classes), known cells (batch, n_classes) or None, and weights
#: (batch,) into a number
LossFunction = Callable[[Tensor, Tensor, Tensor | None, Tensor], Tensor]


def loss_function(
    kind: str, *, label_smoothing: float = 0.0, gamma: float = 2.0, class_weight: Tensor | None = None
) -> LossFunction:
    """Return a function for the mean loss of a batch, weighted by clip.

    Parameters
    ----------
    kind
        "cross_entropy": targets are shares of classes, also for mixed clips; several labels of a clip have equal
        shares. "focal": the same, with less weight on easy clips (T.-Y. Lin et al., "Focal loss for dense object
        detection", 2017). "bce", "bce_focal": each class by itself, without unknown cells.
    label_smoothing
        Share of the target that is spread over all classes; with "bce", towards 0.5.
    gamma
        The exponent of the focal losses.
    class_weight
        (n_classes,), as from `class_weights`.

    Examples
    --------
    >>> loss = loss_function("cross_entropy")
    >>> round(float(loss(torch.zeros(1, 4), torch.eye(4)[:1], None, torch.ones(1))), 4)  # log 4
    1.3863
    """
    if kind not in KINDS:
        raise ConfigError(f"The loss is {kind!r}, but must be one of: {', '.join(KINDS)}.")
    focus = gamma if kind.endswith("focal") else 0.0

    def shared(logits: Tensor, targets: Tensor, known: Tensor | None, weight: Tensor) -> Tensor:
        targets = targets / targets.sum(dim=1, keepdim=True).clamp(min=1e-12)
        targets = torch.lerp(targets, torch.full_like(targets, 1 / targets.shape[1]), label_smoothing)
        log_proba = functional.log_softmax(logits.float(), dim=1)
        losses = -targets * log_proba
        if focus:
            losses = losses * (1 - log_proba.exp()) ** focus
        if class_weight is not None:
            losses = losses * class_weight.to(losses.device)
        return _mean(losses.sum(dim=1), weight)

    def independent(logits: Tensor, targets: Tensor, known: Tensor | None, weight: Tensor) -> Tensor:
        targets = torch.lerp(targets, torch.full_like(targets, 0.5), label_smoothing)
        logits = logits.float()
        losses = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
        if focus:
            proba = logits.sigmoid()
            losses = losses * (targets * (1 - proba) + (1 - targets) * proba) ** focus
        if class_weight is not None:
            losses = losses * class_weight.to(losses.device)
        if known is None:
            return _mean(losses.mean(dim=1), weight)
        return (losses * known * weight[:, None]).sum() / (known * weight[:, None]).sum().clamp(min=1e-12)

    return independent if kind.startswith("bce") else shared


def _mean(losses: Tensor, weight: Tensor) -> Tensor:
    return (losses * weight).sum() / weight.sum().clamp(min=1e-12)


def class_weights(targets: Tensor, weight: Tensor) -> Tensor:
    """Return the inverse frequency of each class in (n, n_classes) targets, (n_classes,).

    The mean over the clips is 1. A class without clips gets 0.

    Examples
    --------
    >>> class_weights(torch.tensor([[1.0, 0], [1, 0], [1, 0], [0, 1]]), torch.ones(4))
    tensor([0.6667, 2.0000])
    """
    counts = (targets * weight[:, None]).sum(dim=0)
    return torch.where(counts > 0, counts.sum() / (counts > 0).sum() / counts.clamp(min=1e-12), 0.0)


def to_proba(logits: Tensor, *, multilabel: bool) -> Tensor:
    """Turn logits into probabilities over the last dimension: of each class by itself, or with a sum of 1."""
    return logits.float().sigmoid() if multilabel else logits.float().softmax(dim=-1)
