"""How fast a network learns on this machine, and in which precision; measured before its training begins."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

#: Clips of the batch that is timed: enough to see the speed, few enough for large networks.
CLIPS = 8
#: bf16 must be so much faster to be worth its rounding.
_GAIN = 1.15


def choose_precision(
    network: nn.Module, x: Tensor, loss: Callable[[Tensor], Tensor], wanted: str
) -> tuple[str, float]:
    """The precision to learn in, and the seconds that a clip takes with it.

    Parameters
    ----------
    network
        A copy of it is trained.
    x
        What the network takes, of `CLIPS` clips or fewer.
    loss
        Of the network's logits.
    wanted
        As `aurist.recipes.Training.precision` has it.

    Returns
    -------
    precision
        "32", "bf16" or "16".
    seconds
        A clip, forwards and backwards.
    """
    if wanted != "auto":
        return wanted, _seconds(network, x, loss, wanted)
    plain, half = _seconds(network, x, loss, "32"), _seconds(network, x, loss, "bf16")
    return ("bf16", half) if plain > _GAIN * half else ("32", plain)


def autocast_dtype(precision: str) -> torch.dtype | None:
    """What autocast computes in; None: it is not used."""
    return {"32": None, "bf16": torch.bfloat16, "16": torch.float16}[precision]


def _seconds(network: nn.Module, x: Tensor, loss: Callable[[Tensor], Tensor], precision: str) -> float:
    """The quicker of two, after one to warm up."""
    copied = copy.deepcopy(network).train()
    dtype = autocast_dtype(precision)
    taken = []
    for _ in range(3):
        began = time.perf_counter()
        with torch.autocast(x.device.type, dtype=dtype, enabled=dtype is not None):
            logits = copied(x)
        loss(logits).backward()  # type: ignore[no-untyped-call]
        if x.device.type == "cuda":
            torch.cuda.synchronize()
        taken.append(time.perf_counter() - began)
    return min(taken[1:]) / len(x)
