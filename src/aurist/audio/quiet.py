"""libmpg123 without a voice: it writes to standard error of each damaged frame, which is told of in other ways."""

from __future__ import annotations

import ctypes
import platform
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache


class _Silence:
    """Where C writes what it calls stderr; file descriptor 2, and all that Python writes, stay as they are."""

    def __init__(self) -> None:
        libc = ctypes.CDLL(None)
        libc.fopen.restype, libc.fopen.argtypes = ctypes.c_void_p, [ctypes.c_char_p, ctypes.c_char_p]
        self._nowhere = libc.fopen(b"/dev/null", b"w")
        self._stderr = ctypes.c_void_p.in_dll(libc, "stderr")
        self._own = self._stderr.value
        self._lock, self._inside = threading.Lock(), 0

    def enter(self) -> None:
        with self._lock:
            self._inside += 1
            if self._nowhere:
                self._stderr.value = self._nowhere

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._stderr.value = self._own


@cache
def _silence() -> _Silence | None:
    # elsewhere the pointer may not be written to
    if platform.libc_ver()[0] != "glibc":
        return None
    try:
        return _Silence()
    except (OSError, AttributeError, ValueError):
        return None


@contextmanager
def quiet(wanted: bool = True) -> Iterator[None]:
    """What C code writes to standard error meanwhile is lost (with glibc; elsewhere it is not).

    Parameters
    ----------
    wanted
        False: nothing is done.
    """
    silence = _silence() if wanted else None
    if silence is None:
        yield
        return
    silence.enter()
    try:
        yield
    finally:
        silence.leave()
