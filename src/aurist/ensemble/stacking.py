"""A second level: models that see, beside the features, what the members of the first level say.

What they learn from is said out of fold, by models that had not met the row. A fold of the second level is learnt on
the other folds alone, and scored with what the first level says of its rows out of fold: the models of neither level
have met the rows that they are scored on. A new clip is asked of both levels fold by fold, just as it is scored.

The labels of the scored fold have had their part all the same: the answers that a fold of the second level learns from
come from models that had met them. Where a class is common in a fold, models that leave the fold out say that it is
rare; where one of a few neighbours is left out, they say what the others are. A second level learns to read that
backwards, in the scored fold too. So there is one only where chance alone has divided many clips, where the first level
has something to say, and of models that cannot look at single rows (`reason_against`, `beats_constant`;
docs/decisions/0015).

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

#: With fewer independent clips labels of noise were answered better than by any constant (docs/decisions/0015).
LEAST_INDEPENDENT = 5000
#: Engines and kinds whose answers rest on many rows each. Forests, whose leaves are single rows, were 0.04 too accurate
#: where a feature was a category.
_COARSE = {
    ("classic", "logistic"),
    ("classic", "lda"),
    ("autogluon", "GBM"),
    ("autogluon", "CAT"),
    ("autogluon", "XGB"),
}
#: A class that a model has not met is not impossible: so much of its answer is the constant.
_DOUBT = 0.05


def with_base_answers(features: pd.DataFrame, said: Mapping[str, Proba]) -> pd.DataFrame:
    """The features, and then a column for each class of each member.

    Parameters
    ----------
    features : (n, n_features)
        What the first level looked at.
    said
        What each member of the first level says, (n, n_classes), by its name.

    Examples
    --------
    >>> import numpy as np
    >>> with_base_answers(pd.DataFrame({"tempo": [120.0]}), {"Forest": np.array([[0.25, 0.75]])})
       tempo  Forest class 0  Forest class 1
    0  120.0            0.25            0.75
    """
    answers = {
        f"{name} class {column}": proba[:, column]
        for name, proba in said.items()
        for column in range(proba.shape[1])
    }
    return pd.concat([features.reset_index(drop=True), pd.DataFrame(answers)], axis=1)


def reason_against(learn: TrainingData, member: ModelSpec) -> str | None:
    """Say why the score of a member of the second level could not be believed; None where it can.

    Parameters
    ----------
    learn
        What the first level learns from.
    member
        Of the second level.
    """
    if (member.engine, str(member.settings.get("kind", ""))) not in _COARSE:
        return "a second level must be a booster or a linear model: others read their neighbours' labels out of answers"
    if learn.task.multilabel:
        return "a second level is for clips of one label each"
    if len(learn.splits) < 2 or (learn.folds < 0).any():
        return "a second level needs at least two folds"
    if learn.prescribed:
        return (
            "the folds came with the data; where they differ in their classes, a second level sees from what the "
            "others say which class is common in the scored fold"
        )
    independent = independent_clips(learn.groups)
    if independent < LEAST_INDEPENDENT:
        return (
            f"a second level needs {LEAST_INDEPENDENT:,} independent clips to be scored truly, and these "
            f"{len(learn.groups):,} clips in their groups count for {independent:,.0f}"
        )
    return None


def independent_clips(groups: npt.NDArray[np.int64]) -> float:
    """Count the clips as if each group of some size were one: the number of groups, where they are equal.

    Source: L. Kish, "Survey Sampling", 1965: the effective number of clusters of unequal size.

    Examples
    --------
    >>> independent_clips(np.array([0, 1, 2, 3])), independent_clips(np.array([0, 0, 1, 1]))
    (4.0, 2.0)
    """
    sizes = np.unique(groups, return_counts=True)[1].astype(np.float64)
    return float(sizes.sum() ** 2 / (sizes**2).sum())


def beats_constant(learn: TrainingData, found: CrossValidationResult) -> bool:
    """Tell if a member, tempered, has a better log loss than the classes' shares, by more than two standard errors."""
    truth = learn.examples.targets
    said = found.oof.aligned(learn.clip_ids.tolist())
    said = apply_temperature(said, choose_temperature(said, truth, multilabel=False), multilabel=False)
    shares = truth.mean(axis=0)
    gain = np.log(_DOUBT + (1 - _DOUBT) * (said / np.maximum(shares, 1e-9)))[truth == 1]
    return bool(gain.mean() > 2 * gain.std() / np.sqrt(independent_clips(learn.groups)))


def second_level(learn: TrainingData, fitted: Sequence[CrossValidationResult]) -> TrainingData | None:
    """Lay out what a model of the second level learns from; None where there is nothing to ask, or a single fold.

    Parameters
    ----------
    learn
        What the first level learns from.
    fitted
        The members; those of the second level are not asked.
    """
    asked = [found for found in fitted if not found.base_models]
    if not asked or len(learn.splits) < 2 or (learn.folds < 0).any():
        return None
    said = {found.member.name: found.oof.aligned(learn.clip_ids.tolist()) for found in asked}
    shown = Inputs(with_base_answers(learn.examples.features, said))
    return replace(
        learn,
        examples=replace(learn.examples, inputs=shown),
        pseudo_labelled={},
        base_models=answers_of(asked),
    )


def answers_of(fitted: Sequence[CrossValidationResult]) -> dict[str, str]:
    """By the name of each member, by what its out-of-fold answers are known again."""
    return {
        found.member.name: hashlib.blake2b(found.oof.proba.tobytes(), digest_size=8).hexdigest()
        for found in fitted
    }


def can_answer(found: CrossValidationResult, fitted: Sequence[CrossValidationResult]) -> bool:
    """Whether a member is still what the plan has it to be, and all that it asks is there as it was."""
    if found.member.level == 1:
        return not found.base_models
    return bool(found.base_models) and found.base_models.items() <= answers_of(fitted).items()
