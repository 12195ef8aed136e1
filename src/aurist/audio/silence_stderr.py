"""Silence libmpg123: it writes each damaged frame to standard error, and aurist reports damage itself."""

from __future__ import annotations

import ctypes
import platform
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache


class _Silence:
    """Redirects stderr of C code. File descriptor 2 and Python's standard error do not change."""

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
    # other C libraries may not allow a write to the pointer
    if platform.libc_ver()[0] != "glibc":
        return None
    try:
        return _Silence()
    except (OSError, AttributeError, ValueError):
        return None


@contextmanager
def quiet(enabled: bool = True) -> Iterator[None]:
    """Drop what C code writes to standard error inside this context (only with glibc).

    Parameters
    ----------
    enabled
        False: do nothing.
    """
    silence = _silence() if enabled else None
    if silence is None:
        yield
        return
    silence.enter()
    try:
        yield
    finally:
        silence.leave()
