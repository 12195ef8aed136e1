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
class MemberRecord:
    """A model of the ensemble, and the models whose answers it needs."""

    name: str
    engine: str
    settings: Mapping[str, Any]
    base_models: tuple[str, ...] = field(default=(), metadata=OPTIONAL)


@dataclass(frozen=True)
class PriorCorrectionRecord:
    """See `aurist.ensemble.model.PriorCorrection`."""

    power: float
    prior: tuple[float, ...]


@dataclass(frozen=True)
class EnsembleRecord:
    """The content of the file: see `aurist.ensemble.model.Ensemble`."""

    members: tuple[MemberRecord, ...]
    weights: Mapping[str, tuple[Mapping[str, float], ...]]
    temperatures: Mapping[str, Mapping[str, float]]
    temperature: float
    prior_correction: PriorCorrectionRecord


def write_ensemble(run: RunFolder, ensemble: Ensemble) -> None:
    """Write the ensemble of a run."""
    write_record(run.folder / NAME, record_of(ensemble))


def record_of(ensemble: Ensemble) -> EnsembleRecord:
    """Turn an ensemble into the content of a file."""
    correction = ensemble.prior_correction
    members = [
        MemberRecord(
            member.name, member.engine, member.settings, tuple(ensemble.base_models.get(member.name, ()))
        )
        for member in ensemble.members.values()
    ]
    return EnsembleRecord(
        tuple(members),
        {name: tuple(folds) for name, folds in ensemble.weights.items()},
        ensemble.temperatures,
        ensemble.temperature,
        PriorCorrectionRecord(correction.power, tuple(correction.prior.tolist())),
    )


def read_ensemble(run: RunFolder) -> Ensemble:
    """Read the ensemble of a finished run.

    Raises
    ------
    RunError
        If the run is not finished, or the file is damaged.
    """
    path = run.finished(NAME)
    content = read_record(path, EnsembleRecord, run.remedy)
    description = run.description()
    with stored(path, run.remedy):
        return ensemble_of(content, len(description.classes), multilabel=description.multilabel)


def ensemble_of(content: EnsembleRecord, n_classes: int, *, multilabel: bool) -> Ensemble:
    """Make the ensemble of the content of a file.

    Raises
    ------
    ValueError
        If members are missing, or the number of classes differs.
    """
    _check(content, n_classes)
    correction = content.prior_correction
    return Ensemble(
        {member.name: ModelSpec(member.name, member.engine, member.settings) for member in content.members},
        {member.name: member.base_models for member in content.members if member.base_models},
        {name: list(folds) for name, folds in content.weights.items()},
        content.temperatures,
        content.temperature,
        PriorCorrection(correction.power, np.asarray(correction.prior)),
        multilabel,
    )


def _check(content: EnsembleRecord, n_classes: int) -> None:
    """Raise ValueError if members are missing, or the number of classes differs."""
    names = {member.name for member in content.members}
    needed = {name for weights in content.weights.values() for fold in weights for name in fold}
    needed |= {name for member in content.members for name in member.base_models}
    if needed - names:
        raise ValueError(f"it needs {min(needed - names)}, which is none of its members")
    n_prior = len(content.prior_correction.prior)
    if n_prior != n_classes:
        raise ValueError(f"it is of {n_prior} classes, and the run of {n_classes}")
