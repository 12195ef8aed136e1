"""A moving average of a network's weights."""

from __future__ import annotations

from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

Tensors = tuple[Tensor, ...] | list[Tensor]


def moving_average(network: nn.Module, decay: float) -> AveragedModel:
    """Return a moving average of the weights and of the statistics of the norms.

    The decay rises as (1 + n) / (10 + n), as in TensorFlow's ExponentialMovingAverage. With a constant decay and few
    steps the first, untrained weights would count too much.
    """

    def update(averages: Tensors, weights: Tensors, n: Tensor | int) -> None:
        current_decay = min(decay, (1 + int(n)) / (10 + int(n)))
        get_ema_multi_avg_fn(current_decay)(averages, weights, n)  # type: ignore[no-untyped-call]

    return AveragedModel(network, multi_avg_fn=update, use_buffers=True)
