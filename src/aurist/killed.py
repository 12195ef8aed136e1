"""Remember members whose worker process was killed, so a resumed run treats them differently."""

from __future__ import annotations

from pathlib import Path

from aurist.files import write_json
from aurist.models.base import FitFailedError
from aurist.stored import read_json

KILLED_FILE = "killed.json"


def note_killed(folder: Path, why: str, workers: int) -> None:
    """Write to a member's folder why its worker was killed, and how many workers ran at a time."""
    write_json(folder / KILLED_FILE, {"why": why, "workers": workers})


def was_killed(folder: Path, name: str) -> bool:
    """Tell whether a worker of this member was killed before. Its folds are then fitted one at a time.

    Raises
    ------
    FitFailedError
        If it was killed while one fold had all the memory: it is not tried again.
    """
    path = folder / KILLED_FILE
    if not path.exists():
        return False
    before = read_json(path, {"why": str, "workers": int}, "Delete it, and continue with `aurist resume`.")
    if before["workers"] == 1:
        raise FitFailedError(
            f"{name}: not tried again: {before['why']} when it was fitted before. If there is more memory now, delete "
            f"{path} and continue with `aurist resume`."
        )
    return True
