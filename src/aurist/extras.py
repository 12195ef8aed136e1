"""The optional extras of the installation, and the error if one is missing."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec

from aurist.errors import MissingExtraError

#: The modules that each extra of `pyproject.toml` brings.
MODULES: dict[str, tuple[str, ...]] = {
    "automl": ("autogluon.tabular", "lightgbm", "xgboost", "catboost"),
    "networks": ("torch", "timm", "safetensors", "lightning_fabric", "onnx"),
    "embed": ("onnx",),
    "tflite": ("ai_edge_litert",),
    "fast": ("openvino", "MNN"),
    "hub": ("huggingface_hub", "fsspec"),
    "mljar": ("supervised",),
    "parquet": ("pyarrow",),
    "plots": ("matplotlib",),
    "ray": ("ray",),
    "serve": ("fastapi", "uvicorn", "python_multipart"),
    "tune": ("optuna",),
}


@cache
def has_extra(extra: str) -> bool:
    """Return True if the modules of an extra are installed; none is imported."""
    return all(map(is_installed, MODULES[extra]))


def need_extra(extra: str, what: str) -> None:
    """Raise an error with the line that installs an extra, if it is missing.

    Parameters
    ----------
    extra
        A key of `MODULES`.
    what
        The subject of the message: what needs it.

    Raises
    ------
    MissingExtraError
        If a module of the extra is not installed.

    Examples
    --------
    >>> need_extra("tune", "A search of settings")
    """
    if not has_extra(extra):
        raise MissingExtraError(what, extra)


def pip_line(extra: str) -> str:
    """Return the command that installs an extra.

    Examples
    --------
    >>> pip_line("automl")
    "pip install 'aurist[automl]'"
    """
    return f"pip install 'aurist[{extra}]'"


@cache
def is_installed(module: str) -> bool:
    """Return True if a module is installed; it is not imported."""
    try:
        return find_spec(module) is not None
    except ImportError:  # the package around it is missing
        return False
