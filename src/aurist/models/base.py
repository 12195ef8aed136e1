"""The protocol of every model: fit on the rows of one fold, store in a folder, predict probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.arrays import Proba
from aurist.clips import Clips
from aurist.errors import AuristError
from aurist.features.matrix import float_matrix
from aurist.features.waves import WavesInMemory
from aurist.folders import check_name
from aurist.metrics import UNKNOWN

#: Of so few rows, the models of all folds share one array: to make it for each takes longer than their sums.
_FEW_ROWS = 1000


@dataclass(frozen=True)
class Task:
    """The classes to learn, the metric and the seed: the same for every model of a run."""

    classes: tuple[str, ...]
    multilabel: bool
    metric: str
    seed: int = 0
    jobs: int = 1


@dataclass(frozen=True)
class Inputs:
    """The data that a model may look at.

    Parameters
    ----------
    features
        (n, n_features): for models of tables.
    clips
        The n clips, for models of sound; None if there are no recordings.
    cache_dir
        The folder of decoded sound; None: the default folder.
    in_memory
        The sound of n windows in memory, by sample rate. It takes the place of the clips.
    """

    features: pd.DataFrame
    clips: Clips | None = None
    cache_dir: Path | None = None
    in_memory: Mapping[int, WavesInMemory] | None = None

    def __len__(self) -> int:
        return len(self.features)

    def take(self, rows: npt.NDArray[np.intp]) -> Inputs:
        """Return the inputs at these positions."""
        return Inputs(
            self.features.iloc[rows].reset_index(drop=True),
            None if self.clips is None else self.clips.take(rows),
            self.cache_dir,
            None
            if self.in_memory is None
            else {rate: waves.take(rows) for rate, waves in self.in_memory.items()},
        )

    def concat(self, other: Inputs) -> Inputs:
        """Append other inputs, from the same table of clips."""
        clips = self.clips
        if clips is not None and other.clips is not None:
            table = pd.concat([clips.table, other.clips.table], ignore_index=True)
            clips = replace(clips, table=table, rows=(), given_ids=())
        return Inputs(pd.concat([self.features, other.features], ignore_index=True), clips, self.cache_dir)

    def matrix(self, n_features: int) -> npt.NDArray[np.float32]:
        """Return the features as one array, (n, n_features).

        Raises
        ------
        ValueError
            If there is another number of features: a compiled loop would read beyond the row.
        """
        if self.features.shape[1] != n_features:
            raise ValueError(f"it needs {n_features} features, and there are {self.features.shape[1]}")
        return self._matrix if len(self.features) <= _FEW_ROWS else float_matrix(self.features)

    @cached_property
    def _matrix(self) -> npt.NDArray[np.float32]:
        """The features as one array, which nobody may change."""
        return float_matrix(self.features)


@dataclass(frozen=True)
class Examples:
    """Rows to learn from: n inputs, indicator matrix (n, n_classes) with -1 for unknown cells, weights (n,).

    ``soft``, (n, n_classes), are probabilities that networks learn in the place of ``targets``; None: there are none.
    """

    inputs: Inputs
    targets: npt.NDArray[np.int8]
    weight: npt.NDArray[np.float64]
    soft: npt.NDArray[np.float32] | None = None

    @property
    def probabilities(self) -> npt.NDArray[np.float32]:
        """(n, n_classes): ``soft``, or 1 for the classes that are present."""
        return (self.targets > 0).astype(np.float32) if self.soft is None else self.soft

    @property
    def features(self) -> pd.DataFrame:
        """(n, n_features)."""
        return self.inputs.features

    def with_known_label(self, column: int) -> Examples:
        """Keep the rows whose label in this column is known."""
        rows = np.flatnonzero(self.targets[:, column] != UNKNOWN)
        return self if len(rows) == len(self.targets) else self.take(rows)

    def take(self, rows: npt.NDArray[np.intp]) -> Examples:
        """Return the examples at these positions."""
        soft = None if self.soft is None else self.soft[rows]
        return Examples(self.inputs.take(rows), self.targets[rows], self.weight[rows], soft)

    def concat(self, other: Examples) -> Examples:
        """Append other examples."""
        return Examples(
            self.inputs.concat(other.inputs),
            np.concatenate([self.targets, other.targets]),
            np.concatenate([self.weight, other.weight]),
            None
            if self.soft is None and other.soft is None
            else np.concatenate([self.probabilities, other.probabilities]),
        )


@dataclass(frozen=True)
class ModelSpec:
    """The engine and the settings of one row of the leaderboard.

    ``seconds_per_row`` is the least time of one core that a fold needs for each row. A network that is stopped half-way
    is worth little, so it is not started without that time. A model of ``level`` 2 gets the features and the
    predictions of the models of level 1.

    Raises
    ------
    ConfigError
        If the name cannot name a folder: each model has one.
    """

    name: str
    engine: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    seconds_per_row: float = 0.0
    level: int = 1

    def __post_init__(self) -> None:
        check_name(self.name, "The model's name")


def fit_again(folder: Path) -> str:
    """Return the advice for a damaged folder of a model or of one of its folds."""
    return f"Remove {folder}, and `aurist resume` fits it again."


class Model(Protocol):
    """A model fitted on one fold. All that it needs to predict is in its folder."""

    def predict_proba(self, inputs: Inputs) -> Proba:
        """Return the probabilities (n, n_classes), in the order of the task's classes."""
        ...


class NotPortableError(AuristError):
    """The files of a model cannot be handed on: they hold pickles, or need the library that trained them."""


class FitFailedError(AuristError):
    """The model could not be fitted: no time, no memory or an error. The plan goes on without it."""


@runtime_checkable
class ModelWithVariants(Model, Protocol):
    """A model with several kinds of predictions, e.g. one for each pooling, to compare."""

    def variants(self, inputs: Inputs) -> dict[str, Proba]:
        """Return (n, n_classes) by the name of the variant; the first equals `predict_proba`."""
        ...


@dataclass(frozen=True)
class Fitted:
    """The model of one fold, and its predictions of the validation part.

    Parameters
    ----------
    model
        The model to predict with. It may be refitted on both parts, with the settings chosen.
    validation_proba
        (n_validation, n_classes): predicted before the model was fitted on the validation part. None if it chose
        nothing, and so learnt from both parts at once.
    facts
        For the leaderboard: ``params`` (their number), ``train_speed`` (clips/s).
    """

    model: Model
    validation_proba: Proba | None
    facts: Mapping[str, float] = field(default_factory=dict)


class Engine(Protocol):
    """Fits and reads back the models of one kind.

    Attributes
    ----------
    alone
        True if one fold uses all cores; else several folds are fitted in parallel.
    resumes
        True if `fit` continues from the files that a killed fit left in the folder.
    """

    alone: bool
    resumes: bool

    def fit(
        self,
        folder: Path,
        task: Task,
        member: ModelSpec,
        train: Examples,
        validation: Examples,
        seconds: float,
    ) -> Fitted:
        """Fit on ``train`` into ``folder`` in about ``seconds``. Choose settings on ``validation`` alone."""
        ...

    def load(self, folder: Path, task: Task, member: ModelSpec) -> Model:
        """Load the model that ``fit`` wrote."""
        ...

    def portable_files(self, folder: Path, task: Task) -> list[Path]:
        """List the files in a fold's folder that ``load`` needs: plain numbers, neither pickles nor code.

        Raises
        ------
        NotPortableError
            If there are others; the message says why, as a part of a sentence.
        """
        ...
