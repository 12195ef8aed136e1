"""``thresholds.json``: the threshold of each class, for every row of the leaderboard."""

from __future__ import annotations

from collections.abc import Mapping

from aurist.files import write_json
from aurist.run.folder import RunFolder

NAME = "thresholds.json"
_SHAPE = {str: {str: float}}
#: Thresholds by class, by the name of the model.
ThresholdsByModel = Mapping[str, Mapping[str, float]]


def write_thresholds(run: RunFolder, thresholds: ThresholdsByModel) -> None:
    """Write the thresholds of a run."""
    write_json(run.folder / NAME, thresholds)


def read_thresholds(run: RunFolder) -> ThresholdsByModel:
    """Read the thresholds of a run; empty if its clips have one label each.

    Raises
    ------
    RunError
        If the file is damaged.
    """
    if not (run.folder / NAME).exists():
        return {}
    thresholds: ThresholdsByModel = run.read_json(NAME, _SHAPE)
    return thresholds
