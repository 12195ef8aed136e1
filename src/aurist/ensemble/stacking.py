"""Stacking: models of a second level see the features and the answers of the models of the first level.

They learn from out-of-fold answers, by models that had not seen the row. A fold of the second level is fitted on the
other folds alone, and scored with the out-of-fold answers of the first level: no model of either level has seen the
rows that it is scored on. For a new clip both levels predict fold by fold, in the same way.

Yet the labels of the scored fold leak: the second level learns from answers of models that had seen them. If a class is
common in a fold, models fitted without the fold underestimate the class. If one of a few neighbours is left out, the
answers depend on the others. A second level learns to reverse this, also in the scored fold. Therefore it is used only
if there are many clips in random folds, if the first level beats a constant, and for models that do not resolve single
rows (`reason_against`, `beats_constant`; docs/decisions/0015).

Source: D. H. Wolpert, "Stacked generalization", Neural Networks 5, 1992.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.arrays import Proba
from aurist.calibration import apply_temperature, choose_temperature
from aurist.crossval import CrossValidationResult, TrainingData
from aurist.models.base import Inputs, ModelSpec

#: With fewer independent clips, labels of noise were predicted better than by a constant (docs/decisions/0015).
LEAST_INDEPENDENT = 5000
#: Engines and kinds of models whose answers depend on many rows each. Forests, whose leaves are single rows, were 0.04
#: too accurate with a categorical feature.
_COARSE = {
    ("classic", "logistic"),
    ("classic", "lda"),
    ("autogluon", "GBM"),
    ("autogluon", "CAT"),
    ("autogluon", "XGB"),
}
#: Share of the constant in an answer: a class that a model has not seen is not impossible.
_DOUBT = 0.05


def with_base_answers(features: pd.DataFrame, base_answers: Mapping[str, Proba]) -> pd.DataFrame:
    """Add a column to the features for each class of each member.

    Parameters
    ----------
    features : (n, n_features)
        The features of the first level.
    base_answers
        The answers of each member of the first level, (n, n_classes), by its name.

    Examples
    --------
    >>> import numpy as np
    >>> with_base_answers(pd.DataFrame({"tempo": [120.0]}), {"Forest": np.array([[0.25, 0.75]])})
       tempo  Forest class 0  Forest class 1
    0  120.0            0.25            0.75
    """
    answers = {
        f"{name} class {column}": proba[:, column]
        for name, proba in base_answers.items()
        for column in range(proba.shape[1])
    }
    return pd.concat([features.reset_index(drop=True), pd.DataFrame(answers)], axis=1)


def reason_against(learn: TrainingData, member: ModelSpec) -> str | None:
    """Give the reason why the score of a second-level member is not reliable; None if it is.

    Parameters
    ----------
    learn
        The training data of the first level.
    member
        A member of the second level.
    """
    if (member.engine, str(member.settings.get("kind", ""))) not in _COARSE:
        return (
            "a second level must be a booster or a linear model: other models read the labels of similar rows "
            "from the predictions"
        )
    if learn.task.multilabel:
        return "a second level is for clips with one label each"
    if len(learn.splits) < 2 or (learn.folds < 0).any():
        return "a second level needs at least two folds"
    if learn.prescribed:
        return (
            "the folds came with the data; if their class shares differ, the predictions of the other "
            "models reveal the common class of the scored fold"
        )
    independent = independent_clips(learn.groups)
    if independent < LEAST_INDEPENDENT:
        return (
            f"a second level needs {LEAST_INDEPENDENT:,} independent clips for an honest score, but these "
            f"{len(learn.groups):,} clips in their groups count for {independent:,.0f}"
        )
    return None


def independent_clips(groups: npt.NDArray[np.int64]) -> float:
    """Count independent clips: the number of groups if they are of equal size, else fewer.

    Source: L. Kish, "Survey Sampling", 1965: the effective number of clusters of unequal size.

    Examples
    --------
    >>> independent_clips(np.array([0, 1, 2, 3])), independent_clips(np.array([0, 0, 1, 1]))
    (4.0, 2.0)
    """
    sizes = np.unique(groups, return_counts=True)[1].astype(np.float64)
    return float(sizes.sum() ** 2 / (sizes**2).sum())


def beats_constant(learn: TrainingData, member: CrossValidationResult) -> bool:
    """Tell if a member, tempered, has a better log loss than the classes' shares, by more than two standard errors."""
    truth = learn.examples.targets
    proba = member.oof.aligned(learn.clip_ids.tolist())
    proba = apply_temperature(proba, choose_temperature(proba, truth, multilabel=False), multilabel=False)
    shares = truth.mean(axis=0)
    gain = np.log(_DOUBT + (1 - _DOUBT) * (proba / np.maximum(shares, 1e-9)))[truth == 1]
    return bool(gain.mean() > 2 * gain.std() / np.sqrt(independent_clips(learn.groups)))


def second_level(learn: TrainingData, fitted: Sequence[CrossValidationResult]) -> TrainingData | None:
    """Make the training data of the second level; None without base models, or with a single fold.

    Parameters
    ----------
    learn
        The training data of the first level.
    fitted
        The members; members of the second level are ignored.
    """
    base_models = [result for result in fitted if not result.base_models]
    if not base_models or len(learn.splits) < 2 or (learn.folds < 0).any():
        return None
    base_answers = {result.member.name: result.oof.aligned(learn.clip_ids.tolist()) for result in base_models}
    inputs = Inputs(with_base_answers(learn.examples.features, base_answers))
    return replace(
        learn,
        examples=replace(learn.examples, inputs=inputs),
        added={},
        base_models=answers_of(base_models),
    )


def answers_of(fitted: Sequence[CrossValidationResult]) -> dict[str, str]:
    """Hash the out-of-fold answers of each member, by its name."""
    return {
        result.member.name: hashlib.blake2b(result.oof.proba.tobytes(), digest_size=8).hexdigest()
        for result in fitted
    }


def can_answer(result: CrossValidationResult, fitted: Sequence[CrossValidationResult]) -> bool:
    """Tell if a member fits its plan, and all of its base models are unchanged."""
    if result.member.level == 1:
        return not result.base_models
    return bool(result.base_models) and result.base_models.items() <= answers_of(fitted).items()
