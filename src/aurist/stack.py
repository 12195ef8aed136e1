"""A second level: models that see, beside the features, what the members of the first level say.

What they learn from is said out of fold, by models that had not met the row. A fold of the second level is learnt on
the other folds alone, and scored with what the first level says of its rows out of fold: the models of neither level
have met the rows that they are scored on. A new clip is asked of both levels fold by fold, just as it is scored.

Source: D. H. Wolpert, "Stacked generalization", Neural Networks 5, 1992.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from aurist.crossval import FoldsFitted, TrainingData
from aurist.models.base import Inputs, Proba


def answers_beside(features: pd.DataFrame, said: Mapping[str, Proba]) -> pd.DataFrame:
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
    >>> answers_beside(pd.DataFrame({"tempo": [120.0]}), {"Forest": np.array([[0.25, 0.75]])})
       tempo  Forest class 0  Forest class 1
    0  120.0            0.25            0.75
    """
    answers = {
        f"{name} class {column}": proba[:, column]
        for name, proba in said.items()
        for column in range(proba.shape[1])
    }
    return pd.concat([features.reset_index(drop=True), pd.DataFrame(answers)], axis=1)


def second_level(learn: TrainingData, fitted: Sequence[FoldsFitted]) -> TrainingData | None:
    """What a model of the second level learns from; None where there is nothing to ask, or no more than one fold.

    Parameters
    ----------
    learn
        What the first level learns from.
    fitted
        The members; those of the second level are not asked.
    """
    asked = [found for found in fitted if not found.asks]
    if not asked or len(learn.splits) < 2 or (learn.folds < 0).any():
        return None
    said = {found.member.name: found.oof.aligned(learn.clip_ids.tolist()) for found in asked}
    shown = Inputs(answers_beside(learn.examples.features, said))
    return replace(learn, examples=replace(learn.examples, inputs=shown), beside={}, asks=answers_of(asked))


def answers_of(fitted: Sequence[FoldsFitted]) -> dict[str, str]:
    """By the name of each member, by what its out-of-fold answers are known again."""
    return {
        found.member.name: hashlib.blake2b(found.oof.proba.tobytes(), digest_size=8).hexdigest()
        for found in fitted
    }


def can_answer(found: FoldsFitted, fitted: Sequence[FoldsFitted]) -> bool:
    """Whether a member is still what the plan has it to be, and all that it asks is there as it was."""
    if found.member.level == 1:
        return not found.asks
    return bool(found.asks) and found.asks.items() <= answers_of(fitted).items()
