"""A second level: models that see, beside the features, what the members of the first level say.

What they learn from is said out of fold, by models that had not met the row. A fold of the second level is learnt on
the other folds alone, and scored with what the first level says of its rows out of fold: neither level has met the
labels that it is scored on. A new clip is asked of both levels fold by fold, just as it is scored.

Source: D. H. Wolpert, "Stacked generalization", Neural Networks 5, 1992.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from aurist.crossval import FoldsFitted, TrainingData
from aurist.models.base import Examples, Inputs, Proba


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
    """What a model of the second level learns from; None where there is nothing to ask or too few folds.

    Rows that are never scored are left out, as nothing honest is said of them.

    Parameters
    ----------
    learn
        What the first level learns from.
    fitted
        The members; those of the second level are not asked.
    """
    asked = [found for found in fitted if not found.asks]
    scored = np.flatnonzero(learn.folds >= 0)
    position = np.full(len(learn.folds), -1)
    position[scored] = np.arange(len(scored))

    def kept(rows: np.ndarray[tuple[int], np.dtype[np.intp]]) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
        found: np.ndarray[tuple[int], np.dtype[np.intp]] = position[rows]
        return found[found >= 0]

    splits = [
        replace(split, train=kept(split.train), inner=kept(split.inner), scored=kept(split.scored))
        for split in learn.splits
    ]
    if not asked or not all(len(split.train) and len(split.inner) for split in splits):
        return None
    ids = learn.clip_ids[scored]
    said = {found.member.name: found.oof.aligned(ids.tolist()) for found in asked}
    whole = learn.examples.take(scored)
    return replace(
        learn,
        examples=Examples(Inputs(answers_beside(whole.features, said)), whole.targets, whole.weight),
        clip_ids=ids,
        groups=learn.groups[scored],
        folds=learn.folds[scored],
        splits=splits,
        beside={},
        asks=tuple(said),
    )
