"""The device that trains a network, or several processes or GPUs that train it together."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal, TypeVar

from lightning_fabric import Fabric
from lightning_fabric.strategies.ddp import DDPStrategy
from lightning_fabric.utilities.exceptions import MisconfigurationException

from aurist.models.base import FitFailedError
from aurist.recipes import Training

T = TypeVar("T")
_NAMES: dict[str, Literal["32-true", "bf16-mixed", "16-mixed"]] = {
    "32": "32-true",
    "bf16": "bf16-mixed",
    "16": "16-mixed",
}


def fabric_for(training: Training, precision: str) -> Fabric:
    """Return the device of a training; if there are several, `launch` starts a process for each.

    Raises
    ------
    FitFailedError
        If there are not so many GPUs.
    """
    strategy: str | DDPStrategy = "auto"
    if training.devices > 1:
        # a layer that does not learn yet has no gradients to share
        freezes = training.head_epochs > 0 or training.last_layers is not None
        strategy = DDPStrategy(start_method="spawn", find_unused_parameters=freezes)
    try:
        return Fabric(devices=training.devices, strategy=strategy, precision=_NAMES[precision])
    except MisconfigurationException as error:
        raise FitFailedError(f"training.devices is {training.devices}, and {error}") from error


def launch(fabric: Fabric, call: Callable[[Fabric], T]) -> T:
    """Run a call in a process for each device, and return what it returns in the first one.

    Parameters
    ----------
    fabric
        The devices.
    call
        Gets the fabric of its process. It must be picklable, and so must its result.

    Raises
    ------
    FitFailedError
        If it fails in one of the processes; the others are ended.
    """
    from torch.multiprocessing.spawn import ProcessExitedException, ProcessRaisedException

    try:
        result: Callable[[], T] = fabric.launch(partial(_constant, call))
    except (ProcessRaisedException, ProcessExitedException) as error:
        # the last line of the traceback: the kind of the error, and its message
        reason = str(error).strip().splitlines()[-1]
        raise FitFailedError(reason.removeprefix(f"{FitFailedError.__module__}.FitFailedError: ")) from error
    return result()


def _constant(call: Callable[[Fabric], T], fabric: Fabric) -> Callable[[], T]:
    """Hide the result in a function: Fabric looks for tensors in dataclasses, and refuses frozen ones."""
    return partial(_same, call(fabric))


def _same(result: T) -> T:
    return result
