"""Run calls on the machines of a Ray cluster; each writes its result into a folder that all machines share."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import Any

from aurist.errors import AuristError
from aurist.extras import need_extra
from aurist.progress import Advance

#: How often a call is given to another worker if its own is lost.
_RETRIES = 5
#: Seconds to wait until a cluster answers.
_REACHED_WITHIN = 20.0


class ClusterError(AuristError):
    """A cluster cannot be reached, or lost a call too often."""


def run_on_cluster(
    calls: Sequence[Callable[[], object]], address: str, *, cores: int = 1, title: str = "shards"
) -> None:
    """Run calls on a cluster, as `aurist.workers.run_in_processes` does here; results are ignored.

    A call whose worker or machine is lost runs again elsewhere. Calls must leave alone what is finished already: then a
    driver that was killed is simply started again.

    Parameters
    ----------
    calls
        Each must be picklable (by cloudpickle), and find its files at the same absolute paths on all machines, where
        the same aurist is installed.
    address
        As Ray takes it: "ray://head:10001" from outside, "head:6379" or "auto" on a machine of the cluster.
    cores
        Of each call.
    title
        For the progress bar.

    Raises
    ------
    ClusterError
        If the cluster cannot be reached, or lost the same call several times.
    AuristError
        The first error of a call; calls that still run are cancelled.
    """
    need_extra("ray", "A cluster")
    import ray

    _connect(ray, address)
    try:
        task = ray.remote(num_cpus=cores, max_retries=_RETRIES)(_run)
        running = [task.remote(call) for call in calls]
        with Advance(len(calls), True, title) as advance:
            while running:
                done, running = ray.wait(running)
                _check(ray, done[0], running)
                advance()
    finally:
        ray.shutdown()


def _connect(ray: Any, address: str) -> None:
    # a client's address allows no other settings
    quiet = {} if address.startswith("ray://") else {"log_to_driver": False, "logging_level": "error"}
    try:
        host, _, port = address.removeprefix("ray://").rpartition(":")
        if port.isdecimal():
            socket.create_connection((host, int(port)), _REACHED_WITHIN).close()  # Ray tries for minutes
        ray.init(address, **quiet)
    except Exception as error:  # Ray raises many kinds of errors
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ClusterError(
            f"The cluster {address} cannot be reached: {reason}. Start one with Ray's own command `ray start`, "
            "and give its address as ray://HOST:10001, or auto on one of its machines."
        ) from error


def _run(call: Callable[[], object]) -> AuristError | None:
    """Run a call on a worker; an error that users should read is a result, and no reason to try again."""
    try:
        call()
    except AuristError as error:
        return error
    return None


def _check(ray: Any, done: Any, running: Sequence[Any]) -> None:
    try:
        error = ray.get(done)
    except ray.exceptions.RayError as lost:
        reason = (str(lost).strip().splitlines() or [type(lost).__name__])[-1]
        error = ClusterError(
            f"A call on the cluster failed: {reason}. What is finished is kept: give the command again."
        )
    if error is not None:
        for call in running:
            ray.cancel(call)
        raise error
