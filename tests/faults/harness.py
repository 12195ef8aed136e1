"""Commands whose disk fails, or that are killed, at a chosen moment of writing; then the same command again."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aurist.killed import KILLED_FILE

#: Kinds of faults: a kill at the n-th moment of writing, no room from then on, files of at most n bytes, no permission,
#: a kill of the first worker process that comes to its own n-th moment, a kill before the n-th statement of SQLite, a
#: kill when a file would grow beyond n bytes.
KILL, FULL, SMALL, READ_ONLY, WORKER = "kill", "full disk", "small disk", "read-only", "kill of a worker"
STATEMENT, SIZE = "kill at a statement", "kill at a size"
#: A moment that does not come.
NEVER = 1_000_000


@dataclass(frozen=True)
class Ended:
    """A command that has ended.

    Parameters
    ----------
    status
        Its exit status; negative: the signal that killed it.
    text
        Its output.
    moments, statements
        How many moments of writing, and statements of SQLite, it had.
    """

    status: int
    text: str
    moments: int
    statements: int = 0


@dataclass(frozen=True)
class Case:
    """A command.

    Parameters
    ----------
    name
        Its name.
    arguments
        Its arguments; OUT is the output.
    again
        The command that continues it if there is a file OUT/``unless``, with its arguments; else it is given again.
    unless
        A file that an interrupted command leaves if it must be continued by ``again``.
    varies
        Files of the output that differ from call to call, such as those with times.
    refusal
        The words with which it refuses an output that is whole already, such as one that people write to.
    ignores
        What may differ in names and in contents, as a regular expression.
    environment
        Further variables of the environment.
    """

    name: str
    arguments: str
    again: str = ""
    unless: str = ""
    varies: tuple[str, ...] = ()
    refusal: str = ""
    ignores: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)

    def output(self, name: str) -> str:
        """Return the output of this name, with the ending of its arguments."""
        return self.arguments.split()[-1].replace("OUT", name)


class Server:
    """Runs commands in the forks of one process: see `server`."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process, self._folder = process, folder
        self._line()

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the server of commands has ended"
        return line.strip()

    def run(
        self, arguments: str, cwd: Path, environment: Mapping[str, str], kind: str = "", at: int = 0
    ) -> Ended:
        """Run a command with a fault of this kind, or without one."""
        count, log = self._folder / "count", self._folder / "log"
        count.unlink(missing_ok=True)
        job = {
            "arguments": arguments.split(),
            "cwd": str(cwd),
            "environment": {"AURIST_CACHE_DIR": str(cwd / "cache"), **environment},
            "kind": kind,
            "at": at,
            "count": str(count),
            "log": str(log),
        }
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        status = int(self._line())
        counts = map(int, (count.read_text() if count.exists() else str(at)).split())
        return Ended(status, log.read_text(errors="replace"), *counts)


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """Start the server of commands; its own files are in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    with subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("server.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"},
    ) as process:
        try:
            yield Server(process, folder)
        finally:
            process.kill()


def content(case: Case, output: Path) -> dict[str, bytes]:
    """Return the files of an output by name, without hidden ones and notes of kills; of some only the last byte."""
    paths = [path for path in output.rglob("*") if path.is_file()] if output.is_dir() else [output]
    files = {
        path.relative_to(output.parent).as_posix().replace(output.stem, "OUT", 1): path
        for path in sorted(paths)
    }

    def without(text: bytes) -> bytes:
        return re.sub(case.ignores.encode(), b"", text) if case.ignores else text

    return {
        without(name.encode()).decode(): without(
            path.read_bytes()[-1 if any(varying in name for varying in case.varies) else 0 :]
        )
        for name, path in files.items()
        if path.exists()
        and path.name != KILLED_FILE
        and not any(part.startswith(".") for part in Path(name).parts)
    }


def run_case(server: Server, case: Case, cwd: Path, name: str, kind: str = "", at: int = 0) -> Ended:
    """Run a case with a fault of this kind, or without one."""
    return server.run(case.arguments.replace("OUT", name), cwd, case.environment, kind, at)


def remove_output(case: Case, cwd: Path, name: str) -> None:
    """Remove the output of a case, as the next one has the same name, which is in some files."""
    output = cwd / case.output(name)
    shutil.rmtree(output, ignore_errors=True)
    output.unlink(missing_ok=True)


def reset(folder: Path, intact: Path) -> None:
    """Make a folder of data as it was, at the same path, which stands in some files."""
    shutil.rmtree(folder)
    shutil.copytree(intact, folder)


def clear_cache(cwd: Path) -> None:
    """Remove the cache: most of SQLite's transactions fill it."""
    shutil.rmtree(cwd / "cache", ignore_errors=True)


def run_read_only(server: Server, case: Case, cwd: Path, name: str) -> Ended:
    """Run a case in a folder that cannot be written to, but for its cache."""
    (cwd / "cache").mkdir(exist_ok=True)
    cwd.chmod(0o555)
    try:
        return run_case(server, case, cwd, name, READ_ONLY)
    finally:
        cwd.chmod(0o755)


def run_again(server: Server, case: Case, cwd: Path, name: str) -> Ended:
    """Run a case again after a fault: the same command, or the one that continues it."""
    continues = case.again and (cwd / case.output(name) / case.unless).exists()
    arguments = case.again if continues else case.arguments
    return server.run(arguments.replace("OUT", name), cwd, case.environment)


def fault_problems(
    server: Server, case: Case, cwd: Path, whole: Mapping[str, bytes], kind: str, at: int, name: str
) -> list[str]:
    """Let a case fail, run it again, and list what is not as it must be."""
    remove_output(case, cwd, name)
    if kind in (STATEMENT, SIZE):
        clear_cache(cwd)
    first = run_case(server, case, cwd, name, kind, at)
    problems = message_problems(first) if first.status >= 0 else []
    if kind in (KILL, STATEMENT) and first.status != -9:
        problems.append(f"was not killed: {first.status}\n{first.text}")
    if kind == WORKER and "killed" in first.text:  # the model is left out, and fitted when the run is resumed
        problems = []
    elif first.status == 0:  # there was room, or no such moment
        return differences(whole, content(case, cwd / case.output(name)))
    again = run_again(server, case, cwd, name)
    is_refused = again.status != 0 and case.refusal and case.refusal in again.text
    if again.status != 0 and not is_refused:
        problems.append(f"does not go on ({again.status}): {again.text[-2000:]}")
    elif "Traceback" in again.text:
        problems.append(f"goes on with a traceback: {again.text[-2000:]}")
    else:
        problems += differences(whole, content(case, cwd / case.output(name)))
    return problems


def message_problems(ended: Ended) -> list[str]:
    """List what is wrong with the end of a command that could not write: it says so in one message, or it could."""
    if ended.status == 0:
        return []
    messages = [line for line in ended.text.splitlines() if line.startswith("aurist: ")]
    problems = [] if ended.status == 1 else [f"exit status {ended.status}: {ended.text[-2000:]}"]
    if len(messages) != 1 or "Traceback" in ended.text or "this is a bug" in ended.text:
        problems.append(f"no single clear message: {ended.text[-2000:]}")
    elif not any(words in ended.text for words in ("no room", "cannot be written", "ermission denied")):
        problems.append(f"does not say that it cannot be written: {messages[0]}")
    return problems


def differences(whole: Mapping[str, bytes], other: Mapping[str, bytes]) -> list[str]:
    """List the files that one output lacks, or that differ."""
    lacking = [f"lacks {name}" for name in whole if name not in other]
    further = [f"has {name} as well" for name in other if name not in whole]
    return lacking + further + [f"{n} differs" for n in whole if n in other and whole[n] != other[n]]
