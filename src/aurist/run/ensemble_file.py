"""``ensemble.json``: the ensemble of a run, written and read back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from aurist.ensemble.model import Ensemble, PriorCorrection
from aurist.models.base import ModelSpec
from aurist.records import OPTIONAL, read_record, write_record
from aurist.run.folder import RunFolder
from aurist.stored import stored

NAME = "ensemble.json"


@dataclass(frozen=True)
class _Member:
    name: str
    engine: str
    settings: Mapping[str, Any]
    base_models: tuple[str, ...] = field(default=(), metadata=OPTIONAL)


@dataclass(frozen=True)
class _PriorCorrection:
    power: float
    prior: tuple[float, ...]


@dataclass(frozen=True)
class _Ensemble:
    """The content of the file: see `aurist.ensemble.model.Ensemble`."""

    members: tuple[_Member, ...]
    weights: Mapping[str, tuple[Mapping[str, float], ...]]
    temperatures: Mapping[str, Mapping[str, float]]
    temperature: float
    prior_correction: _PriorCorrection


def write_ensemble(run: RunFolder, ensemble: Ensemble) -> None:
    """Write the ensemble of a run."""
    correction = ensemble.prior_correction
    members = [
        _Member(member.name, member.engine, member.settings, tuple(ensemble.base_models.get(member.name, ())))
        for member in ensemble.members.values()
    ]
    content = _Ensemble(
        tuple(members),
        {name: tuple(folds) for name, folds in ensemble.weights.items()},
        ensemble.temperatures,
        ensemble.temperature,
        _PriorCorrection(correction.power, tuple(correction.prior.tolist())),
    )
    write_record(run.folder / NAME, content)


def read_ensemble(run: RunFolder) -> Ensemble:
    """Read the ensemble of a finished run.

    Raises
    ------
    RunError
        If the run is not finished, or the file is damaged.
    """
    path = run.finished(NAME)
    content = read_record(path, _Ensemble, run.remedy)
    description = run.description()
    with stored(path, run.remedy):
        _check(content, len(description.classes))
        correction = content.prior_correction
        return Ensemble(
            {
                member.name: ModelSpec(member.name, member.engine, member.settings)
                for member in content.members
            },
            {member.name: member.base_models for member in content.members if member.base_models},
            {name: list(folds) for name, folds in content.weights.items()},
            content.temperatures,
            content.temperature,
            PriorCorrection(correction.power, np.asarray(correction.prior)),
            description.multilabel,
        )


def _check(content: _Ensemble, n_classes: int) -> None:
    """Raise ValueError if members are missing, or the number of classes differs."""
    names = {member.name for member in content.members}
    needed = {name for weights in content.weights.values() for fold in weights for name in fold}
    needed |= {name for member in content.members for name in member.base_models}
    if needed - names:
        raise ValueError(f"it needs {min(needed - names)}, which is none of its members")
    n_prior = len(content.prior_correction.prior)
    if n_prior != n_classes:
        raise ValueError(f"it is of {n_prior} classes, and the run of {n_classes}")
