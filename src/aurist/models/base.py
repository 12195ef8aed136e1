"""What every model is: fitted on some rows of one fold, kept in a folder, asked for probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.arrays import Proba
from aurist.clips import Clips
from aurist.errors import AuristError
from aurist.features.waves import WavesInMemory
from aurist.folders import check_name
from aurist.metrics import UNKNOWN


@dataclass(frozen=True)
class Task:
    """What is to be learnt, the same for every model of a run."""

    classes: tuple[str, ...]
    multilabel: bool
    metric: str
    seed: int = 0
    jobs: int = 1


@dataclass(frozen=True)
class Inputs:
    """What a model may look at.

    Parameters
    ----------
    features
        (n, n_features): for models of tables.
    clips
        The n clips, for models that listen; None where there are no recordings.
    cache_dir
        Where decoded sound is kept; None: the default place.
    held
        By sample rate, the sound of n windows that are in memory, instead of clips.
    """

    features: pd.DataFrame
    clips: Clips | None = None
    cache_dir: Path | None = None
    held: Mapping[int, WavesInMemory] | None = None

    def __len__(self) -> int:
        return len(self.features)

    def take(self, rows: npt.NDArray[np.intp]) -> Inputs:
        """The inputs of these positions."""
        return Inputs(
            self.features.iloc[rows].reset_index(drop=True),
            None if self.clips is None else self.clips.take(rows),
            self.cache_dir,
            None if self.held is None else {rate: waves.take(rows) for rate, waves in self.held.items()},
        )

    def together(self, other: Inputs) -> Inputs:
        """These inputs and then the others, from the same table of clips."""
        clips = self.clips
        if clips is not None and other.clips is not None:
            table = pd.concat([clips.table, other.clips.table], ignore_index=True)
            clips = replace(clips, table=table, rows=(), given_ids=())
        return Inputs(pd.concat([self.features, other.features], ignore_index=True), clips, self.cache_dir)


@dataclass(frozen=True)
class Examples:
    """Rows to learn from: n inputs, indicator matrix (n, n_classes) with -1 where it is not known, weights (n,)."""

    inputs: Inputs
    targets: npt.NDArray[np.int8]
    weight: npt.NDArray[np.float64]

    @property
    def features(self) -> pd.DataFrame:
        """(n, n_features)."""
        return self.inputs.features

    def known_of(self, column: int) -> Examples:
        """Those of which it is known whether they have the label of a column."""
        rows = np.flatnonzero(self.targets[:, column] != UNKNOWN)
        return self if len(rows) == len(self.targets) else self.take(rows)

    def take(self, rows: npt.NDArray[np.intp]) -> Examples:
        """The examples of these positions."""
        return Examples(self.inputs.take(rows), self.targets[rows], self.weight[rows])

    def together(self, other: Examples) -> Examples:
        """These examples and then the others."""
        return Examples(
            self.inputs.together(other.inputs),
            np.concatenate([self.targets, other.targets]),
            np.concatenate([self.weight, other.weight]),
        )


@dataclass(frozen=True)
class ModelSpec:
    """One row to be of the leaderboard: which engine makes it, with which settings.

    ``seconds_per_row`` is what a fold needs of one core at the least for each row: networks that are stopped
    half-way are worth little, so that they are not begun without that. A member of ``level`` 2 looks at what those of
    level 1 say, beside the features.

    Raises
    ------
    ConfigError
        Where the name cannot be that of a folder, as each model has one.
    """

    name: str
    engine: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    seconds_per_row: float = 0.0
    level: int = 1

    def __post_init__(self) -> None:
        check_name(self.name, "The model's name")


def fit_again(folder: Path) -> str:
    """The next step where what is in the folder of a member, or of a fold of it, is damaged."""
    return f"Remove {folder}, and `aurist resume` fits it again."


class Model(Protocol):
    """A model fitted on one fold; what it needs to predict is in its folder."""

    def predict_proba(self, inputs: Inputs) -> Proba:
        """(n, n_classes): probabilities in the order of the task's classes."""
        ...


class FitFailedError(AuristError):
    """The member could not be fitted, for want of time or another reason; the plan goes on without it."""


@runtime_checkable
class ModelWithVariants(Model, Protocol):
    """A model that can answer in several ways, whose scores are worth comparing."""

    def variants(self, inputs: Inputs) -> dict[str, Proba]:
        """(n, n_classes) by the name of the way; the first is what `predict_proba` gives."""
        ...


@runtime_checkable
class ModelThatTellsWhen(Model, Protocol):
    """A model that may know when in a clip a class sounds.

    Attributes
    ----------
    tells_when
        Whether it does.
    """

    tells_when: bool

    def predict_parts(self, inputs: Inputs, n_parts: int) -> tuple[Proba, Proba]:
        """What `predict_proba` gives, and the same of equal parts of each clip, (n, n_parts, n_classes)."""
        ...


@dataclass(frozen=True)
class Fitted:
    """What an engine made of one fold.

    Parameters
    ----------
    model
        Which may have been fitted once more, on both parts, with what was chosen.
    validation_proba
        (n_validation, n_classes): by the model as it was before it had seen the validation part; None where it never
        was without it, because nothing was chosen.
    facts
        For the leaderboard: ``params`` (how many), ``train_speed`` (clips/s).
    """

    model: Model
    validation_proba: Proba | None
    facts: Mapping[str, float] = field(default_factory=dict)


class Engine(Protocol):
    """Fits and reads back the models of one kind.

    Attributes
    ----------
    alone
        Whether a fold is fitted on all cores, and not several beside each other.
    resumes
        Whether `fit` goes on with what a killed one left in the folder.
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
        """Fit on ``train``, choosing on ``validation`` alone, in about so many seconds, into ``folder``."""
        ...

    def load(self, folder: Path, task: Task, member: ModelSpec) -> Model:
        """Read back what ``fit`` left in the folder."""
        ...
