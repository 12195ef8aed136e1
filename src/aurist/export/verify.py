"""Check a model folder: its files, and its answer to its example."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aurist.errors import RunError, listing
from aurist.export.example import answer
from aurist.files import sha256_of
from aurist.run.model_folder import read_description, read_model_folder

#: The largest difference of a probability between machines; with less precise engines for networks it is larger.
TOLERANCE, NETWORK_TOLERANCE = 1e-4, 5e-3


@dataclass(frozen=True)
class Verification:
    """The result of a check.

    Parameters
    ----------
    n_files
        The number of files with the expected hashes.
    difference
        The largest difference of a probability of the example; None without an example.
    seconds
        The time to load the model and to predict its example.
    """

    n_files: int
    difference: float | None
    seconds: float


def verify_model(folder: Path) -> Verification:
    """Check the hashes of all files, and that the example is answered as it was at the export.

    Raises
    ------
    RunError
        If files differ, or the answer does.
    """
    content = read_description(folder)
    files = read_model_folder(folder)
    wrong = [name for name, file in content.files.items() if sha256_of(folder / name) != file.sha256]
    if wrong:
        raise RunError(
            f"{folder} was changed after its export; the SHA-256 of these files differs:\n{listing(wrong)}\n"
            f"{files.remedy}"
        )
    if content.example is None:
        return Verification(len(content.files), None, 0.0)
    began = time.perf_counter()
    proba = answer(files, folder / content.example.file)
    seconds = time.perf_counter() - began
    expected = np.array([content.example.proba[label] for label in content.classes])
    difference = float(np.abs(proba - expected).max())
    has_networks = any(member.engine == "network" for member in content.ensemble.members)
    allowed = NETWORK_TOLERANCE if has_networks else TOLERANCE
    if not difference <= allowed:
        raise RunError(
            f"{folder} answers its example differently on this machine: a probability differs by {difference:.2g}, and "
            f"at most {allowed:g} is expected. Export it again with this version of aurist."
        )
    return Verification(len(content.files), difference, seconds)
