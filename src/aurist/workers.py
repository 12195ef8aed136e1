"""Calls in threads, made ahead, and in processes, which end with their time or with the process that began them."""

from __future__ import annotations

import math
import os
import re
import signal
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from aurist.errors import AuristError

K = TypeVar("K")
T = TypeVar("T")

#: How often a worker looks whether its parent is still there.
_LOOK_EVERY = 0.2
#: Seconds that are waited for a call to be taken by a worker before it is killed.
_TAKEN_WITHIN = 10.0


class WorkerDiedError(AuristError):
    """A worker process ended before its call returned; the message says the likely reason."""


class OutOfTimeError(Exception):
    """Calls had not returned when their time was up; their processes were killed."""


def run_in_processes(
    calls: Sequence[Callable[[], object]], workers: int, seconds: float | None = None
) -> None:
    """Make the calls, so many at a time, each in a worker process; the processes serve again later.

    The calls' results are thrown away: what they make they leave on the disk.

    Parameters
    ----------
    calls
        Each can be pickled (by cloudpickle).
    workers
        Processes.
    seconds
        Wall time for all; what runs then is killed. Without it they may take as long as they need.

    Raises
    ------
    OutOfTimeError
        Where the time was up first.
    WorkerDiedError
        Where a process was killed, most often by the system for want of memory, or crashed.
    Exception
        The first that a call raised; the calls that still run are then killed.
    """
    from joblib.externals.loky import get_reusable_executor

    with warnings.catch_warnings():
        # loky replaces a worker whose memory has grown; nothing is lost
        warnings.filterwarnings("ignore", message="A worker stopped", category=UserWarning)
        with _interrupts_held_back():
            executor = get_reusable_executor(
                max_workers=workers, timeout=600, initializer=_end_with, initargs=(os.getpid(),)
            )
        until = math.inf if seconds is None else time.monotonic() + seconds
        here = str(Path.cwd()), _settings()
        waiting, running = deque(calls), set[Future[object]]()
        finished = False
        try:
            while waiting or running:
                # no more than can begin: see _taken
                with _interrupts_held_back():
                    while waiting and len(running) < workers:
                        running.add(executor.submit(_make, waiting.popleft(), *here))
                left = None if math.isinf(until) else max(until - time.monotonic(), 0.0)
                done, running = wait(running, left, return_when=FIRST_COMPLETED)
                if not done:
                    raise OutOfTimeError
                for future in done:
                    _result(future)
            finished = True
        finally:
            if not finished:
                _taken(running)
                executor.shutdown(wait=True, kill_workers=True)


def _make(call: Callable[[], object], folder: str, settings: dict[str, str]) -> object:
    """Make a call in the folder and with the settings of who asks: a worker may have begun in others."""
    os.chdir(folder)
    for name in set(_settings()) - set(settings):
        del os.environ[name]
    os.environ.update(settings)
    return call()


def _settings() -> dict[str, str]:
    """Return this process's settings of aurist, such as where its cache is."""
    return {name: value for name, value in os.environ.items() if name.startswith("AURIST_")}


def _result(future: Future[object]) -> None:
    try:
        future.result()
    except BrokenExecutor as error:
        raise WorkerDiedError(_why_died(str(error))) from None


def _why_died(text: str) -> str:
    """The likely reason, by the ends of all processes as loky tells them.

    Examples
    --------
    >>> _why_died("... The exit codes of the workers are {SIGKILL(-9)}")
    'its process was killed (SIGKILL), most likely because memory ran out'
    """
    if "SIGKILL" in text:
        return "its process was killed (SIGKILL), most likely because memory ran out"
    ends = re.findall(r"SIG\w+|EXIT\(\d+\)", text)
    return f"its process crashed ({ends[0]})" if ends else "its process ended before it was done"


def _taken(calls: set[Future[object]]) -> None:
    """Wait until loky has handed them to its workers.

    Calls that it still holds when it is stopped end its thread with a KeyError, in sight of the user.
    """
    until = time.monotonic() + _TAKEN_WITHIN
    while time.monotonic() < until and not all(call.running() or call.done() for call in calls):
        time.sleep(0.001)


def ahead(calls: Iterable[tuple[K, Callable[[], T]]], threads: int) -> Iterator[tuple[K, Future[T]]]:
    """Calls made ahead by threads, in their order, each as it is done; no more wait than there are threads.

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
    """Let this process end soon after its parent: an orphan would write into a run that is resumed."""

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK_EVERY)
        os._exit(1)

    threading.Thread(target=look, daemon=True, name="end with the parent").start()


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Ctrl-C is answered afterwards, by this process alone: processes begun meanwhile never hear of it."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    _begin_tracker()  # where it is begun later, it lets signals through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin_tracker() -> None:
    """Begin loky's tracker of semaphores, which would otherwise tell users of those that killed workers held."""
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
