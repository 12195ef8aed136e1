"""``duplicates.npz``: the rows that a run was fitted on, written and read back."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from aurist.ensemble.duplicates import DuplicateRule, Duplicates
from aurist.files import write_arrays
from aurist.stored import read_arrays, stored

NAME = "duplicates.npz"
_SHAPE = {
    "keys": (1,), "proba": (2,), "counts": (2,), "rows": (1, 2), "strength": (0,), "logits": (2,), "unscored": (1,),
}  # fmt: skip


def write_duplicates(folder: Path, duplicates: Duplicates) -> None:
    """Write the rows of the training data, and how rows that come again are answered."""
    arrays = {
        "keys": duplicates.keys,
        "proba": duplicates.proba,
        "counts": duplicates.counts,
        "rows": duplicates.rows,
        "strength": np.asarray(duplicates.twins.strength),
        "logits": duplicates.twins.logits,
        "unscored": duplicates.unscored,
    }
    write_arrays(folder / NAME, arrays, compress=False)


def read_duplicates(folder: Path, n_classes: int, remedy: str) -> Duplicates:
    """Read the rows that a run was fitted on, and the rule to answer seen rows."""
    path = folder / NAME
    arrays = read_arrays(path, _SHAPE, remedy)
    with stored(path, remedy):
        n, logits = len(arrays["keys"]), arrays["logits"]
        if len(arrays["rows"]) != n:
            raise ValueError(f"rows has the shape {arrays['rows'].shape}")
        if not arrays["proba"].shape == arrays["counts"].shape == (n, n_classes):
            raise ValueError(f"it is of {arrays['proba'].shape[1]} classes, and the run of {n_classes}")
        if logits.size and logits.shape != (n_classes, n_classes):
            raise ValueError(f"logits has the shape {logits.shape}")
        return Duplicates(
            arrays["keys"],
            arrays["proba"],
            arrays["counts"],
            arrays["rows"],
            DuplicateRule(float(arrays["strength"]), logits),
            arrays["unscored"],
        )
