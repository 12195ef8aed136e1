"""The fold models of one row of the leaderboard, loaded to predict."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from aurist.arrays import Proba
from aurist.ensemble.stacking import with_base_answers
from aurist.errors import RunError, plural
from aurist.fold_files import load_folds
from aurist.models.base import Inputs, Task
from aurist.models.network_member import ENGINE as NETWORK
from aurist.models.network_member import recipe_of
from aurist.models.network_model import NetworkModel
from aurist.models.together import expect_inputs, predict_parts_together, predict_together
from aurist.run import ModelFiles

#: Rows predicted at once, to limit memory for long tables.
CHUNK = 50_000


class FoldModels:
    """The models of every fold that one row of the leaderboard needs, loaded once.

    Parameters
    ----------
    files, task
        The files of the models, and their task.
    name
        The row.

    Attributes
    ----------
    members
        The names of the models of both levels.
    listeners
        The members that need recordings and no features.
    recipes
        The recipes of the listeners.
    n_folds, n_classes
        Numbers of folds and classes.

    Raises
    ------
    ConfigError
        If the run has no such row.
    RunError
        If models of some folds are missing.
    """

    def __init__(self, files: ModelFiles, task: Task, name: str) -> None:
        ensemble = files.ensemble
        ensemble.check_row(name)
        self._ensemble, self._name = ensemble, name
        self.members = ensemble.members_of(name)
        specs = [ensemble.members[member] for member in self.members]
        self._models = {
            spec.name: load_folds(files.models / spec.name, task, spec, files.n_folds) for spec in specs
        }
        self.n_classes = len(task.classes)
        self.n_folds = self._count_folds(files)
        networks = [spec for spec in specs if spec.engine == NETWORK]
        self.listeners = [spec.name for spec in networks]
        self.recipes = [recipe_of(spec) for spec in networks]

    def expect(self, number: int) -> None:
        """Announce a number of inputs, before they are predicted in parts."""
        networks = [
            model for models in self._models.values() for model in models if isinstance(model, NetworkModel)
        ]
        expect_inputs(networks, number)

    def proba(self, inputs: Inputs) -> Proba:
        """Predict as the mean over the folds, (n, n_classes)."""
        return self._proba(inputs, [{} for _ in range(self.n_folds)])

    def fold_proba(self, fold: int, inputs: Inputs, answers: Mapping[str, Proba] | None = None) -> Proba:
        """Predict with the models of one fold, in chunks to limit memory.

        Parameters
        ----------
        fold
            Its number.
        inputs
            n inputs.
        answers
            By member, answers that exist already, (n, n_classes): these members do not predict again.

        Returns
        -------
        (n, n_classes)
        """
        if len(inputs) <= CHUNK:
            return self._chunk_proba(fold, inputs, dict(answers or {}))
        out = np.zeros((len(inputs), self.n_classes))
        for start in range(0, len(inputs), CHUNK):
            rows = np.arange(start, min(start + CHUNK, len(inputs)))
            ready = {member: proba[rows] for member, proba in (answers or {}).items()}
            out[rows] = self._chunk_proba(fold, inputs.take(rows), ready)
        return out

    def proba_and_when(self, inputs: Inputs, n_parts: int) -> tuple[Proba, Proba | None]:
        """Predict as `proba` does, with times in each input from the members that give them.

        Returns
        -------
        proba : (n, n_classes)
        when : (n, n_parts, n_classes)
            The probability of a class in equal parts of the input, divided by its maximum; None if no member gives
            times.
        """
        with_frames = [
            (fold, member, weight, model)
            for fold in range(self.n_folds)
            for member, weight in self._ensemble.weighted_members(self._name, fold).items()
            if isinstance(model := self._models[member][fold], NetworkModel) and model.has_frames
        ]
        if not with_frames:
            return self.proba(inputs), None
        when = np.zeros((len(inputs), n_parts, self.n_classes))
        answers: list[dict[str, Proba]] = [{} for _ in range(self.n_folds)]
        in_parts = predict_parts_together([model for *_, model in with_frames], inputs, n_parts)
        for (fold, member, weight, _), (proba, parts) in zip(with_frames, in_parts, strict=True):
            answers[fold][member] = proba
            when += weight * parts
        return self._proba(inputs, answers), when / np.maximum(when.max(axis=1, keepdims=True), 1e-12)

    def _proba(self, inputs: Inputs, answers: list[dict[str, Proba]]) -> Proba:
        """Predict as the mean over the folds; ``answers`` holds those of some networks, by fold and member.

        The networks of all folds predict at once, as they share the images of windows.
        """
        networks = [
            (fold, member, model)
            for fold in range(self.n_folds)
            for member in self._needed(fold)
            if member not in answers[fold] and isinstance(model := self._models[member][fold], NetworkModel)
        ]
        together = predict_together([model for *_, model in networks], inputs)
        for (fold, member, _), proba in zip(networks, together, strict=True):
            answers[fold][member] = proba
        by_fold = [self.fold_proba(fold, inputs, answers[fold]) for fold in range(self.n_folds)]
        return np.asarray(np.mean(by_fold, axis=0), dtype=np.float64)

    def _needed(self, fold: int) -> list[str]:
        """Return the members with a weight in a fold, and the base models of these."""
        weighted = self._ensemble.weighted_members(self._name, fold)
        bases = [base for member in weighted for base in self._ensemble.base_models.get(member, ())]
        return list(dict.fromkeys([*weighted, *bases]))

    def _chunk_proba(self, fold: int, inputs: Inputs, answers: dict[str, Proba]) -> Proba:
        for member in self._ensemble.weighted_members(self._name, fold):
            self._predict_member(member, fold, inputs, answers)
        return self._ensemble.blend(self._name, fold, answers)

    def _predict_member(self, member: str, fold: int, inputs: Inputs, answers: dict[str, Proba]) -> Proba:
        """Predict with a member, and first with its base models; ``answers`` by member is filled."""
        # no closure that calls itself: it would keep the sound of the inputs until the next collection of garbage
        if member not in answers:
            base_models = self._ensemble.base_models.get(member)
            if base_models:
                below = {base: self._predict_member(base, fold, inputs, answers) for base in base_models}
                inputs = Inputs(with_base_answers(inputs.features, below))
            answers[member] = self._models[member][fold].predict_proba(inputs)
        return answers[member]

    def _count_folds(self, files: ModelFiles) -> int:
        """Count the folds, and check that each member has all of them."""
        counts = {member: len(models) for member, models in self._models.items()}
        expected = len(self._ensemble.weights.get(self._name, ())) or max(counts.values())
        short = [member for member, count in counts.items() if count < max(expected, 1)]
        if short:
            raise RunError(
                f"{files.models / short[0]} holds {plural(counts[short[0]], 'fold')}, but the run has "
                f"{max(expected, 1)}: files are missing. {files.remedy}"
            )
        return expected
