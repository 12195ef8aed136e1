"""Find the engine of a name."""

from __future__ import annotations

import os

from aurist.errors import RunError
from aurist.models.base import Engine, ModelSpec
from aurist.models.views import ViewEngine, view_of


def engine_of(member: ModelSpec) -> Engine:
    """Return the engine of a model, which sees its view of the features."""
    view = view_of(member)
    return engine(member.engine) if view is None else ViewEngine(engine(member.engine), view)


def engine(name: str) -> Engine:
    """Return the engine of this name. Its libraries are imported only when it is used."""
    # OpenMP's threads spin while they wait: on a shared machine LightGBM took ten times as long
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    if name == "forest":
        from aurist.models.forest import ForestEngine

        return ForestEngine()
    if name == "classic":
        from aurist.models.sklearn_models import ClassicEngine

        return ClassicEngine()
    if name == "autogluon":
        from aurist.models.autogluon import AutoGluonEngine

        return AutoGluonEngine()
    if name == "kernel":
        from aurist.models.kernel import KernelEngine

        return KernelEngine()
    if name == "mljar":
        from aurist.models.mljar import MljarEngine

        return MljarEngine()
    if name == "network":
        from aurist.models.network import NetworkEngine

        return NetworkEngine()
    raise RunError(
        f"Found a model of the engine {name!r}; this version knows autogluon, classic, forest, kernel, mljar and "
        f"network."
    )
