"""aurist learns to recognise sounds, and says honestly how well.

The main names, imported when they are first used:

`fit`, `resume`, `load`, `predict`, `score`, `read_clips`, `ReadOptions`, `FitConfig`, `Run`, and the errors
`AuristError`, `DataError`, `ConfigError`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aurist.automl import apply_run as predict
    from aurist.automl import evaluate_run as score
    from aurist.automl import fit, resume
    from aurist.clips.read import ReadOptions, read_clips
    from aurist.config import FitConfig
    from aurist.errors import AuristError, ConfigError, DataError
    from aurist.run import Run
    from aurist.run import open_run as load

__version__ = "0.1.0"

__all__ = [
    "AuristError",
    "ConfigError",
    "DataError",
    "FitConfig",
    "ReadOptions",
    "Run",
    "fit",
    "load",
    "predict",
    "read_clips",
    "resume",
    "score",
]

_WHERE = {
    "AuristError": ("aurist.errors", "AuristError"),
    "ConfigError": ("aurist.errors", "ConfigError"),
    "DataError": ("aurist.errors", "DataError"),
    "FitConfig": ("aurist.config", "FitConfig"),
    "ReadOptions": ("aurist.clips.read", "ReadOptions"),
    "Run": ("aurist.run", "Run"),
    "score": ("aurist.automl", "evaluate_run"),
    "fit": ("aurist.automl", "fit"),
    "load": ("aurist.run", "open_run"),
    "predict": ("aurist.automl", "apply_run"),
    "read_clips": ("aurist.clips.read", "read_clips"),
    "resume": ("aurist.automl", "resume"),
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for: `import aurist` alone costs nothing."""
    if name not in _WHERE:
        raise AttributeError(f"module 'aurist' has no attribute {name!r}")
    module, attribute = _WHERE[name]
    value = getattr(import_module(module), attribute)
    globals()[name] = value
    return value
