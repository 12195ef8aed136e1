"""The files of a model's folds: where they lie, how they are written, and how they are read back.

A fold is done once its folder has a ``unit.json``. Until then it lies in a hidden folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from aurist.files import folder_lock, write_json
from aurist.folders import remove_folder
from aurist.models.base import Model, ModelSpec, Task, fit_again
from aurist.models.engines import engine_of
from aurist.predictions import COLUMNS, Predictions
from aurist.stored import read_frame, read_json, stored
from aurist.tables import table_path, write_table

UNIT_FILE = "unit.json"
PREDICTIONS_FILE = "predictions.parquet"
VARIANTS_FILE = "variants.parquet"
BASE_MODELS_FILE = "asks.json"
_UNIT = {"fit_time": float, "pred_time": float, "n_scored": int, "facts?": {str: float}}
#: Seconds to wait for a fold that a worker of a killed run still fits.
_PATIENCE = 5.0


@dataclass(frozen=True)
class FoldFacts:
    """Times in seconds and facts of a fold.

    ``pred_time`` is the time to predict the ``n_scored`` rows of the fold. ``facts`` come from the engine.
    """

    fit_time: float
    pred_time: float
    n_scored: int
    facts: Mapping[str, float]


@dataclass(frozen=True)
class FoldFiles:
    """The tables and facts of a fitted fold; ``variants`` is None if the model has none."""

    predictions: pd.DataFrame
    variants: pd.DataFrame | None
    facts: FoldFacts


def fold_folder(folder: Path, fold: int) -> Path:
    """Return the folder of a fitted fold."""
    return folder / f"fold{fold}"


def partial_folder(folder: Path, fold: int) -> Path:
    """Return the folder of a fold while it is fitted."""
    return folder / f".fold{fold}"


def is_done(folder: Path, fold: int) -> bool:
    """Return True if this fold is completely fitted."""
    return (fold_folder(folder, fold) / UNIT_FILE).exists()


@contextmanager
def lock_fold(folder: Path, fold: int) -> Iterator[None]:
    """Lock a fold for this process: a worker lives a moment longer than its killed run."""
    lock = folder / f".fold{fold}.lock"
    lock.mkdir(parents=True, exist_ok=True)
    with folder_lock(lock, _PATIENCE):
        yield
    remove_folder(lock)


def write_fold(
    folder: Path, predictions: list[Predictions], variants: list[Predictions], facts: FoldFacts
) -> None:
    """Write the files of a fold into its folder, ``unit.json`` last."""
    _write_predictions(folder / PREDICTIONS_FILE, predictions)
    if variants:
        _write_predictions(folder / VARIANTS_FILE, variants)
    write_json(folder / UNIT_FILE, asdict(facts))


def _write_predictions(path: Path, predictions: list[Predictions]) -> None:
    write_table(pd.concat([part.to_frame() for part in predictions], ignore_index=True), path)


def finish_fold(folder: Path, fold: int) -> None:
    """Move a fitted fold from its hidden folder to its final one."""
    remove_folder(fold_folder(folder, fold))  # an incomplete one
    partial_folder(folder, fold).rename(fold_folder(folder, fold))


def read_fold(folder: Path, fold: int) -> FoldFiles:
    """Read the files of a fitted fold.

    Raises
    ------
    RunError
        If a file is missing or damaged.
    """
    path = fold_folder(folder, fold)
    advice = fit_again(path)
    predictions = read_frame(path / PREDICTIONS_FILE, COLUMNS, advice)
    variants = None
    if table_path(path / VARIANTS_FILE).exists():
        variants = read_frame(path / VARIANTS_FILE, COLUMNS, advice)
    unit = read_json(path / UNIT_FILE, _UNIT, advice)
    facts = FoldFacts(unit["fit_time"], unit["pred_time"], unit["n_scored"], unit.get("facts", {}))
    return FoldFiles(predictions, variants, facts)


def write_base_models(folder: Path, base_models: Mapping[str, str]) -> None:
    """Write the base models of a stacked model: their names, each with the key of its predictions."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / BASE_MODELS_FILE, dict(base_models))


def base_models_of(folder: Path) -> dict[str, str]:
    """Read the base models of a stacked model; empty for a model of the first level."""
    path = folder / BASE_MODELS_FILE
    base_models: dict[str, str] = read_json(path, {str: str}, fit_again(folder)) if path.exists() else {}
    return base_models


def clear_folds(folder: Path) -> None:
    """Delete the folds of a model, and nothing else in its folder."""
    for pattern in ("fold[0-9]*", ".fold[0-9]*"):
        for path in folder.glob(pattern):
            remove_folder(path)


def clear_partial_folds(folder: Path) -> None:
    """Delete the folds that are not completely fitted."""
    for path in folder.glob(".fold*"):
        remove_folder(path)


def load_folds(folder: Path, task: Task, member: ModelSpec, n_folds: int | None = None) -> list[Model]:
    """Load the models of all folds, in order; without a number, of those that are completely fitted."""
    if n_folds is None:
        n_folds = count_folds(folder)
    return [load_fold(folder, task, member, fold) for fold in range(n_folds)]


def count_folds(folder: Path) -> int:
    """Count the folds of a model that are completely fitted."""
    return sum(1 for path in folder.glob("fold*") if (path / UNIT_FILE).exists())


def load_fold(folder: Path, task: Task, member: ModelSpec, fold: int) -> Model:
    """Load the model of one fold.

    Raises
    ------
    RunError
        If its files are damaged.
    """
    path = fold_folder(folder, fold)
    with stored(path, fit_again(path)):
        return engine_of(member).load(path, task, member)
