"""A command measured with all processes that it starts: time, and memory that is its own or of mapped files."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

#: Seconds between two looks at the memory.
_EVERY = 0.05
#: Of /proc/PID/status: what RLIMIT_DATA limits, the process's own memory, and resident pages of files.
KINDS = ("VmData", "RssAnon", "RssFile")
#: The most that a process had resident so far. The kernel's `ru_maxrss` is no substitute: a process begins with that of
#: its parent, so a benchmark with PyTorch would report its own memory.
PEAK = "VmHWM"


def memory_of(pid: int | str = "self") -> dict[str, float]:
    """Return the memory of a process in MB, by `KINDS` and `PEAK`; zeros if it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        lines = []
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    return {kind: int(fields.get(kind, "0 kB").split()[0]) / 1024 for kind in (*KINDS, PEAK)}


def _family(pid: int) -> list[int]:
    """List a process and all that it started."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return [pid]
    return [pid, *(one for child in children for one in _family(child))]


def measured(
    command: list[str],
    *,
    limit_mb: float | None = None,
    environment: dict[str, str] | None = None,
    folder: Path | None = None,
) -> dict[str, float]:
    """Run a command, each of its processes with at most ``limit_mb`` of data (RLIMIT_DATA); exit if it fails.

    Returns
    -------
    dict
        ``seconds``, ``core seconds``, and by `KINDS` and `PEAK` the most MB of one of its processes.
    """

    def limited() -> None:
        if limit_mb is not None:
            resource.setrlimit(resource.RLIMIT_DATA, (int(limit_mb * 1024**2),) * 2)

    began = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=os.environ | (environment or {}),
        preexec_fn=limited,
    )
    most: Counter[str] = Counter()
    done = threading.Event()

    def look() -> None:
        while not done.wait(_EVERY):
            for pid in _family(process.pid):
                for kind, mb in memory_of(pid).items():
                    most[kind] = max(most[kind], mb)  # type: ignore[assignment]

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    assert process.stderr is not None
    errors = process.stderr.read().decode(errors="replace")
    _, status, usage = os.wait4(process.pid, 0)
    done.set()
    looking.join()
    if status:
        sys.exit(f"{' '.join(command)}\n{errors}")
    return {
        "seconds": time.perf_counter() - began,
        "core seconds": usage.ru_utime + usage.ru_stime,
        **{kind: float(most[kind]) for kind in (*KINDS, PEAK)},
    }
