"""``openset.npz``: how unlike the training clips a clip may be, written and read back."""

from __future__ import annotations

from pathlib import Path

from aurist.files import write_arrays
from aurist.openset import OPEN_SET_ARRAYS, OpenSet
from aurist.stored import read_arrays, stored

NAME = "openset.npz"


def write_open_set(folder: Path, open_set: OpenSet) -> None:
    """Write it into a run or a model folder."""
    write_arrays(folder / NAME, open_set.to_arrays())


def read_open_set(folder: Path, n_features: int, remedy: str) -> OpenSet | None:
    """Read it; None if the folder has none, as those of older versions.

    Raises
    ------
    RunError
        If the file is damaged, or is of another number of features.
    """
    path = folder / NAME
    if not path.exists():
        return None
    arrays = read_arrays(path, OPEN_SET_ARRAYS, remedy)
    with stored(path, remedy):
        open_set = OpenSet.from_arrays(arrays)
        if open_set.n_features != n_features:
            raise ValueError(f"it is of {open_set.n_features} features, and the run of {n_features}")
    return open_set
