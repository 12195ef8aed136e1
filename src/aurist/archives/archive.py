"""An archive: named members, each read alone, and what is written beside them."""

from __future__ import annotations

from collections.abc import Iterator, KeysView
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import pandas as pd

from aurist.errors import DataError


class ArchiveError(DataError):
    """An archive is damaged, or of a kind that cannot be read in place."""


class Archive(Protocol):
    """An open archive. Its methods may be called from several threads."""

    #: The names of the members, in order.
    names: KeysView[str]

    def read(self, name: str) -> bytes:
        """Read a member.

        Raises
        ------
        ArchiveError
            If its bytes are damaged.
        KeyError
            If there is none of this name.
        """
        ...

    def table(self) -> pd.DataFrame | None:
        """Return a row for each recording, with the column ``path`` (its name), and what is written beside it.

        None if the archive holds names alone.
        """
        ...


@contextmanager
def damage(path: Path) -> Iterator[None]:
    """Raise what damaged bytes raise in a library as `ArchiveError`."""
    try:
        yield
    except (ArchiveError, MemoryError):
        raise
    except OSError as error:
        raise ArchiveError(f"{path} cannot be read: {error.strerror or error}") from error
    except Exception as error:  # libraries may raise any error for unexpected bytes
        reason = str(error).strip().splitlines()[:1] or [type(error).__name__]
        raise ArchiveError(
            f"{path} is damaged, or no {path.suffix.lower()} file: {reason[0]}. Fetch it again."
        ) from error
