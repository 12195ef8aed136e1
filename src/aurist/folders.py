"""Folders of results: check names and permissions, and lock a folder for one process."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from aurist.errors import ConfigError, short_repr
from aurist.files import LOCK, folder_lock

#: The file that makes a folder an index of windows (`aurist.search`).
INDEX = "index.json"
#: Maximum bytes of a name in a path; file systems allow 255, and endings follow it.
_LONGEST_NAME = 100


def default_cache_dir() -> Path:
    """Return the cache folder: ``$AURIST_CACHE_DIR``, else the platform's folder for caches."""
    given = os.environ.get("AURIST_CACHE_DIR")
    if given:
        return Path(given).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "aurist"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "aurist" / "cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "aurist"


def check_name(name: object, what: str) -> str:
    """Return a name for use in a path, if it cannot lead to another folder.

    Parameters
    ----------
    name
        Name of a model, a recipe or a file, from a plan, a recipe or a run folder of another person.
    what
        Title of the name in the error.

    Raises
    ------
    ConfigError
        If it is no single word, begins with a dot, or is too long.

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
    raise ConfigError(
        f"{what} is {short_repr(name, _LONGEST_NAME)}, but must be a word that can name a folder."
    )


def remove_folder(folder: Path) -> None:
    """Delete a folder and its content, if it exists; of a link only the link."""
    if folder.is_symlink():
        folder.unlink()
    shutil.rmtree(folder, ignore_errors=True)


def empty_folder(folder: Path) -> None:
    """Delete all that is in a folder."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            remove_folder(path)
        else:
            path.unlink()


def check_output(path: Path, *, folder: bool = False) -> None:
    """Check that a file, or files in a folder, can be written, before the work begins.

    Parameters
    ----------
    path
        It may exist or not; the check leaves nothing behind.
    folder
        True for a folder.

    Raises
    ------
    ConfigError
        If it cannot be written.
    """
    expected, other = ("folder", "file") if folder else ("file", "folder")
    try:
        if path.exists() and path.is_dir() != folder:
            raise ConfigError(
                f"{path} is a {other}, but the output is a {expected}: give another name with output=."
            )
        nearest = path if folder else path.parent
        while not nearest.exists():
            nearest = nearest.parent
        with tempfile.TemporaryFile(dir=nearest, prefix=".aurist-"):
            pass
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written ({error.strerror or error}): give another name with output=."
        ) from error


@contextmanager
def claim(folder: Path, patience: float = 0.0) -> Iterator[None]:
    """Create a folder if needed, and hold its `folder_lock`; a new folder that stays empty is removed again.

    Raises
    ------
    RunError
        If another process has locked it.

    Examples
    --------
    >>> import tempfile
    >>> run = Path(tempfile.mkdtemp()) / "runs" / "first"
    >>> with claim(run):
    ...     run.is_dir()
    True
    >>> run.parent.exists()
    False
    """
    created = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    with folder_lock(folder, patience):
        try:
            yield
        finally:
            if created and {path.name for path in folder.iterdir()} <= {LOCK}:
                with suppress(OSError):  # it is no longer empty, or Windows does not delete an open file
                    (folder / LOCK).unlink(missing_ok=True)
                    for parent in created:
                        parent.rmdir()
