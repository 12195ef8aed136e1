"""Models that see a part of the features: the summary features, or the embeddings of one network.

On small data a linear model of one view is often better than one of all columns, and the ensemble weighs them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from aurist.arrays import Proba
from aurist.features.matrix import EMBEDDED
from aurist.models.base import Engine, Examples, Fitted, Inputs, Model, ModelSpec, Task

#: The setting of a model that names its view; models without it see all features.
VIEW = "view"
#: The view of all features that are no embeddings.
FEATURES = "features"


def embedded_by(columns: Iterable[str]) -> list[str]:
    """Return the networks that made columns, in order.

    Examples
    --------
    >>> embedded_by(["tempo", "aurist_embedding_my_net_0000", "aurist_embedding_my_net_0001"])
    ['my_net']
    """
    makers = dict.fromkeys(_maker(name) for name in columns)
    return [maker.removeprefix(EMBEDDED) for maker in makers if maker]


def _maker(column: str) -> str:
    """Return the part of a column's name before its number; empty for one that no network made."""
    return column.rpartition("_")[0] if column.startswith(EMBEDDED) else ""


def in_view(inputs: Inputs, view: str) -> Inputs:
    """Return the inputs with the columns of a view."""
    made_by = "" if view == FEATURES else f"{EMBEDDED}{view}"
    columns = [name for name in inputs.features.columns if _maker(str(name)) == made_by]
    return replace(inputs, features=inputs.features[columns])


def view_of(member: ModelSpec) -> str | None:
    """Return the view of a model; None if it sees all features."""
    view = member.settings.get(VIEW)
    return None if view is None else str(view)


@dataclass(frozen=True)
class ViewModel:
    """A fitted model that sees a view."""

    model: Model
    view: str

    def predict_proba(self, inputs: Inputs) -> Proba:
        """Return the probabilities (n, n_classes)."""
        return self.model.predict_proba(in_view(inputs, self.view))


class ViewEngine:
    """An engine whose models see a view."""

    def __init__(self, engine: Engine, view: str) -> None:
        self._engine, self._view = engine, view
        self.alone, self.resumes = engine.alone, engine.resumes

    def fit(
        self,
        folder: Path,
        task: Task,
        member: ModelSpec,
        train: Examples,
        validation: Examples,
        seconds: float,
    ) -> Fitted:
        """Fit the model on the view of both parts."""
        parts = [replace(part, inputs=in_view(part.inputs, self._view)) for part in (train, validation)]
        fitted = self._engine.fit(folder, task, member, parts[0], parts[1], seconds)
        return replace(fitted, model=ViewModel(fitted.model, self._view))

    def load(self, folder: Path, task: Task, member: ModelSpec) -> ViewModel:
        """Load the model that ``fit`` wrote."""
        return ViewModel(self._engine.load(folder, task, member), self._view)

    def portable_files(self, folder: Path, task: Task) -> list[Path]:
        """List the files that ``load`` needs."""
        return self._engine.portable_files(folder, task)
