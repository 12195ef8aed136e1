"""The models of a plan that this installation can fit: some engines are optional extras."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from aurist.config import FitConfig
from aurist.extras import has_extra, need_extra, pip_line
from aurist.models.base import ModelSpec
from aurist.models.network_member import ENGINE as NETWORK
from aurist.plan.steps import read_plan

#: The extra that an engine needs; the others need none.
_EXTRAS = {"autogluon": "automl", "mljar": "mljar", NETWORK: "networks"}
#: Models of AutoGluon that also need PyTorch.
_TORCH_KINDS = ("NN_TORCH", "TABM")


def need_engines(config: FitConfig) -> None:
    """Check that the engines that the settings name are installed, before the work begins.

    Raises
    ------
    MissingExtraError
        If one is not.
    """
    named = {"autogluon": ("autogluon",), "mljar": ("mljar",), "all": ("autogluon", "mljar")}
    for engine in named.get(config.engine, ()):
        need_extra(_EXTRAS[engine], f"The engine {engine}")
    for recipe in config.recipes:
        need_extra("networks", f"The recipe {recipe}")
    for member in [] if config.plan is None else read_plan(Path(config.plan)).members:
        for extra in _extras_of(member):
            need_extra(extra, f"The model {member.name} of {config.plan}")


def without_missing(members: Sequence[ModelSpec]) -> tuple[list[ModelSpec], list[str]]:
    """Leave out the models whose extra is not installed; return the others, and a note for each extra."""
    lacking = {member.name: [e for e in _extras_of(member) if not has_extra(e)] for member in members}
    notes = []
    for extra in sorted({extra for extras in lacking.values() for extra in extras}):
        names = [name for name, extras in lacking.items() if extras and extras[0] == extra]
        if names:
            notes.append(f"left out as not installed ({pip_line(extra)}): {', '.join(names)}")
    return [member for member in members if not lacking[member.name]], notes


def _extras_of(member: ModelSpec) -> list[str]:
    extras = [_EXTRAS[member.engine]] if member.engine in _EXTRAS else []
    return [*extras, "networks"] if member.settings.get("kind") in _TORCH_KINDS else extras
