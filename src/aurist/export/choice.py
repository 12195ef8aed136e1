"""The rule that an exported model predicts with: a row of the leaderboard, or an ensemble that is blended again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from aurist.arrays import Proba
from aurist.crossval import CrossValidationResult, TrainingData
from aurist.ensemble.duplicates import Duplicates
from aurist.ensemble.model import Ensemble, PriorCorrection
from aurist.errors import RunError, listing
from aurist.plan import ENSEMBLE
from aurist.results.differences import Difference
from aurist.results.out_of_fold import OutOfFold
from aurist.results.write import blend_members, learn_duplicate_rows
from aurist.run import RunData


@dataclass(frozen=True)
class Choice:
    """The rule of an exported model, and how good it is.

    Parameters
    ----------
    ensemble
        Its row `ENSEMBLE` predicts.
    probas
        By row, the out-of-fold predictions of the scored clips.
    duplicates
        The rows of the training data, if the ensemble was blended again; None: those of the run hold.
    against_whole
        The difference to the ensemble of the run; None: it is the same.
    """

    ensemble: Ensemble
    probas: Mapping[str, Proba]
    duplicates: Duplicates | None = None
    against_whole: Difference | None = None


def choose_row(whole: Ensemble, probas: Mapping[str, Proba], row: str) -> Choice:
    """Let one row of the leaderboard predict."""
    if row == ENSEMBLE:
        return Choice(_smaller(whole, whole.members_of(ENSEMBLE)), _of(probas, whole.members_of(ENSEMBLE)))
    members = whole.members_of(row)
    n_folds = max(len(folds) for folds in whole.weights.values())
    alone = replace(
        whole,
        weights={ENSEMBLE: whole.weights.get(row) or [{row: 1.0}] * n_folds},
        temperatures={},
        temperature=1.0,
        prior_correction=PriorCorrection(0.0, whole.prior_correction.prior),
    )
    return Choice(_smaller(alone, members), {**_of(probas, members), ENSEMBLE: probas[row]})


def blend_again(
    data: RunData,
    learn: TrainingData,
    fitted: Sequence[CrossValidationResult],
    oof: OutOfFold,
    portable: set[str],
    size: int | None,
) -> Choice:
    """Blend the members that can be exported, and compare the result with the ensemble of the run, out of fold.

    Parameters
    ----------
    data, learn
        The data of the run.
    fitted
        Its members.
    oof
        The predictions of all rows of its leaderboard.
    portable
        The members that can be exported.
    size
        The largest number of members of the run's ensemble; None: any.

    Raises
    ------
    RunError
        If no member can be exported.
    """
    members = [
        result for result in fitted if result.member.name in portable and portable >= set(result.base_models)
    ]
    if not members:
        raise RunError(f"None of the models can be exported:\n{listing([r.member.name for r in fitted])}")
    _, calibrated, ensemble = blend_members(learn, members, oof, size)
    whole = oof.probas[ENSEMBLE]
    duplicates, _ = learn_duplicate_rows(data, learn, oof, calibrated)
    needed = ensemble.members_of(ENSEMBLE)
    return Choice(
        _smaller(ensemble, needed),
        {**_of(oof.probas, needed), ENSEMBLE: calibrated.proba},
        duplicates,
        oof.paired(calibrated.proba, whole),
    )


def one_fold(ensemble: Ensemble) -> Ensemble:
    """Predict with one model of each kind: by the mean of the weights of all folds."""
    folds = ensemble.weights[ENSEMBLE]
    names = dict.fromkeys(name for fold in folds for name in fold)
    mean = {name: float(np.mean([fold.get(name, 0.0) for fold in folds])) for name in names}
    return replace(ensemble, weights={ENSEMBLE: [mean]})


def _smaller(ensemble: Ensemble, members: Collection[str]) -> Ensemble:
    """Keep the row `ENSEMBLE` and its members; members without weight are left out."""
    weights = [
        {member: weight for member, weight in fold.items() if weight > 0}
        for fold in ensemble.weights.get(ENSEMBLE, ())
    ]
    used = {member for fold in weights for member in fold}
    kept = [
        name for name in members if name in used or any(name in ensemble.base_models.get(u, ()) for u in used)
    ]
    temperatures = ensemble.temperatures.get(ENSEMBLE, {})
    return replace(
        ensemble,
        members={name: ensemble.members[name] for name in kept},
        base_models={name: ensemble.base_models[name] for name in kept if name in ensemble.base_models},
        weights={ENSEMBLE: weights},
        temperatures={ENSEMBLE: {name: value for name, value in temperatures.items() if name in used}},
    )


def _of(probas: Mapping[str, Proba], members: Collection[str]) -> dict[str, Proba]:
    chosen = {name: np.asarray(probas[name]) for name in members if name in probas}
    return chosen | ({ENSEMBLE: probas[ENSEMBLE]} if ENSEMBLE in probas else {})
