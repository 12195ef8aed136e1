"""``recordings.npz``: the sound of the recordings learnt from as a whole, written and read back."""

from __future__ import annotations

from pathlib import Path

from aurist.features.profiles import OCTAVES, Profiles
from aurist.files import write_arrays
from aurist.stored import read_arrays, stored

NAME = "recordings.npz"
_DIMENSIONS = {"reach": (1,), "level": (1,), "octaves": (2,)}


def write_profiles(folder: Path, profiles: Profiles) -> None:
    """Write them into a run or a model folder."""
    write_arrays(folder / NAME, {name: getattr(profiles, name) for name in _DIMENSIONS})


def read_profiles(folder: Path, remedy: str) -> Profiles | None:
    """Read them; None if the folder has none, as those of older versions and of tables of features.

    Raises
    ------
    RunError
        If the file is damaged.
    """
    path = folder / NAME
    if not path.exists():
        return None
    arrays = read_arrays(path, _DIMENSIONS, remedy)
    with stored(path, remedy):
        n = len(arrays["reach"])
        if len(arrays["level"]) != n or arrays["octaves"].shape != (n, len(OCTAVES)):
            raise ValueError(f"it has {n} reaches and octaves of the shape {arrays['octaves'].shape}")
    return Profiles(arrays["reach"], arrays["level"], arrays["octaves"])
