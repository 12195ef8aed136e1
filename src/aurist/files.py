"""Files that are whole or not there: written beside their place, flushed to the disk, then renamed."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aurist.errors import ConfigError, RunError

#: Bytes of a name that becomes part of a path; file systems take 255, and endings follow it.
_LONGEST_NAME = 100


def check_name(name: object, what: str) -> str:
    """Give back a name that becomes part of a path, once it is known to lead nowhere else.

    Parameters
    ----------
    name
        Of a model, a recipe or a file, as a plan, a recipe or a run folder that somebody sent has it.
    what
        Names it in the error.

    Raises
    ------
    ConfigError
        Where it is no single word, begins with a dot, or is too long.

    Examples
    --------
    >>> check_name("mel-cnn", "The recipe's name")
    'mel-cnn'
    >>> check_name("../models", "The recipe's name")
    Traceback (most recent call last):
    aurist.errors.ConfigError: The recipe's name is '../models', but must be a word that can name a folder.
    """
    if (
        isinstance(name, str)
        and 0 < len(name.encode(errors="replace")) <= _LONGEST_NAME
        and name.isprintable()
        and name[0] != "."
        and not set(name) & set("/\\: ")
    ):
        return name
    shown = repr(name)
    shown = shown if len(shown) <= _LONGEST_NAME else f"{shown[:_LONGEST_NAME]}..."
    raise ConfigError(f"{what} is {shown}, but must be a word that can name a folder.")


def remove_folder(folder: Path) -> None:
    """Delete a folder with all in it, where there is one; of a link the link, not what it leads to."""
    if folder.is_symlink():
        folder.unlink()
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path``; what was written there takes its place at the end.

    Where the body raises, or the process dies, ``path`` is as it was before.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with atomic_path(folder / "a.txt") as part:
    ...     _ = part.write_text("whole")
    >>> (folder / "a.txt").read_text()
    'whole'
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    os.close(handle)
    part = Path(name)
    try:
        yield part
        _flush(part)
        # mkstemp makes private files; a result is as readable as any other file of the user's
        umask = os.umask(0)
        os.umask(umask)
        part.chmod(0o666 & ~umask)
        part.replace(path)
        _flush(path.parent)
    finally:
        part.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    with atomic_path(path) as part:
        part.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file atomically."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def add_line(path: Path, record: dict[str, Any]) -> None:
    """Add a line of JSON to a journal, on the disk before this returns.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "journal.jsonl"
    >>> _ = path.write_text('{"a": 1}\\n{"a": 2')  # a kill cut the last line short
    >>> add_line(path, {"a": 3})
    >>> whole_lines(path)
    [{'a': 1}, {'a': 3}]
    """
    with path.open("a+b") as journal:
        journal.seek(0, os.SEEK_END)
        if journal.tell():
            journal.seek(-1, os.SEEK_END)
            if journal.read(1) != b"\n":
                journal.write(b"\n")
        # names of files may be no Unicode: json reads what stands for such a byte back as it was
        journal.write(json.dumps(record, ensure_ascii=False).encode(errors="backslashreplace") + b"\n")
        journal.flush()
        os.fsync(journal.fileno())


def whole_lines(path: Path) -> list[dict[str, Any]]:
    """The lines of a journal, where there is one; those that a kill cut short are left out."""
    found = []
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n") if path.exists() else []:
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict):
            found.append(record)
    return found


#: Seconds between two attempts to hold a folder.
_AGAIN = 0.1


@contextmanager
def only_one(folder: Path, patience: float = 0.0) -> Iterator[None]:
    """Hold a folder for this process; the hold ends with the process, however it ends.

    Parameters
    ----------
    folder
        Which is there already.
    patience
        Seconds to wait for another process.

    Raises
    ------
    RunError
        Where another process holds it.
    """
    try:
        import fcntl
    except ImportError:  # Windows: there the hold is left out
        yield
        return
    until = time.monotonic() + patience
    with (folder / ".lock").open("w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= until:
                    raise RunError(
                        f"{folder} is in use: another aurist is at work in it. Wait for it, or stop it first."
                    ) from None
                time.sleep(_AGAIN)
            except OSError:  # a file system without locks
                break
        yield


def is_free(folder: Path) -> bool:
    """Whether no process holds a folder; False where that cannot be known."""
    try:
        import fcntl

        with (folder / ".lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError):
        return False
    return True


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
