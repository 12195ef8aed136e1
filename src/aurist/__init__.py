"""aurist learns to recognise sounds, and says honestly how well.

The public names are imported when they are first used: `import aurist` alone costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aurist.api.client import Client
    from aurist.api.estimator import AudioClassifier
    from aurist.api.features import compute_features
    from aurist.api.fitting import fit, resume
    from aurist.api.reading import check, read_annotated, read_clips
    from aurist.api.run import Run, load
    from aurist.errors import AuristError, ConfigError, DataError, RunError, ServerError

__version__ = "0.1.0"

__all__ = [
    "AudioClassifier",
    "AuristError",
    "Client",
    "ConfigError",
    "DataError",
    "Run",
    "RunError",
    "ServerError",
    "check",
    "compute_features",
    "fit",
    "load",
    "read_annotated",
    "read_clips",
    "resume",
]

_MODULES = {
    "aurist.api.client": ("Client",),
    "aurist.api.estimator": ("AudioClassifier",),
    "aurist.api.features": ("compute_features",),
    "aurist.api.fitting": ("fit", "resume"),
    "aurist.api.reading": ("check", "read_annotated", "read_clips"),
    "aurist.api.run": ("Run", "load"),
    "aurist.errors": ("AuristError", "ConfigError", "DataError", "RunError", "ServerError"),
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    for module, names in _MODULES.items():
        if name in names:
            value = getattr(import_module(module), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module 'aurist' has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names, for completion."""
    return [*__all__, "__version__"]
