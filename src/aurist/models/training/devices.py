"""The device that trains a network, or several processes or GPUs that train it together."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Literal, TypeVar

import torch.distributed
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.lightning import LightningEnvironment, find_free_network_port
from lightning_fabric.strategies.ddp import DDPStrategy
from lightning_fabric.utilities.exceptions import MisconfigurationException

from aurist.models.base import FitFailedError
from aurist.recipes import Training
from aurist.workers import end_workers, run_in_processes

T = TypeVar("T")
_NAMES: dict[str, Literal["32-true", "bf16-mixed", "16-mixed"]] = {
    "32": "32-true",
    "bf16": "bf16-mixed",
    "16": "16-mixed",
}
#: Seconds in which the end of a process is noticed by the one that started it.
_NOTICED = 20.0


def fabric_for(training: Training, precision: str, strategy: str | DDPStrategy = "auto") -> Fabric:
    """Return the device of a training; of several, the one of this process.

    Raises
    ------
    FitFailedError
        If there are not so many GPUs.
    """
    try:
        return Fabric(devices=training.devices, strategy=strategy, precision=_NAMES[precision])
    except MisconfigurationException as error:
        raise FitFailedError(f"training.devices is {training.devices}, and {error}") from error


def launch(training: Training, precision: str, call: Callable[[Fabric], T]) -> T:
    """Run a call in a process for each device, and return what it returns in the first one.

    Parameters
    ----------
    training
        Has the number of the devices.
    precision
        As in `aurist.models.training.loop.Plan`.
    call
        Gets the fabric of its process. It must be picklable, and so must its result.

    Raises
    ------
    FitFailedError
        If it fails with this error in one of the processes; the others are ended.
    WorkerDiedError
        If one of the processes dies; the others are ended.
    """
    port, ranks = find_free_network_port(), range(training.devices)
    calls = [partial(_of_rank, rank, port, training, precision, call) for rank in ranks]
    try:
        return run_in_processes(calls, training.devices)[0]
    finally:
        end_workers()


def _of_rank(rank: int, port: int, training: Training, precision: str, call: Callable[[Fabric], T]) -> T:
    """Run a call in this process, which is the one with this number of those that train together."""
    # a layer that does not learn yet has no gradients to share
    freezes = training.head_epochs > 0 or training.last_layers is not None
    strategy = DDPStrategy(cluster_environment=_Process(rank, port), find_unused_parameters=freezes)
    fabric = fabric_for(training, precision, strategy)
    try:
        fabric.launch()
        result = call(fabric)
    except RuntimeError:
        # another process died, perhaps: the one that started both says so, and ends this one meanwhile
        time.sleep(_NOTICED)
        raise
    torch.distributed.destroy_process_group()
    return result


class _Process(LightningEnvironment):
    """One of the processes of `launch`. No variable of the environment, such as those of Slurm, has a say."""

    def __init__(self, rank: int, port: int) -> None:
        super().__init__()
        self._rank, self._port = rank, port

    @property
    def creates_processes_externally(self) -> bool:
        return True

    @property
    def main_address(self) -> str:
        return "127.0.0.1"

    @property
    def main_port(self) -> int:
        return self._port

    def local_rank(self) -> int:
        return self._rank

    def node_rank(self) -> int:
        return 0
