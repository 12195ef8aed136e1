"""Make results ahead of time in threads, in order: batches are ready when the network needs them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

import torch

T = TypeVar("T")


class Prefetch(Generic[T]):
    """The results of calls in their order, made ahead by threads.

    ``waited`` counts the seconds that the consumer waited.

    Parameters
    ----------
    calls
        The calls; each runs in a free thread.
    threads
        Their number. With 0 each call runs when its result is needed.

    Examples
    --------
    >>> list(Prefetch([lambda: 1, lambda: 2], threads=2))
    [1, 2]
    """

    def __init__(self, calls: Iterable[Callable[[], T]], threads: int) -> None:
        self._calls = iter(calls)
        self._threads = threads
        self.waited = 0.0

    def __iter__(self) -> Iterator[T]:
        if self._threads == 0:
            for call in self._calls:
                began = time.perf_counter()
                result = call()
                self.waited += time.perf_counter() - began
                yield result
            return
        cores = torch.get_num_threads()
        with ThreadPoolExecutor(self._threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            pending: deque[Future[T]] = deque()
            try:
                for call in self._calls:
                    pending.append(pool.submit(call))
                    torch.set_num_threads(cores)  # the setting of a thread becomes the default of later ones
                    if len(pending) > self._threads + 1:
                        yield self._result(pending.popleft())
                while pending:
                    yield self._result(pending.popleft())
            finally:
                for future in pending:
                    future.cancel()

    def _result(self, future: Future[T]) -> T:
        began = time.perf_counter()
        result = future.result()
        self.waited += time.perf_counter() - began
        return result
