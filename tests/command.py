"""The real command line, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

#: Seconds after which a command is taken to hang.
_PATIENCE = 280


def start(*arguments: object, cwd: Path | None = None) -> subprocess.Popen[str]:
    """`aurist` with these arguments, begun in a group of its own, so that it can be killed with its children."""
    return subprocess.Popen(
        [sys.executable, "-m", "aurist", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
        start_new_session=True,
        env=None if cwd is None else {**os.environ, "AURIST_CACHE_DIR": str(cwd / "cache")},
    )


def aurist(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The same, ended. What it stores is in ``cwd``, where that is given."""
    with start(*arguments, cwd=cwd) as process:
        try:
            out, err = process.communicate(timeout=_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def done(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The same, and it went well."""
    found = aurist(*arguments, cwd=cwd)
    assert found.returncode == 0, found.stderr
    return found
