"""Run commands in forks of one process that has loaded the libraries, with a fault at the n-th moment of writing.

Started as a script by `harness`: a line of JSON in for each command, a line of JSON out when it has ended.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import resource
import runpy
import signal
import sqlite3
import stat
import sys
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

#: Loaded once, before the forks: what the commands import.
LIBRARIES = (
    *("numba", "pandas", "pyarrow.parquet", "scipy.stats", "sklearn.linear_model", "soundfile", "soxr"),
    *("aurist.cli", "aurist.automl.fit", "aurist.audit", "aurist.detection.scan", "aurist.inference.predict"),
)
#: A command that takes longer is taken to hang.
SECONDS = 600
#: Bytes that a kill takes from a file that is not on the disk yet.
TORN = 7


class Moments:
    """Counts the moments at which something of the output becomes lasting, and lets one of them fail.

    Such a moment is the flush of a file or of a folder, the move of a file or of a folder to its name, and the end of
    a transaction of SQLite. SQLite's statements are counted apart. With a file ``once``, which does not exist yet,
    only one process is killed.
    """

    def __init__(self, kind: str, at: int, once: str = "") -> None:
        self.kind, self.at, self.once, self.passed, self.statements = kind, at, once, 0, 0
        for name in ("fsync", "replace", "rename"):
            setattr(os, name, self._failing(getattr(os, name)))
        _watch_transactions(self)

    def _failing(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def failing(*arguments: Any, **options: Any) -> Any:
            self.pass_one(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), arguments[0])
            return call(*arguments, **options)

        return failing

    def pass_one(self, full: Exception, file: object = None) -> None:
        """Count a moment, or fail at it: be killed, or raise the error of a full disk."""
        if self.kind == "kill" and self.passed == self.at and self._is_first():
            _tear(file)
            os.kill(os.getpid(), signal.SIGKILL)
        if self.kind == "full disk" and self.passed >= self.at:
            raise full
        self.passed += 1

    def begin_statement(self, _: str) -> None:
        """Count a statement of SQLite that is about to begin, or be killed: what came before it is not committed."""
        if self.kind == "kill at a statement" and self.statements == self.at:
            os.kill(os.getpid(), signal.SIGKILL)
        self.statements += 1

    def _is_first(self) -> bool:
        if not self.once:
            return True
        try:
            os.close(os.open(self.once, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        except FileExistsError:
            return False
        return True


def _watch_transactions(moments: Moments) -> None:
    """Let the ends of SQLite's transactions be moments, and count the statements, also those of a statement's rows."""
    full = sqlite3.OperationalError("database or disk is full")

    class Watched(sqlite3.Connection):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self.set_trace_callback(moments.begin_statement)

        def commit(self) -> None:
            if self.in_transaction:
                moments.pass_one(full)
            super().commit()

        def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            if sql == "COMMIT":
                moments.pass_one(full)
            return super().execute(sql, *parameters)

    connect = partial(sqlite3.connect, factory=Watched)
    for module in (sqlite3, sqlite3.dbapi2):  # Optuna opens by the second
        module.connect = connect  # type: ignore[assignment]


def kill_a_worker(at: int, once: str) -> None:
    """Fit folds in worker processes, and kill the first of these that comes to this moment of its own."""
    from aurist import crossval, workers

    crossval.SMALL_CELLS = 0
    workers._end_with = partial(_begin_worker, at, once, workers._end_with)


def _begin_worker(at: int, once: str, begin: Callable[[int], None], parent: int) -> None:
    begin(parent)
    Moments("kill", at, once)


def _tear(file: object) -> None:
    """Cut the end off a file that is to be flushed, as a crash of the machine may."""
    if isinstance(file, int) and stat.S_ISREG(os.fstat(file).st_mode):
        os.ftruncate(file, max(0, os.fstat(file).st_size - TORN))


def obey_permissions() -> None:
    """Give up root's right to write where permissions forbid it (the capability CAP_DAC_OVERRIDE of Linux)."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    sets = (ctypes.c_uint32 * 6)()  # twice: effective, permitted, inheritable
    if libc.capget(header, sets) == 0:
        sets[0] &= ~0b110
        libc.capset(header, sets)


def run(job: dict[str, Any]) -> int:
    """Run a command in this process, and return its exit status."""
    log = os.open(job["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
    os.chdir(job["cwd"])
    os.environ.update(job["environment"])
    signal.alarm(SECONDS)
    if job["kind"] == "read-only":
        obey_permissions()
    if job["kind"] in ("small disk", "kill at a size"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (job["at"], job["at"]))
    if job["kind"] == "kill at a size":  # in the middle of a write, also of one of SQLite's pages
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    if job["kind"] == "kill of a worker":
        kill_a_worker(job["at"], job["count"])
    moments = Moments(job["kind"], job["at"])
    status = _status_of(job["arguments"])
    sys.stdout.flush()
    sys.stderr.flush()
    Path(job["count"]).write_text(f"{moments.passed} {moments.statements}")
    return status


def _status_of(arguments: list[str]) -> int:
    """Run a command of aurist, or a script of this folder, and return its exit status."""
    from aurist import cli

    script = Path(__file__).with_name(arguments[0])
    sys.argv = arguments if script.suffix == ".py" else ["aurist", *arguments]
    try:
        if script.suffix == ".py":
            runpy.run_path(str(script), run_name="__main__")
        else:
            cli.main()
    except SystemExit as ended:
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
            return 1
        return ended.code or 0
    return 0


def main() -> None:
    for name in LIBRARIES:
        __import__(name)
    print("ready", flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        child = os.fork()
        if child == 0:
            status = 70
            try:
                status = run(job)
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(status)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
