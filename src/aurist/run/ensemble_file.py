"""``ensemble.json``: the ensemble of a run, written and read back."""

from __future__ import annotations

from typing import Any

import numpy as np

from aurist.ensemble.model import Ensemble, PriorCorrection
from aurist.files import write_json
from aurist.models.base import ModelSpec
from aurist.run.folder import RunFolder
from aurist.stored import read_json, stored

NAME = "ensemble.json"
_SHAPE = {
    "members": [{"name": str, "engine": str, "settings": dict, "base_models?": [str]}],
    "weights": {str: [{str: float}]},
    "temperatures": {str: {str: float}},
    "temperature": float,
    "prior_correction": {"power": float, "prior": [float]},
}


def write_ensemble(run: RunFolder, ensemble: Ensemble) -> None:
    """Write the ensemble of a run."""
    write_json(
        run.folder / NAME,
        {
            "members": [_described(member, ensemble) for member in ensemble.members.values()],
            "weights": {name: [dict(fold) for fold in folds] for name, folds in ensemble.weights.items()},
            "temperatures": {name: dict(by_member) for name, by_member in ensemble.temperatures.items()},
            "temperature": ensemble.temperature,
            "prior_correction": {
                "power": ensemble.prior_correction.power,
                "prior": ensemble.prior_correction.prior.tolist(),
            },
        },
    )


def read_ensemble(run: RunFolder) -> Ensemble:
    """Read the ensemble of a finished run.

    Raises
    ------
    RunError
        If the run is not finished, or the file is damaged.
    """
    path = run.finished(NAME)
    content = read_json(path, _SHAPE, run.remedy)
    description = run.description()
    with stored(path, run.remedy):
        _check(content, len(description.classes))
        members = content["members"]
        correction = content["prior_correction"]
        return Ensemble(
            {
                member["name"]: ModelSpec(member["name"], member["engine"], member["settings"])
                for member in members
            },
            {member["name"]: tuple(member["base_models"]) for member in members if "base_models" in member},
            content["weights"],
            content["temperatures"],
            content["temperature"],
            PriorCorrection(correction["power"], np.asarray(correction["prior"])),
            description.multilabel,
        )


def _described(member: ModelSpec, ensemble: Ensemble) -> dict[str, Any]:
    described = {"name": member.name, "engine": member.engine, "settings": dict(member.settings)}
    base_models = ensemble.base_models.get(member.name)
    return described | ({"base_models": list(base_models)} if base_models else {})


def _check(content: dict[str, Any], n_classes: int) -> None:
    """Raise ValueError if members are missing, or the number of classes differs."""
    names = {member["name"] for member in content["members"]}
    needed = {name for weights in content["weights"].values() for fold in weights for name in fold}
    needed |= {name for member in content["members"] for name in member.get("base_models", ())}
    if needed - names:
        raise ValueError(f"it needs {min(needed - names)}, which is none of its members")
    if len(content["prior_correction"]["prior"]) != n_classes:
        raise ValueError(
            f"it is of {len(content['prior_correction']['prior'])} classes, and the run of {n_classes}"
        )
