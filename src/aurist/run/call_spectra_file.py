"""``call_spectra.npz``: in which bands each class calls, written and read back."""

from __future__ import annotations

from pathlib import Path

from aurist.features.call_spectra import SPECTRA_ARRAYS, CallSpectra
from aurist.files import write_arrays
from aurist.stored import read_arrays, stored

NAME = "call_spectra.npz"


def write_spectra(folder: Path, spectra: CallSpectra) -> None:
    """Write them into a run or a model folder."""
    write_arrays(folder / NAME, spectra.to_arrays())


def read_spectra(folder: Path, n_classes: int, remedy: str) -> CallSpectra | None:
    """Read them; None if the folder has none: no annotated times, or an older version.

    Raises
    ------
    RunError
        If the file is damaged, or is of another number of classes.
    """
    path = folder / NAME
    if not path.exists():
        return None
    arrays = read_arrays(path, SPECTRA_ARRAYS, remedy)
    with stored(path, remedy):
        spectra = CallSpectra.from_arrays(arrays)
        if len(spectra.weights) != n_classes:
            raise ValueError(f"it is of {len(spectra.weights)} classes, and the run of {n_classes}")
    return spectra
