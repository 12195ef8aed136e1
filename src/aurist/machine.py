"""What this machine and this installation are."""

from __future__ import annotations

import os
import platform
from importlib import metadata

from aurist.errors import ConfigError

_LIBRARIES = ("aurist", "autogluon.tabular", "scikit-learn", "lightgbm", "catboost", "xgboost", "torch", "timm",
              "lightning-fabric", "numpy", "pandas", "soundfile", "soxr", "mljar-supervised")  # fmt: skip


def available_cores(jobs: int) -> int:
    """The cores to use: ``jobs``, or with 0 all that this process may run on.

    Raises
    ------
    ConfigError
        Where there are fewer than none.
    """
    if jobs < 0:
        raise ConfigError(f"jobs is {jobs}, but must be a number of cores, or 0 for all.")
    if jobs > 0:
        return jobs
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def versions() -> dict[str, str]:
    """Python, the platform, and the libraries that shape a result."""
    found = {"python": platform.python_version(), "platform": platform.platform()}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found
