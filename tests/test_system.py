"""Other operating systems, as far as they can be tried on this one."""

from __future__ import annotations

import ast
import os
import re
import signal
import subprocess
import sys
import time
import types
from pathlib import Path

import pytest

from aurist import system
from aurist.errors import RunError
from aurist.files import folder_lock, is_free, write_text
from aurist.system import flush_file, flush_folder, free_memory, interrupts_kept, try_lock, usable_cores

SOURCE = Path(system.__file__).parent
#: Modules, and names of `os` and `signal`, that Windows lacks.
MODULES = {"fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "posix", "syslog", "readline"}
NAMES = {"fork", "forkpty", "getuid", "geteuid", "getgid", "getpgid", "setsid", "killpg", "mkfifo", "nice", "uname",
         "sched_getaffinity", "sched_setaffinity", "sysconf", "wait4", "pread", "getloadavg", "getppid", "SIGKILL",
         "SIGALRM", "SIGUSR1", "SIGHUP", "pthread_sigmask", "sigwait", "setitimer", "alarm"}  # fmt: skip


def only_of_posix(path: Path) -> set[str]:
    """The names in a module that not every system has."""
    used = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            used |= {alias.name for alias in node.names} & MODULES
        elif isinstance(node, ast.ImportFrom):
            used |= {node.module} & MODULES
            if node.module in ("os", "signal"):
                used |= {alias.name for alias in node.names} & NAMES
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id in ("os", "signal"):
                used |= {node.attr} & NAMES
        elif (
            isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("/proc")
        ):
            used.add(node.value)
    return used


def test_one_module_alone_calls_what_only_some_systems_have() -> None:
    calls = {path.relative_to(SOURCE).as_posix(): only_of_posix(path) for path in SOURCE.rglob("*.py")}
    assert {name for name, used in calls.items() if used} == {"system.py"}
    assert calls["system.py"] >= {"fcntl", "getppid", "pthread_sigmask", "/proc/meminfo"}


def test_every_text_file_is_opened_with_its_encoding() -> None:
    """On Windows the default is another one."""
    command = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--isolated",
        "--preview",
        "--select",
        "PLW1514",
        SOURCE,
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


#: PyTorch takes long to import; the test above has looked at these modules.
SKIPPED = {"aurist.__main__"} | {
    ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts)
    for path in SOURCE.rglob("*.py")
    if re.search(
        r"^(import|from) torch|^from aurist\.(nets|models\.training)\b",
        path.read_text(encoding="utf-8"),
        re.M,
    )
}
WITHOUT_POSIX = f"""
import importlib, os, pkgutil, signal, sys
import aurist

def all_modules():
    names = [module.name for module in pkgutil.walk_packages(aurist.__path__, "aurist.")]
    return [importlib.import_module(name) for name in names if name not in {sorted(SKIPPED)!r}]

all_modules()  # other libraries may need what is then hidden
for name in [name for name in sys.modules if name.split(".")[0] == "aurist"]:
    del sys.modules[name]
for name in {sorted(MODULES - {"posix"})!r}:
    sys.modules[name] = None
for name in {sorted(NAMES)!r}:
    for module in (os, signal):
        if hasattr(module, name):
            delattr(module, name)
import aurist
print(len(all_modules()))
from aurist.files import folder_lock, write_text
from pathlib import Path
write_text(Path("a.txt"), "whole")
with folder_lock(Path(".")):
    print(Path("a.txt").read_text(), aurist.machine.available_cores(0) > 0)
"""


def test_every_module_is_imported_without_what_only_posix_has(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-c", WITHOUT_POSIX], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert result.returncode == 0, result.stderr
    count, text = result.stdout.splitlines()
    assert int(count) > 200
    assert text == "whole True"


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """No fcntl, and a module msvcrt that locks as Windows does; returns the locked inodes."""
    locked: set[int] = set()
    mine: dict[int, int] = {}

    def locking(handle: int, mode: int, count: int) -> None:
        assert (mode, count) == (2, 1)
        assert os.lseek(handle, 0, os.SEEK_CUR) > 1 << 20, "others must be able to read the file"
        inode = os.fstat(handle).st_ino
        if inode in locked:
            raise PermissionError(13, "Permission denied")
        locked.add(inode)
        mine[handle] = inode

    monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.setitem(sys.modules, "msvcrt", types.SimpleNamespace(locking=locking, LK_NBLCK=2))
    return locked


def test_locks_of_windows_hold_others_off_and_let_them_read(tmp_path: Path, windows: set[int]) -> None:
    path = tmp_path / "lease"
    path.write_text("shard-1\n")
    with path.open("r+") as first, path.open("r+") as second:
        first.seek(3)
        assert try_lock(first)
        assert os.lseek(first.fileno(), 0, os.SEEK_CUR) < 1 << 20
        assert not try_lock(second)
        assert second.read() == "shard-1\n"


def test_a_folder_is_locked_on_windows_too(tmp_path: Path, windows: set[int]) -> None:
    with folder_lock(tmp_path):
        assert not is_free(tmp_path)
        with pytest.raises(RunError, match="is in use"), folder_lock(tmp_path):
            pass


def test_without_any_locks_the_work_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.setitem(sys.modules, "msvcrt", None)
    with folder_lock(tmp_path):
        write_text(tmp_path / "a.txt", "whole")
    assert not is_free(tmp_path)


def test_flushing_needs_a_file_that_is_open_for_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes: list[int] = []
    real = os.open
    monkeypatch.setattr(os, "open", lambda path, mode: modes.append(mode) or real(path, mode))
    (tmp_path / "a").write_text("x")
    flush_file(tmp_path / "a")
    flush_folder(tmp_path)
    assert modes == [os.O_RDWR, os.O_RDONLY]
    monkeypatch.setattr(sys, "platform", "win32")
    flush_folder(tmp_path)  # Windows cannot open a folder
    assert len(modes) == 2


def test_facts_about_this_machine() -> None:
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)
    memory = free_memory()
    assert memory is None or memory > 1 << 20


def lose_interrupt(and_raise: Exception | None) -> None:
    """Be interrupted, and make another error of it, as compiled code may do."""
    try:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(5)
    except KeyboardInterrupt:
        if and_raise is not None:
            raise and_raise from None


def test_an_interrupt_that_a_library_loses_is_one() -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt), interrupts_kept():
            lose_interrupt(ValueError("not a valid PEP 3118 buffer format string"))
        with interrupts_kept():  # a library may also answer it and go on
            lose_interrupt(None)
        with pytest.raises(ValueError, match="of its own"), interrupts_kept():
            raise ValueError("of its own")
        with pytest.raises(RunError, match="go on with"), interrupts_kept():
            lose_interrupt(RunError("go on with aurist resume"))
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
