"""The fold models behind one row of the leaderboard, loaded to predict."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from aurist.arrays import Proba
from aurist.calibration import apply_temperature
from aurist.ensemble.duplicates import Duplicates
from aurist.ensemble.prior_correction import correct_prior
from aurist.ensemble.stacking import with_base_answers
from aurist.errors import ConfigError, RunError, plural
from aurist.features.schema import row_keys
from aurist.fold_files import load_folds
from aurist.models.base import Inputs, ModelSpec, ModelWithFrames
from aurist.models.network_member import ENGINE as NETWORK
from aurist.models.network_member import recipe_of
from aurist.plan import ENSEMBLE
from aurist.run import RunData, RunFolder

#: Rows predicted at once, so that memory stays bounded however long the table is.
CHUNK = 50_000


class Blender:
    """The fold models of one row of the leaderboard, with their weights, loaded once.

    Raises
    ------
    ConfigError
        Where the run has no such model.
    """

    def __init__(self, run: RunFolder, data: RunData, name: str) -> None:
        stored = run.ensemble()
        members = {m["name"]: ModelSpec(m["name"], m["engine"], m["settings"]) for m in stored["members"]}
        if name not in members and name not in stored["weights"]:
            raise ConfigError(
                f"This run has no model {name!r}. It has: {', '.join([*stored['weights'], *members])}."
            )
        self.n_classes = len(data.task.classes)
        self._weights: list[dict[str, float]] = stored["weights"].get(name) or []
        voices = {member for weights in self._weights for member in weights} or {name}
        self._name = name
        #: By member of the second level, those of the first that it asks.
        self._asks: dict[str, list[str]] = {
            m["name"]: m["base_models"]
            for m in stored["members"]
            if m["name"] in voices and "base_models" in m
        }
        used = sorted(voices.union(*self._asks.values()))
        self._models = {
            member: load_folds(run.models / member, data.task, members[member]) for member in used
        }
        self._temperatures: dict[str, float] = stored.get("temperatures", {}).get(name, {})
        self._multilabel = data.task.multilabel
        self.n_folds = self._count_folds(run)
        self.members = used
        #: Those that hear the recordings, and do not look at features.
        self.listeners = [member for member in used if members[member].engine == NETWORK]
        #: How they hear.
        self.recipes = [recipe_of(members[member]) for member in self.listeners]

    def _count_folds(self, run: RunFolder) -> int:
        """As many as each member has.

        Raises
        ------
        RunError
            Where some are missing.
        """
        counts = {member: len(models) for member, models in self._models.items()}
        wanted = len(self._weights) or max(counts.values())
        short = [member for member, count in counts.items() if count < max(wanted, 1)]
        if short:
            raise RunError(
                f"{run.models / short[0]} holds {plural(counts[short[0]], 'fold')}, but the run has {max(wanted, 1)}: "
                f"files are missing. {run.remedy}"
            )
        return wanted

    def fold_proba(self, fold: int, inputs: Inputs, said: Mapping[str, Proba] | None = None) -> Proba:
        """(n, n_classes), by the models of one fold; in chunks, so that memory stays bounded.

        ``said`` is what some members, by name, are known to say: they are not asked.
        """
        out = np.zeros((len(inputs), self.n_classes))
        for start in range(0, len(inputs), CHUNK):
            rows = np.arange(start, min(start + CHUNK, len(inputs)))
            known = {member: proba[rows] for member, proba in (said or {}).items()}
            out[rows] = self._chunk_proba(fold, inputs.take(rows), known)
        return out

    def _chunk_proba(self, fold: int, inputs: Inputs, said: dict[str, Proba]) -> Proba:
        weights = self._weights_of(fold)

        def asked(member: str) -> Proba:
            if member not in said:
                shown = inputs
                if member in self._asks:
                    below = {name: asked(name) for name in self._asks[member]}
                    shown = Inputs(with_base_answers(inputs.features, below))
                said[member] = self._models[member][fold].predict_proba(shown)
            return said[member]

        told = [weight * self._tempered(member, asked(member)) for member, weight in weights.items()]
        return np.asarray(np.sum(told, axis=0), dtype=np.float64)

    def _weights_of(self, fold: int) -> dict[str, float]:
        return self._weights[fold] if self._weights else {self._name: 1.0}

    def proba_and_when(self, inputs: Inputs, n_parts: int) -> tuple[Proba, Proba | None]:
        """What `proba` gives, and when in each input, by the members that can tell.

        Returns
        -------
        proba : (n, n_classes)
        when : (n, n_parts, n_classes)
            How sure a class is in equal parts of the input, the surest part 1; None where no member can tell.
        """
        said, when, sure = [], np.zeros((len(inputs), n_parts, self.n_classes)), False
        for fold in range(self.n_folds):
            known = {}
            for member, weight in self._weights_of(fold).items():
                model = self._models[member][fold]
                if isinstance(model, ModelWithFrames) and model.has_frames:
                    known[member], parts = model.predict_parts(inputs, n_parts)
                    when += weight * parts
                    sure = True
            said.append(self.fold_proba(fold, inputs, known))
        proba = np.asarray(np.mean(said, axis=0), dtype=np.float64)
        return proba, when / np.maximum(when.max(axis=1, keepdims=True), 1e-12) if sure else None

    def _tempered(self, member: str, proba: Proba) -> Proba:
        return apply_temperature(proba, self._temperatures.get(member, 1.0), multilabel=self._multilabel)

    def proba(self, inputs: Inputs) -> Proba:
        """(n, n_classes): the mean over the folds."""
        told = [self.fold_proba(fold, inputs) for fold in range(self.n_folds)]
        return np.asarray(np.mean(told, axis=0), dtype=np.float64)


class Predictor:
    """What the run answers, by its ensemble or by one of its models, loaded once.

    The ensemble's word is tempered and tilted towards rare classes, and twins of rows seen before are answered by what
    is known of these; a single model's word is its own.

    Raises
    ------
    ConfigError
        Where the run has no such model.
    """

    def __init__(self, run: RunFolder, data: RunData, name: str = ENSEMBLE) -> None:
        self.blender = Blender(run, data, name)
        self._stored = run.ensemble() if name == ENSEMBLE else None
        self._multilabel = data.task.multilabel

    def proba(self, inputs: Inputs, seen: Duplicates | None = None) -> Proba:
        """(n, n_classes); without ``seen`` no row is taken for a twin."""
        return self._finished(self.blender.proba(inputs), inputs, seen)

    def proba_and_when(self, inputs: Inputs, n_parts: int) -> tuple[Proba, Proba | None]:
        """The same, and when in each input: see `Blender.proba_and_when`."""
        said, when = self.blender.proba_and_when(inputs, n_parts)
        return self._finished(said, inputs, None), when

    def _finished(self, said: Proba, inputs: Inputs, seen: Duplicates | None) -> Proba:
        if self._stored is None:
            return said
        said = apply_temperature(said, self._stored.get("temperature", 1.0), multilabel=self._multilabel)
        if seen is not None:
            said = seen.answer(row_keys(inputs.features), said)
        tilted = self._stored["prior_correction"]
        return correct_prior(said, np.asarray(tilted["prior"]), tilted["power"])
