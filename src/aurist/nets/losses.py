"""What networks minimise, and what their answers mean as probabilities; in single precision whatever surrounds it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from aurist.errors import ConfigError

KINDS = ("cross_entropy", "focal", "bce", "bce_focal")
#: logits (batch, n_classes), targets (batch, n_classes), what is known of them (batch, n_classes) or None, weights
#: (batch,), to a number
LossFunction = Callable[[Tensor, Tensor, Tensor | None, Tensor], Tensor]


def loss_function(
    kind: str, *, label_smoothing: float = 0.0, gamma: float = 2.0, class_weight: Tensor | None = None
) -> LossFunction:
    """The mean loss of a batch, weighted by clip.

    Parameters
    ----------
    kind
        "cross_entropy": targets are shares of classes, so that mixed clips are as good as whole ones; several labels
        of a clip share it equally. "focal": the same, less for what is easy (T.-Y. Lin et al., "Focal loss for dense
        object detection", 2017). "bce", "bce_focal": each class apart, those unknown left out.
    label_smoothing
        Share of the target that is spread over all classes; with "bce", towards one half.
    gamma
        Of the focal losses.
    class_weight
        (n_classes,), such as `class_weights` gives.

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
        each = -targets * log_proba
        if focus:
            each = each * (1 - log_proba.exp()) ** focus
        if class_weight is not None:
            each = each * class_weight.to(each.device)
        return _mean(each.sum(dim=1), weight)

    def apart(logits: Tensor, targets: Tensor, known: Tensor | None, weight: Tensor) -> Tensor:
        targets = torch.lerp(targets, torch.full_like(targets, 0.5), label_smoothing)
        logits = logits.float()
        each = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
        if focus:
            proba = logits.sigmoid()
            each = each * (targets * (1 - proba) + (1 - targets) * proba) ** focus
        if class_weight is not None:
            each = each * class_weight.to(each.device)
        if known is None:
            return _mean(each.mean(dim=1), weight)
        return (each * known * weight[:, None]).sum() / (known * weight[:, None]).sum().clamp(min=1e-12)

    return apart if kind.startswith("bce") else shared


def _mean(each: Tensor, weight: Tensor) -> Tensor:
    return (each * weight).sum() / weight.sum().clamp(min=1e-12)


def class_weights(targets: Tensor, weight: Tensor) -> Tensor:
    """(n_classes,): the inverse of how common a class is among (n, n_classes) targets, 1 on average over the clips.

    A class that no clip has gets 0.

    Examples
    --------
    >>> class_weights(torch.tensor([[1.0, 0], [1, 0], [1, 0], [0, 1]]), torch.ones(4))
    tensor([0.6667, 2.0000])
    """
    counts = (targets * weight[:, None]).sum(dim=0)
    return torch.where(counts > 0, counts.sum() / (counts > 0).sum() / counts.clamp(min=1e-12), 0.0)


def to_proba(logits: Tensor, *, multilabel: bool) -> Tensor:
    """Logits to probabilities over the last dimension: of each class apart, or as shares of one."""
    return logits.float().sigmoid() if multilabel else logits.float().softmax(dim=-1)
