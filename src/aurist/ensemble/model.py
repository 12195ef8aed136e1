"""The ensemble as one object: its members, their weights, and the corrections after blending."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aurist.arrays import Proba
from aurist.calibration import apply_temperature
from aurist.ensemble.blend import blend
from aurist.ensemble.duplicates import Duplicates
from aurist.ensemble.prior_correction import correct_prior
from aurist.errors import ConfigError
from aurist.models.base import ModelSpec
from aurist.models.views import view_of
from aurist.plan import ENSEMBLE


@dataclass(frozen=True)
class PriorCorrection:
    """Divide by ``prior ** power``, for metrics that count rare classes as much as common ones.

    Parameters
    ----------
    power
        0: no correction.
    prior
        (n_classes,): shares of the classes in the training data.
    """

    power: float
    prior: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Ensemble:
    """The rows of a leaderboard, each as a rule that combines the answers of models.

    Parameters
    ----------
    members
        The models that were fitted.
    base_models
        By stacked member, the members whose answers it needs.
    weights
        By weighted ensemble and fold, the weights of its members.
    temperatures
        By weighted ensemble, the temperature of each of its members before blending.
    temperature, prior_correction
        Applied to the answers of `ENSEMBLE` after blending.
    multilabel
        True if clips may have several labels.
    """

    members: Mapping[str, ModelSpec]
    base_models: Mapping[str, Sequence[str]]
    weights: Mapping[str, Sequence[Mapping[str, float]]]
    temperatures: Mapping[str, Mapping[str, float]]
    temperature: float
    prior_correction: PriorCorrection
    multilabel: bool = False

    def check_row(self, name: str) -> None:
        """Check that there is such a row.

        Raises
        ------
        ConfigError
            If there is none.
        """
        if name not in self.members and name not in self.weights:
            raise ConfigError(
                f"This run has no model {name!r}. It has: {', '.join([*self.weights, *self.members])}."
            )

    def members_of(self, name: str) -> list[str]:
        """Give all members that a row needs, of both levels, sorted by name."""
        weighted = {member for weights in self.weights.get(name, ()) for member in weights} or {name}
        needed = {base for member in weighted for base in self.base_models.get(member, ())}
        return sorted(weighted | needed)

    def sees(self, name: str, network: str) -> bool:
        """Tell if a row needs the embeddings of a network: if one of its members sees them, or all features."""
        return bool({view_of(self.members[member]) for member in self.members_of(name)} & {None, network})

    def blend(self, name: str, fold: int, answers: Mapping[str, Proba]) -> Proba:
        """Blend the answers of the models of one fold, (n, n_classes) each, to that of a row."""
        if not self.weights.get(name):
            return answers[name]
        weights, temperatures = self.weights[name][fold], self.temperatures.get(name, {})
        probas = [
            apply_temperature(answers[member], temperatures.get(member, 1.0), multilabel=self.multilabel)
            for member in weights
        ]
        return blend(probas, np.array(list(weights.values())))

    def weighted_members(self, name: str, fold: int) -> Mapping[str, float]:
        """Give the members of a row in one fold, with their weights."""
        return self.weights[name][fold] if self.weights.get(name) else {name: 1.0}

    def correct(
        self,
        name: str,
        proba: Proba,
        duplicates: Duplicates | None = None,
        keys: npt.NDArray[np.uint64] | None = None,
    ) -> Proba:
        """Correct the blended answers, (n, n_classes), of `ENSEMBLE`; those of other rows stay as they are.

        Parameters
        ----------
        name
            The row.
        proba
            The mean over the folds.
        duplicates, keys
            Rows of the training data, and the keys of these n rows: seen rows are answered from their twins.
            Without keys no row is taken for a duplicate.
        """
        if name != ENSEMBLE:
            return proba
        proba = apply_temperature(proba, self.temperature, multilabel=self.multilabel)
        if duplicates is not None and keys is not None:
            proba = duplicates.answer(keys, proba)
        return correct_prior(proba, self.prior_correction.prior, self.prior_correction.power)
