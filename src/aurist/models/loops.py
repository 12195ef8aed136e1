"""The loops of models for a number of rows: compiled, or with numpy."""

from __future__ import annotations

from typing import Any

from aurist.loops import compiles_models


def model_loops(rows: int) -> Any:
    """Return the module of loops for a prediction of this number of rows."""
    if compiles_models(rows):
        from aurist.models import _kernels

        return _kernels
    from aurist.models import plain

    return plain
