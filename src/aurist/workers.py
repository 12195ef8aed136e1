"""Run calls ahead in threads, or in processes that end at a time limit or with their parent process."""

from __future__ import annotations

import math
import os
import re
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from aurist.errors import AuristError
from aurist.system import interrupts_held_back, wait_for_end_of_parent

K = TypeVar("K")
T = TypeVar("T")

#: Seconds to wait until a worker takes a call, before it is killed.
_TAKEN_WITHIN = 10.0


class WorkerDiedError(AuristError):
    """A worker process ended before its call returned; the message gives the likely reason."""


class OutOfTimeError(Exception):
    """Calls did not return in time; their processes were killed."""


def run_in_processes(calls: Sequence[Callable[[], T]], workers: int, seconds: float | None = None) -> list[T]:
    """Run the calls in worker processes, a limited number at a time. The processes are reused later.

    Parameters
    ----------
    calls
        Each must be picklable (by cloudpickle).
    workers
        Number of processes.
    seconds
        Time limit for all; calls that still run are then killed. None: no limit.

    Returns
    -------
    list
        What the calls return, in their order.

    Raises
    ------
    OutOfTimeError
        If the time limit is reached.
    WorkerDiedError
        If a process crashed or was killed, mostly by the system because memory ran out.
    Exception
        The first error of a call; calls that still run are then killed.
    """
    with warnings.catch_warnings():
        # loky replaces a worker that uses too much memory; nothing is lost
        warnings.filterwarnings("ignore", message="A worker stopped", category=UserWarning)
        executor = _pool.of_at_least(workers)
        until = math.inf if seconds is None else time.monotonic() + seconds
        caller = str(Path.cwd()), _settings()
        waiting, running, begun = deque(calls), set[Future[T]](), list[Future[T]]()
        finished = False
        try:
            while waiting or running:
                # submit only calls that can begin: see _taken
                with _interrupts_held_back():
                    while waiting and len(running) < workers:
                        begun.append(executor.submit(_make, waiting.popleft(), *caller))
                        running.add(begun[-1])
                remaining = None if math.isinf(until) else max(until - time.monotonic(), 0.0)
                done, running = wait(running, remaining, return_when=FIRST_COMPLETED)
                if not done:
                    raise OutOfTimeError
                for future in done:
                    _result(future)
            finished = True
            return [_result(future) for future in begun]
        finally:
            if not finished:
                _taken(running)
                _pool.kill()


@contextmanager
def warm_workers(workers: int, modules: Sequence[str]) -> Iterator[None]:
    """Start worker processes that import modules, while the body does something else; an error in it ends them.

    Parameters
    ----------
    workers
        Number of processes; later calls use the same ones.
    modules
        Names of modules that later calls need. Those that cannot be imported are left to these calls.
    """
    executor = _pool.of_at_least(workers)
    with _interrupts_held_back():
        warming = {executor.submit(_import, tuple(modules)) for _ in range(workers)}
    try:
        yield
    except BaseException:
        _taken(warming)
        _pool.kill()
        raise


def _import(modules: tuple[str, ...]) -> None:
    for name in modules:
        with suppress(ImportError):
            import_module(name)


def end_workers() -> None:
    """End the worker processes, which wait for later calls otherwise, and hold memory.

    A process that is a worker itself must not leave any: loky replaces one that uses too much memory, and it would
    not end before they do.
    """
    _pool.kill()


class _Pool:
    """The worker processes of this process. There may be more than one call uses, and they are kept for later calls."""

    def __init__(self) -> None:
        self._executor: Any = None
        self._size = 0

    def of_at_least(self, workers: int) -> Any:
        """Return loky's executor with at least this number of workers."""
        from joblib.externals.loky import get_reusable_executor

        with _interrupts_held_back():
            self._size = max(self._size, workers)
            self._executor = get_reusable_executor(
                max_workers=self._size, timeout=600, initializer=_end_with, initargs=(os.getpid(),)
            )
        return self._executor

    def kill(self) -> None:
        """End all workers at once, whatever they do."""
        if self._executor is not None:
            self._executor.shutdown(wait=True, kill_workers=True)
        self._executor, self._size = None, 0


_pool = _Pool()


def _make(call: Callable[[], T], folder: str, settings: dict[str, str]) -> T:
    """Run a call in the folder and with the settings of the caller, as a worker may have started with others."""
    os.chdir(folder)
    for name in set(_settings()) - set(settings):
        del os.environ[name]
    os.environ.update(settings)
    return call()


def _settings() -> dict[str, str]:
    """Return this process's settings of aurist, such as its cache folder."""
    return {name: value for name, value in os.environ.items() if name.startswith("AURIST_")}


def _result(future: Future[T]) -> T:
    try:
        return future.result()
    except BrokenExecutor as error:
        raise WorkerDiedError(_why_died(str(error))) from None


def _why_died(text: str) -> str:
    """Return the likely reason from loky's list of exit codes.

    Examples
    --------
    >>> _why_died("... The exit codes of the workers are {SIGKILL(-9)}")
    'its process was killed (SIGKILL), most likely because memory ran out'
    """
    if "SIGKILL" in text:
        return "its process was killed (SIGKILL), most likely because memory ran out"
    ends = re.findall(r"SIG\w+|EXIT\(\d+\)", text)
    return f"its process crashed ({ends[0]})" if ends else "its process ended before it was done"


def _taken(calls: set[Future[Any]]) -> None:
    """Wait until loky has given the calls to its workers.

    If loky still holds calls when it is stopped, its thread ends with a KeyError that the user sees.
    """
    until = time.monotonic() + _TAKEN_WITHIN
    while time.monotonic() < until and not all(call.running() or call.done() for call in calls):
        time.sleep(0.001)


def ahead(calls: Iterable[tuple[K, Callable[[], T]]], threads: int) -> Iterator[tuple[K, Future[T]]]:
    """Run calls ahead in threads, and yield them in order as they are done; at most ``threads`` results wait.

    Examples
    --------
    >>> [(name, future.result()) for name, future in ahead([("a", lambda: 1), ("b", lambda: 2)], threads=2)]
    [('a', 1), ('b', 2)]
    """
    with ThreadPoolExecutor(threads, thread_name_prefix="ahead") as pool:
        waiting: deque[tuple[K, Future[T]]] = deque()
        try:
            for name, call in calls:
                waiting.append((name, pool.submit(call)))
                if len(waiting) > threads:
                    yield _done(waiting.popleft())
            while waiting:
                yield _done(waiting.popleft())
        finally:
            for _, future in waiting:
                future.cancel()


def _done(entry: tuple[K, Future[T]]) -> tuple[K, Future[T]]:
    wait([entry[1]])
    return entry


def _end_with(parent: int) -> None:
    """End this process soon after its parent, as an orphan would write into a resumed run."""

    def look() -> None:
        wait_for_end_of_parent(parent)
        os._exit(1)

    threading.Thread(target=look, daemon=True, name="end with the parent").start()


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Delay Ctrl-C until the end of this context. Processes that start inside it do not get the signal."""
    _begin_tracker()  # if it starts later, it lets signals through again
    with interrupts_held_back():
        yield


def _begin_tracker() -> None:
    """Start loky's tracker of semaphores without its warnings about killed workers."""
    from joblib.externals.loky.backend.resource_tracker import ensure_running

    before = os.environ.get("PYTHONWARNINGS")
    quiet = "ignore:resource_tracker:UserWarning"
    os.environ["PYTHONWARNINGS"] = f"{before},{quiet}" if before else quiet
    try:
        ensure_running()
    finally:
        if before is None:
            del os.environ["PYTHONWARNINGS"]
        else:
            os.environ["PYTHONWARNINGS"] = before
