"""The command line: in this process, or as a process of its own, which can be killed."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

#: Seconds after which a command is taken to hang.
_PATIENCE = 280


def start(*arguments: object, cwd: Path | None = None, before: str = "") -> subprocess.Popen[str]:
    """`aurist` with these arguments, begun in a group of its own, so that it can be killed with its children.

    Lines of Python in ``before`` run first.
    """
    program = ["-c", f"{before}\nfrom aurist.cli import main\nmain()"] if before else ["-m", "aurist"]
    return subprocess.Popen(
        [sys.executable, *program, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
        start_new_session=True,
        env=None if cwd is None else {**os.environ, "AURIST_CACHE_DIR": str(cwd / "cache")},
    )


def aurist_process(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The same, ended. What it stores is in ``cwd``, where that is given."""
    with start(*arguments, cwd=cwd) as process:
        try:
            out, err = process.communicate(timeout=_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def aurist(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the same command line in this process: its libraries, and those of its workers, are loaded once.

    What other programs see of it, such as what is on its streams while it is killed, needs a process of its own.
    """
    from aurist import cli

    command, out, err = ["aurist", *map(str, arguments)], io.StringIO(), io.StringIO()
    code: object = None
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        patch.setattr(sys, "argv", command)
        patch.setattr(sys, "excepthook", sys.excepthook)  # typer puts its own there
        patch.setattr("aurist.cli.fitting.STARTED", time.monotonic())
        patch.setenv("OMP_WAIT_POLICY", os.environ.get("OMP_WAIT_POLICY", "passive"))
        if cwd is not None:
            patch.chdir(cwd)
            patch.setenv("AURIST_CACHE_DIR", str(cwd / "cache"))
        try:
            cli.main()
        except SystemExit as ended:
            code = ended.code
    return subprocess.CompletedProcess(command, int(str(code or 0)), out.getvalue(), err.getvalue())


def done(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The same, and it went well."""
    result = aurist(*arguments, cwd=cwd)
    assert result.returncode == 0, result.stderr
    return result
