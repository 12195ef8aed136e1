"""Files that are whole or not there: written beside their place, flushed to the disk, then renamed."""

from __future__ import annotations

import errno
import json
import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from aurist.errors import FullDiskError, RunError
from aurist.formulas import safe_table

if TYPE_CHECKING:
    import pandas as pd

#: Characters of a file's name that its temporary one has, too.
_SHOWN = 40
#: How a disk says that it is full, or that somebody's share of it is.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FULL_WORDS = re.compile(
    r"No space left on device|File too large|Disk quota exceeded|disk is full|os error 28|code: 28"
)


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path``; what was written there takes its place at the end.

    Where the body raises, or the process dies, ``path`` is as it was before.

    Raises
    ------
    FullDiskError
        Where there is no room for it.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with atomic_path(folder / "a.txt") as part:
    ...     _ = part.write_text("whole")
    >>> (folder / "a.txt").read_text()
    'whole'
    """
    with told_of_full_disk(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:_SHOWN]}.", suffix=".part")
    os.close(handle)
    part = Path(name)
    try:
        with told_of_full_disk(path):
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


@contextmanager
def told_of_full_disk(path: Path | None = None) -> Iterator[None]:
    """Name the file for which there was no room; libraries say so by errors of many kinds, or by their text alone.

    Without ``path`` it is what the system names, or the output.
    """
    try:
        yield
    except FullDiskError:
        raise
    except Exception as error:
        cause: BaseException | None = error
        while cause is not None:
            if (isinstance(cause, OSError) and cause.errno in _FULL) or _FULL_WORDS.search(str(cause)):
                named = path or getattr(cause, "filename", None) or "The output"
                raise FullDiskError(
                    f"{named} cannot be written: there is no room for it on the disk."
                ) from error
            cause = cause.__cause__ or cause.__context__
        raise


def is_file(path: Path) -> bool:
    """Whether there is such a file; False where no file can have that name, as `pathlib.Path.is_file` does not say.

    Examples
    --------
    >>> is_file(Path("9" * 5000)), is_file(Path(__file__))
    (False, True)
    """
    try:
        return path.is_file()
    except (OSError, ValueError):  # too long for a name, or with a NUL in it
        return False


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    with atomic_path(path) as part:
        part.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file atomically."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_csv(
    table: pd.DataFrame, path: Path, *, safe: bool = False, float_format: str | None = None
) -> None:
    """Write a table as CSV for people, atomically and without its index.

    Parameters
    ----------
    table
        What to write.
    path
        The file; replaced as a whole.
    safe
        Write text that a spreadsheet would take for a formula so that it does not: see `aurist.formulas.safe_table`.
    float_format
        Of numbers, as `pandas.DataFrame.to_csv` has it.
    """
    with atomic_path(path) as part:
        (safe_table(table) if safe else table).to_csv(part, index=False, float_format=float_format)


def add_line(path: Path, record: dict[str, Any]) -> None:
    """Add a line of JSON to a journal, on the disk before this returns.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "journal.jsonl"
    >>> _ = path.write_text('{"a": 1}\\n{"a": 2')  # a kill cut the last line short
    >>> add_line(path, {"a": 3})
    >>> read_jsonl(path)
    [{'a': 1}, {'a': 3}]
    """
    with told_of_full_disk(path), path.open("a+b") as journal:
        journal.seek(0, os.SEEK_END)
        if journal.tell():
            journal.seek(-1, os.SEEK_END)
            if journal.read(1) != b"\n":
                journal.write(b"\n")
        # names of files may be no Unicode: json reads what stands for such a byte back as it was
        journal.write(json.dumps(record, ensure_ascii=False).encode(errors="backslashreplace") + b"\n")
        journal.flush()
        os.fsync(journal.fileno())


def read_jsonl(path: Path) -> list[dict[str, Any]]:
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


#: The file by which a folder is held.
LOCK = ".lock"
#: Seconds between two attempts to hold a folder.
_AGAIN = 0.1


@contextmanager
def folder_lock(folder: Path, patience: float = 0.0) -> Iterator[None]:
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
    with ExitStack() as stack:
        while True:
            file = stack.enter_context((folder / LOCK).open("w"))
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _is_at(folder / LOCK, file):
                    break
            except BlockingIOError:
                if time.monotonic() >= until:
                    raise RunError(
                        f"{folder} is in use: another aurist is at work in it. Wait for it, or stop it first."
                    ) from None
                time.sleep(_AGAIN)
            except OSError:  # a file system without locks
                break
            file.close()
        yield


def _is_at(path: Path, file: IO[str]) -> bool:
    """Whether a file that was opened is still the one at its path: whoever made it may have taken it away."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return False


def is_free(folder: Path) -> bool:
    """Whether no process holds a folder; False where that cannot be known."""
    try:
        import fcntl

        with (folder / LOCK).open("w") as file:
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
