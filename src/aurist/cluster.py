"""Run calls on the machines of a Ray cluster; each writes its result into a folder that all machines share."""

from __future__ import annotations

import math
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from aurist.errors import AuristError
from aurist.extras import need_extra
from aurist.progress import Advance
from aurist.workers import OutOfTimeError, WorkerDiedError

#: How often a call is given to another worker if its own is lost.
_RETRIES = 5
#: Seconds to wait until a cluster answers, and until calls that are cancelled have ended.
_REACHED_WITHIN, _ENDED_WITHIN = 20.0, 10.0
#: Ray's errors for a worker or a machine that is lost.
_LOST = ("WorkerCrashedError", "NodeDiedError", "LocalRayletDiedError", "OutOfMemoryError")


class ClusterError(AuristError):
    """A cluster cannot be reached, or a call on it failed."""


@dataclass(frozen=True)
class Cluster:
    """A cluster that this process is connected to: its address, and the cores of each of its machines."""

    address: str
    machines: tuple[int, ...]


@contextmanager
def connected(address: str) -> Iterator[Cluster]:
    """Connect to a cluster; its workers are kept until the end of this context.

    Parameters
    ----------
    address
        As Ray takes it: "ray://head:10001" from outside, "head:6379" or "auto" on a machine of the cluster.

    Raises
    ------
    ClusterError
        If the cluster cannot be reached.
    """
    need_extra("ray", "A cluster")
    import ray

    _connect(ray, address)
    try:
        yield Cluster(address, _machines(ray))
    finally:
        ray.shutdown()


def run_on_cluster(
    calls: Sequence[Callable[[], object]],
    cluster: Cluster,
    *,
    cores: int = 1,
    seconds: float = math.inf,
    title: str | None = None,
) -> None:
    """Run calls on a cluster, as `aurist.workers.run_in_processes` does here; results are ignored.

    A call whose worker or machine is lost runs again elsewhere. Calls must leave alone what is finished already: then a
    driver that was killed is simply started again.

    Parameters
    ----------
    calls
        Each must be picklable (by cloudpickle), and find its files at the same absolute paths on all machines, where
        the same aurist is installed.
    cluster
        The cluster, by `connected`.
    cores
        Of each call.
    seconds
        Time limit for all.
    title
        For the progress bar; None: there is none.

    Raises
    ------
    OutOfTimeError
        If the time limit is reached.
    WorkerDiedError
        If the same call was lost several times.
    ClusterError
        If a call failed with an error that is not ours.
    AuristError, MemoryError
        The first error of a call. Calls that still run are then ended, as they are after all of these errors.
    """
    import ray

    until = time.monotonic() + seconds
    task = ray.remote(num_cpus=cores, max_retries=_RETRIES)(_run)
    running: list[Any] = []
    try:
        running += [task.remote(call) for call in calls]
        with Advance(len(calls), title is not None, title or "") as advance:
            while running:
                remaining = None if math.isinf(until) else max(until - time.monotonic(), 0.0)
                done, running = ray.wait(running, timeout=remaining)
                if not done:
                    raise OutOfTimeError
                _check(ray, done[0])
                advance()
    finally:
        _end(ray, running)


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


def _machines(ray: Any) -> tuple[int, ...]:
    cores = [int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"]]
    # a cluster that grows when it is used may have no machine yet
    return tuple(n for n in cores if n) or (1,)


def _run(call: Callable[[], object]) -> AuristError | None:
    """Run a call on a worker; an error that users should read is a result, and no reason to try again."""
    try:
        call()
    except AuristError as error:
        return error
    return None


def _check(ray: Any, done: Any) -> None:
    """Raise the error of a call that is done."""
    try:
        error = ray.get(done)
    except MemoryError:  # Ray's errors are of the kind of their cause, too
        raise
    except ray.exceptions.RayError as failed:
        reason = (str(failed).strip().splitlines() or [type(failed).__name__])[-1]
        if isinstance(failed, tuple(getattr(ray.exceptions, name) for name in _LOST)):
            error = WorkerDiedError(f"A call on the cluster was lost {_RETRIES + 1} times: {reason}")
        else:
            error = ClusterError(
                f"A call on the cluster failed: {reason}. What is finished is kept: give the command again."
            )
    if error is not None:
        raise error


def _end(ray: Any, running: list[Any]) -> None:
    """End calls at once, and wait for their ends: what they write must not meet what comes next."""
    if running:
        with suppress(Exception):  # the connection may be lost
            for call in running:
                ray.cancel(call, force=True)
            ray.wait(running, num_returns=len(running), timeout=_ENDED_WITHIN)
