"""Choose the precision of a training by its speed on this machine, before the training begins."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

#: Clips of the measured batch: enough to measure the speed, few enough for large networks.
CLIPS = 8
#: bf16 must be this much faster to be worth its rounding.
_GAIN = 1.15


def choose_precision(
    network: nn.Module, x: Tensor, loss: Callable[[Tensor], Tensor], precision: str
) -> tuple[str, float]:
    """Return the precision to train in, and the seconds per clip with it.

    Parameters
    ----------
    network
        A copy of it is trained.
    x
        The network's input for `CLIPS` clips or fewer.
    loss
        A function of the network's logits.
    wanted
        As in `aurist.recipes.Training.precision`; "auto" measures.

    Returns
    -------
    precision
        "32", "bf16" or "16".
    seconds
        For one clip, forwards and backwards.
    """
    if precision != "auto":
        return precision, _seconds(network, x, loss, precision)
    plain, half = _seconds(network, x, loss, "32"), _seconds(network, x, loss, "bf16")
    return ("bf16", half) if plain > _GAIN * half else ("32", plain)


def autocast_dtype(precision: str) -> torch.dtype | None:
    """Return the type for autocast; None if it is not used."""
    return {"32": None, "bf16": torch.bfloat16, "16": torch.float16}[precision]


def _seconds(network: nn.Module, x: Tensor, loss: Callable[[Tensor], Tensor], precision: str) -> float:
    """Return the faster of two runs, after one to warm up."""
    copied = copy.deepcopy(network).train()
    dtype = autocast_dtype(precision)
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        with torch.autocast(x.device.type, dtype=dtype, enabled=dtype is not None):
            logits = copied(x)
        loss(logits).backward()  # type: ignore[no-untyped-call]
        if x.device.type == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - began)
    return min(seconds[1:]) / len(x)
