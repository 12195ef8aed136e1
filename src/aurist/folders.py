"""Folders of results: which names may lead into them, whether they can be written, who is at work in them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from aurist.errors import ConfigError, shown
from aurist.files import LOCK, folder_lock

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
    raise ConfigError(f"{what} is {shown(name, _LONGEST_NAME)}, but must be a word that can name a folder.")


def remove_folder(folder: Path) -> None:
    """Delete a folder with all in it, where there is one; of a link the link, not what it leads to."""
    if folder.is_symlink():
        folder.unlink()
    shutil.rmtree(folder, ignore_errors=True)


def check_output(path: Path, *, folder: bool = False) -> None:
    """See that a file, or files in a folder, can be written, before the work whose result is to go there.

    Parameters
    ----------
    path
        May be there or not; nothing stays of the attempt.
    folder
        Whether a folder is wanted.

    Raises
    ------
    ConfigError
        Where it cannot.
    """
    wanted, other = ("folder", "file") if folder else ("file", "folder")
    try:
        if path.exists() and path.is_dir() != folder:
            raise ConfigError(
                f"{path} is a {other}, but a {wanted} is to be written: give another name with -o."
            )
        nearest = path if folder else path.parent
        while not nearest.exists():
            nearest = nearest.parent
        with tempfile.TemporaryFile(dir=nearest, prefix=".aurist-"):
            pass
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written ({error.strerror or error}): give another name with -o."
        ) from error


@contextmanager
def claim(folder: Path, patience: float = 0.0) -> Iterator[None]:
    """Make a folder if there is none, and hold its `folder_lock`; a folder that stays empty is removed again.

    Raises
    ------
    RunError
        Where another process holds it.

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
    made = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    with folder_lock(folder, patience):
        try:
            yield
        finally:
            if made and {path.name for path in folder.iterdir()} <= {LOCK}:
                (folder / LOCK).unlink(missing_ok=True)
                with suppress(OSError):  # something came into it
                    for one in made:
                        one.rmdir()
