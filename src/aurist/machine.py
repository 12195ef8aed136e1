"""Facts about this machine and this installation."""

from __future__ import annotations

import platform
from importlib import metadata

from aurist.errors import ConfigError
from aurist.system import usable_cores

_LIBRARIES = ("aurist", "autogluon.tabular", "scikit-learn", "lightgbm", "catboost", "xgboost", "torch", "timm",
              "lightning-fabric", "onnxruntime", "openvino", "MNN", "numpy", "pandas", "soundfile", "soxr",
              "mljar-supervised")  # fmt: skip


def available_cores(jobs: int) -> int:
    """Return the number of cores to use: ``jobs``, or with 0 all cores of this process.

    Raises
    ------
    ConfigError
        If ``jobs`` is negative.
    """
    if jobs < 0:
        raise ConfigError(f"jobs is {jobs}, but must be a number of cores, or 0 for all.")
    if jobs > 0:
        return jobs
    return usable_cores()


def installed_version(library: str) -> str:
    """Return the version of a library, or "not installed"."""
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return "not installed"


def versions() -> dict[str, str]:
    """Return the versions of Python, the platform, and the libraries that affect results."""
    names = {"python": platform.python_version(), "platform": platform.platform()}
    for name in _LIBRARIES:
        names[name] = installed_version(name)
    return names
