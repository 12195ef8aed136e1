"""Extremely randomised trees: the fast first row of every leaderboard, for one label or several.

Source: P. Geurts, D. Ernst, L. Wehenkel, "Extremely randomized trees", Machine Learning 63, 2006.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from aurist.arrays import Proba
from aurist.models.base import Examples, Fitted, Inputs, ModelSpec, Task
from aurist.models.sklearn_io import everywhere, learnable, read_kept, write_kept

MODEL_FILE = "forest.skops"
#: Above this many rows, times labels where a row may have several, there are fewer trees; above the second number of
#: rows larger leaves: a forest takes memory by its leaves, each with a share for every class, and would take gigabytes.
SOME_ROWS, MANY_ROWS = 2000, 10_000
#: Of a forest in memory, about, and the trees that it has all the same.
MOST_BYTES, LEAST_TREES = 1 << 31, 10


@dataclass
class ForestModel:
    """A forest fitted on one fold.

    ``seen`` are the positions of the classes that it met, ``always`` of labels that all rows had.
    """

    forest: Any
    n_classes: int
    seen: list[int]
    multilabel: bool
    always: list[int]

    def predict_proba(self, inputs: Inputs) -> Proba:
        """(n, n_classes): mean of the leaves' class shares."""
        numbers = as_numbers(inputs.features)
        out = np.zeros((len(numbers), self.n_classes))
        if not self.multilabel:
            out[:, self.seen] = self.forest.predict_proba(numbers)
            return out
        found = self.forest.predict_proba(numbers)
        for column, proba in zip(self.seen, found if isinstance(found, list) else [found], strict=True):
            out[:, column] = proba[:, 1]
        out[:, self.always] = 1.0
        return out


class ForestEngine:
    """Fits extra-trees with scikit-learn and keeps them with skops, without pickle."""

    alone = False
    resumes = False

    def fit(
        self,
        folder: Path,
        task: Task,
        member: ModelSpec,
        train: Examples,
        validation: Examples,
        seconds: float,
    ) -> Fitted:
        """Fit twice: without the validation part, for choices made on it, and then on all of the training rows."""
        trees = int(member.settings.get("trees", _trees(train, task)))
        validation_proba = _fit(train, task, max(trees // 3, 50)).predict_proba(validation.inputs)
        model = _fit(train.together(validation), task, trees)
        write_kept(folder / MODEL_FILE, {"forest": model.forest, "seen": model.seen, "always": model.always})
        return Fitted(model, validation_proba)

    def load(self, folder: Path, task: Task, member: ModelSpec) -> ForestModel:
        """Read the forest back; see `aurist.models.sklearn_io.read_kept`."""
        kept = read_kept(folder / MODEL_FILE)
        seen, always = list(kept["seen"]), list(kept.get("always", []))
        return ForestModel(kept["forest"], len(task.classes), seen, task.multilabel, always)


def forest_proba(task: Task, train: Examples, inputs: Inputs) -> Proba:
    """Fit the engine's forest on ``train`` and ask it at once, without keeping it; (n, n_classes)."""
    return _fit(train, task, _trees(train, task)).predict_proba(inputs)


def _trees(examples: Examples, task: Task) -> int:
    """As many trees as are worth it, and no more than memory holds: each leaf keeps a share for every class."""
    n_rows, n_labels = examples.targets.shape
    wanted = 300 if n_rows * (n_labels if task.multilabel else 1) < SOME_ROWS else 100
    affordable: int = MOST_BYTES // (16 * n_rows * n_labels)
    return max(LEAST_TREES, min(wanted, affordable))


def _fit(examples: Examples, task: Task, trees: int) -> ForestModel:
    from sklearn.ensemble import ExtraTreesClassifier

    # all labels share the leaves, so that no cell can be left out: what is not known is taken for absent
    targets = (examples.targets > 0).astype(np.int8)
    seen, truth = learnable(targets, multilabel=task.multilabel)
    truth = truth[:, 0] if truth.ndim > 1 and truth.shape[1] == 1 else truth
    forest = ExtraTreesClassifier(
        n_estimators=trees,
        min_samples_leaf=1 if len(targets) < MANY_ROWS else 5,
        max_features="sqrt" if examples.features.shape[1] > 30 else 0.6,
        random_state=task.seed,
        n_jobs=task.jobs,
    )
    forest.fit(as_numbers(examples.features), truth, sample_weight=examples.weight)
    always = everywhere(targets) if task.multilabel else []
    return ForestModel(forest, len(task.classes), seen, task.multilabel, always)


def as_numbers(features: pd.DataFrame) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Features as float32; a category by its number, what is missing as NaN.

    Examples
    --------
    >>> as_numbers(pd.DataFrame({"key": pd.Categorical(["a", None]), "tempo": [120, 90]})).tolist()
    [[0.0, 120.0], [nan, 90.0]]
    """
    columns = []
    for name in features:
        column = features[name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            codes = column.cat.codes.to_numpy(dtype=np.float32)
            columns.append(np.where(codes < 0, np.nan, codes).astype(np.float32))
        else:
            columns.append(column.to_numpy(dtype=np.float32, na_value=np.nan))
    return np.column_stack(columns) if columns else np.zeros((len(features), 0), dtype=np.float32)
