"""Extremely randomised trees: the fast first row of every leaderboard, for one label or several.

Source: P. Geurts, D. Ernst, L. Wehenkel, "Extremely randomized trees", Machine Learning 63, 2006.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from aurist.arrays import Proba
from aurist.features.matrix import float_matrix
from aurist.machine import available_cores
from aurist.models.base import Examples, Fitted, Inputs, ModelSpec, Task
from aurist.models.sklearn_io import always_present, learnable, read_skops, refit, write_skops
from aurist.stored import stored

MODEL_FILE = "forest.skops"
#: Above the first number of rows (times labels, if a row may have several) there are fewer trees. Above the second
#: the leaves are larger: each leaf stores a share for every class, and small ones would take gigabytes.
SOME_ROWS, MANY_ROWS = 2000, 10_000
#: About the largest size of a forest in memory, and the least number of its trees.
MOST_BYTES, LEAST_TREES = 1 << 31, 10
#: Rows predicted at once by a thread.
_BLOCK = 1024


@dataclass
class ForestModel:
    """A forest fitted on one fold.

    ``seen`` are the positions of the classes in the training rows, ``always`` of labels that all of them had.
    """

    forest: Any
    n_classes: int
    seen: list[int]
    multilabel: bool
    always: list[int]

    def predict_proba(self, inputs: Inputs) -> Proba:
        """Return (n, n_classes): the mean of the leaves' class shares."""
        shares = _mean_over_trees(self.forest, float_matrix(inputs.features))
        out = np.zeros((len(shares), self.n_classes))
        out[:, self.seen] = shares[:, 0] if not self.multilabel else shares[:, :, 1]
        out[:, self.always] = 1.0
        return out


class ForestEngine:
    """Fits extra-trees with scikit-learn and stores them with skops, without pickle."""

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
        """Fit without the validation part, to predict it, and then on all training rows."""
        trees = int(member.settings.get("trees", _trees(train, task)))
        validation_proba = _fit(train, task, max(trees // 3, 50)).predict_proba(validation.inputs)
        model = _fit(train.concat(validation), task, trees)
        write_skops(folder / MODEL_FILE, {"forest": model.forest, "seen": model.seen, "always": model.always})
        return Fitted(model, validation_proba)

    def load(self, folder: Path, task: Task, member: ModelSpec) -> ForestModel:
        """Load the forest; see `aurist.models.sklearn_io.read_skops`."""
        path = folder / MODEL_FILE
        values = read_skops(path)
        with stored(path, refit(path)):
            _check_trees(values["forest"])
            seen, always = list(values["seen"]), list(values.get("always", []))
        return ForestModel(values["forest"], len(task.classes), seen, task.multilabel, always)


def forest_proba(task: Task, train: Examples, inputs: Inputs) -> Proba:
    """Fit a forest on ``train`` and return its predictions (n, n_classes), without storing it."""
    return _fit(train, task, _trees(train, task)).predict_proba(inputs)


def _check_trees(forest: Any) -> None:
    """Refuse trees of a damaged file: scikit-learn would follow them out of memory.

    Raises
    ------
    ValueError
        If a node points at no later node or at no feature, or the trees differ in their shapes.
    """
    first = forest.estimators_[0].tree_
    for tree in (estimator.tree_ for estimator in forest.estimators_):
        shape = (tree.n_features, tree.n_outputs, tree.max_n_classes)
        if shape != (forest.n_features_in_, first.n_outputs, first.max_n_classes):
            raise ValueError(f"a tree has other features, outputs or classes than the forest: {shape}")
        if not 0 < tree.node_count <= tree.capacity:
            raise ValueError(f"a tree has {tree.node_count} nodes, and room for {tree.capacity}")
        inner = np.flatnonzero(tree.children_left != -1)
        for children in (tree.children_left[inner], tree.children_right[inner]):
            if not ((children > inner) & (children < tree.node_count)).all():
                raise ValueError("a node of a tree points at no later node")
        if not ((tree.feature[inner] >= 0) & (tree.feature[inner] < tree.n_features)).all():
            raise ValueError("a node of a tree points at no feature")


def _mean_over_trees(forest: Any, numbers: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Return the mean class shares of the leaves, (n, n_outputs, n_classes of an output).

    The same as ``forest.predict_proba``, whose time for a few rows is spent on starting a job for each tree, and whose
    last bits depend on the order in which the jobs end.
    """
    trees = [tree.tree_ for tree in forest.estimators_]
    n_outputs, n_classes = trees[0].n_outputs, trees[0].max_n_classes
    if numbers.shape[1] != forest.n_features_in_:  # the trees do not check, and would read beyond the row
        raise ValueError(
            f"the forest needs {forest.n_features_in_} features, and there are {numbers.shape[1]}"
        )

    def of_block(start: int) -> npt.NDArray[np.float64]:
        block = numbers[start : start + _BLOCK]
        total = sum(tree.predict(block) for tree in trees)
        return np.asarray(total, dtype=np.float64).reshape(len(block), n_outputs, n_classes) / len(trees)

    starts = range(0, len(numbers), _BLOCK)
    if len(starts) < 2:
        return of_block(0)
    with ThreadPoolExecutor(available_cores(forest.n_jobs or 1)) as pool:
        return np.concatenate(list(pool.map(of_block, starts)))


def _trees(examples: Examples, task: Task) -> int:
    """Choose the number of trees: enough for the data, and no more than fit in memory."""
    n_rows, n_labels = examples.targets.shape
    enough = 300 if n_rows * (n_labels if task.multilabel else 1) < SOME_ROWS else 100
    affordable: int = MOST_BYTES // (16 * n_rows * n_labels)
    return max(LEAST_TREES, min(enough, affordable))


def _fit(examples: Examples, task: Task, trees: int) -> ForestModel:
    from sklearn.ensemble import ExtraTreesClassifier

    # all labels share the leaves, so no cell can be left out: unknown cells count as absent
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
    forest.fit(float_matrix(examples.features), truth, sample_weight=examples.weight)
    always = always_present(targets) if task.multilabel else []
    return ForestModel(forest, len(task.classes), seen, task.multilabel, always)
