"""All that differs between operating systems: locks, flushing, cores, memory, signals, the parent process.

No other module calls what only one kind of system has. On Windows none of this was tried yet.
"""

from __future__ import annotations

import ctypes
import os
import platform
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import IO, TYPE_CHECKING

from aurist.errors import AuristError

if TYPE_CHECKING:
    import subprocess

#: Byte of a file that Windows locks: far behind its content, which others may then read.
_LOCKED_BYTE = 1 << 30
#: Seconds between two checks of a process for its parent.
_LOOK_EVERY = 0.2


def try_lock(file: IO[str]) -> bool:
    """Lock an open file until it is closed or the process ends; return False if another process has locked it.

    Raises
    ------
    OSError
        If the system, or the file system, has no locks.
    """
    try:
        import fcntl
    except ImportError:
        return _try_lock_windows(file)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _try_lock_windows(file: IO[str]) -> bool:
    try:
        import msvcrt
    except ImportError:
        raise OSError("this system has no locks") from None
    position = os.lseek(file.fileno(), 0, os.SEEK_CUR)
    try:
        os.lseek(file.fileno(), _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    except PermissionError:  # locked by another process
        return False
    finally:
        os.lseek(file.fileno(), position, os.SEEK_SET)
    return True


def flush_file(path: Path) -> None:
    """Wait until the content of a file is on the disk."""
    handle = os.open(path, os.O_RDWR)  # Windows flushes only files that are open for writing
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def flush_folder(path: Path) -> None:
    """Wait until the names in a folder are on the disk; nothing on Windows, which cannot open a folder."""
    if sys.platform == "win32":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def usable_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def free_memory() -> int | None:
    """Return the bytes of memory that are free without swapping; None if the system does not tell."""
    with suppress(OSError):
        text = Path("/proc/meminfo").read_text(encoding="utf-8")
        match = re.search(r"MemAvailable:\s+(\d+) kB", text)
        if match is not None:
            return 1024 * int(match[1])
    return None


def limit_memory(size: int) -> None:
    """Limit the address space of this process and of those that it starts, in bytes; nothing on Windows."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (size, size))


def kill_session(process: subprocess.Popen[bytes]) -> None:
    """Kill a process that began a session of its own, with its children; on Windows the process alone."""
    with suppress(ProcessLookupError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def cpu_name() -> str:
    """Return the model of the processor with its instructions, or what the system tells of it."""
    with suppress(OSError):
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
        # the name of a virtual processor says little
        parts = [
            re.search(rf"^{key}\s*: (.+)$", text, re.MULTILINE) for key in ("model name", "flags", "Features")
        ]
        if any(parts):
            return " ".join(match[1] for match in parts if match is not None)
    return platform.processor() or platform.machine()


def may_have_gpu() -> bool:
    """Return True if the driver of a GPU is installed. This takes no time, where torch takes seconds to import."""
    if Path("/dev/kfd").exists():  # AMD
        return True
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True


@contextmanager
def interrupts_held_back() -> Iterator[None]:
    """Delay Ctrl-C until the end of this context. Processes that start inside it do not get the signal.

    On Windows nothing is delayed.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def interrupts_kept() -> Iterator[None]:
    """Raise KeyboardInterrupt if Ctrl-C came inside this context, also where a library made another error of it.

    Compiled code may look for errors of one kind only: while scikit-learn is imported, numpy answers Ctrl-C with a
    ValueError on a buffer format. Errors of aurist stay: one of them may be the answer to Ctrl-C. Outside the main
    thread, which alone gets signals, this does nothing.
    """
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield
        return
    came = False

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal came
        came = True
        handler(number, frame)

    signal.signal(signal.SIGINT, note)
    try:
        yield
    except Exception as error:
        if came and not isinstance(error, AuristError):
            raise KeyboardInterrupt from error
        raise
    finally:
        signal.signal(signal.SIGINT, handler)


def wait_for_end_of_parent(parent: int) -> None:
    """Return when the parent process with this id has ended."""
    if sys.platform == "win32":  # its processes keep the id of a parent that has ended
        kernel, synchronize, forever = ctypes.windll.kernel32, 0x00100000, 0xFFFFFFFF
        handle = kernel.OpenProcess(synchronize, False, parent)
        if handle:
            kernel.WaitForSingleObject(handle, forever)
            kernel.CloseHandle(handle)
        return
    while os.getppid() == parent:
        time.sleep(_LOOK_EVERY)


@contextmanager
def without_output(descriptor: int) -> Iterator[None]:
    """Drop what C code writes to a file descriptor inside this context: 1 is standard output, 2 standard error."""
    (sys.stdout if descriptor == 1 else sys.stderr).flush()
    own, nowhere = os.dup(descriptor), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, descriptor)
        yield
    finally:
        if os.name == "posix":
            ctypes.CDLL(None).fflush(None)  # what C code has buffered
        os.dup2(own, descriptor)
        os.close(nowhere)
        os.close(own)
