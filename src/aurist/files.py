"""Write files atomically (write a temporary file, flush it to the disk, rename it), and lock folders."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from aurist.errors import FullDiskError, RunError
from aurist.formulas import safe_table
from aurist.system import flush_file, flush_folder, try_lock

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

#: Characters of a file's name that its temporary file's name includes.
_SHOWN = 40
#: Errors of a full disk or quota.
_FULL = tuple(getattr(errno, name) for name in ("ENOSPC", "EDQUOT", "EFBIG") if hasattr(errno, name))
#: Bytes of a journal that are read at once to find its last line.
_TAIL = 1 << 16
_FULL_WORDS = re.compile(
    r"No space left on device|File too large|Disk quota exceeded|disk is full|os error 28|code: 28"
)


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Give a temporary path next to ``path``; at the end the written file replaces ``path``.

    If the body raises, or the process dies, ``path`` does not change.

    Raises
    ------
    FullDiskError
        If there is no room for it.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with atomic_path(folder / "a.txt") as part:
    ...     _ = part.write_text("whole")
    >>> (folder / "a.txt").read_text()
    'whole'
    """
    with full_disk_error(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:_SHOWN]}.", suffix=".part")
    os.close(handle)
    temporary = Path(name)
    try:
        with full_disk_error(path):
            yield temporary
            flush_file(temporary)
        # mkstemp makes private files; a result gets the user's usual permissions
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        with full_disk_error(path):
            temporary.replace(path)
            flush_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def full_disk_error(path: Path | None = None) -> Iterator[None]:
    """Turn errors of a full disk into one that names the file.

    Without ``path`` the error names the file of the system's error, or the output.
    """
    try:
        yield
    except FullDiskError:
        raise
    except Exception as error:
        if isinstance(error.__cause__, FullDiskError):
            raise  # it says already how to go on
        cause = full_disk_cause(error)
        if cause is None:
            raise
        named = path or getattr(cause, "filename", None) or "The output"
        raise FullDiskError(f"{named} cannot be written: there is no room for it on the disk.") from error


def full_disk_cause(error: BaseException) -> BaseException | None:
    """Give the error, or the cause of it, that tells of a full disk. Libraries raise many kinds, or only say it."""
    cause: BaseException | None = error
    while cause is not None:
        if (isinstance(cause, OSError) and cause.errno in _FULL) or _FULL_WORDS.search(str(cause)):
            return cause
        cause = cause.__cause__ or cause.__context__
    return None


def is_file(path: Path) -> bool:
    """Tell whether a file exists; False for impossible names, where `pathlib.Path.is_file` raises.

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
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file atomically."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_arrays(path: Path, arrays: Mapping[str, npt.NDArray[Any]], *, compress: bool = True) -> None:
    """Write arrays of numbers to an ``.npz`` file; `aurist.stored.read_arrays` reads it."""
    import numpy as np

    with atomic_path(path) as part, part.open("wb") as file:
        if compress:
            np.savez_compressed(file, allow_pickle=False, **arrays)
        else:
            np.savez(file, allow_pickle=False, **arrays)


def write_csv(
    table: pd.DataFrame, path: Path, *, safe: bool = False, float_format: str | None = None
) -> None:
    """Write a table as CSV for people, atomically and without its index.

    Parameters
    ----------
    table
        The table.
    path
        The file; it is replaced as a whole.
    safe
        Put a quote in front of text that a spreadsheet would read as a formula: see `aurist.formulas.safe_table`.
    float_format
        Format of numbers, as for `pandas.DataFrame.to_csv`.
    """
    with atomic_path(path) as temporary:
        (safe_table(table) if safe else table).to_csv(temporary, index=False, float_format=float_format)


def sha256_of(path: Path) -> str:
    """Hash a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def append_jsonl(path: Path, record: dict[str, Any]) -> None:
    """Append a line of JSON to a journal, and wait until it is on the disk.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "journal.jsonl"
    >>> _ = path.write_text('{"a": 1}\\n{"a": 2')  # a kill cut the last line short
    >>> append_jsonl(path, {"a": 3})
    >>> read_jsonl(path)
    [{'a': 1}, {'a': 3}]
    """
    # names of files may be no Unicode: such bytes are escaped, and json restores them
    append_line(path, json.dumps(record, ensure_ascii=False).encode(errors="backslashreplace") + b"\n")


def append_line(path: Path, line: bytes, head: bytes = b"") -> None:
    """Append a line to a file, and wait until it is on the disk; ``head`` is written before the first one."""
    with full_disk_error(path), path.open("a+b") as journal:
        _drop_cut_line(journal)
        journal.write(line if journal.seek(0, os.SEEK_END) else head + line)
        journal.flush()
        os.fsync(journal.fileno())


def _drop_cut_line(journal: IO[bytes]) -> None:
    """Remove the end of a journal behind its last line feed: a kill cut this line short."""
    end = journal.seek(0, os.SEEK_END)
    while end:
        begin = max(0, end - _TAIL)
        journal.seek(begin)
        lines = journal.read(end - begin).rfind(b"\n") + 1
        if lines:
            end = begin + lines
            break
        end = begin
    if end < journal.seek(0, os.SEEK_END):
        journal.truncate(end)


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """Read the lines of a journal, if there is one; lines that a kill cut short are skipped."""
    records = []
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n") if path.exists() else []:
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict):
            records.append(record)
    return records


#: The lock file of a folder.
LOCK = ".lock"
#: Seconds between two attempts to lock a folder.
_AGAIN = 0.1


@contextmanager
def folder_lock(folder: Path, patience: float = 0.0) -> Iterator[None]:
    """Lock a folder for this process; the lock always ends with the process.

    Parameters
    ----------
    folder
        An existing folder.
    patience
        Seconds to wait for another process.

    Raises
    ------
    RunError
        If another process has the lock.
    """
    until = time.monotonic() + patience
    with ExitStack() as stack:
        while True:
            file = stack.enter_context((folder / LOCK).open("a"))
            try:
                locked = try_lock(file)
            except OSError:  # a file system without locks
                break
            if locked and _is_at(folder / LOCK, file):
                break
            file.close()
            if not locked:
                if time.monotonic() >= until:
                    raise RunError(
                        f"{folder} is in use: another aurist is at work in it. Wait for it, or stop it first."
                    )
                time.sleep(_AGAIN)
        yield


def _is_at(path: Path, file: IO[str]) -> bool:
    """Tell whether an open file is still the file at its path, as another process may have deleted it."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return False


def is_free(folder: Path) -> bool:
    """Tell whether no process has locked a folder; False if unknown."""
    try:
        with (folder / LOCK).open("a") as file:
            return try_lock(file)
    except OSError:
        return False
