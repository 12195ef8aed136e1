"""Extremely randomised trees: the fast first row of every leaderboard, for one label or several.

Source: P. Geurts, D. Ernst, L. Wehenkel, "Extremely randomized trees", Machine Learning 63, 2006.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from aurist.arrays import Proba
from aurist.features.matrix import float_matrix
from aurist.models.base import Examples, Fitted, Inputs, ModelSpec, Task
from aurist.models.learnable import always_present, learnable
from aurist.models.tree_model import SHARES, TreeModel, read_tree_model, write_tree_model
from aurist.models.trees import LEAF, Tree, Trees, float32_floor

MODEL_FILE = "forest.npz"
#: Above the first number of rows (times labels, if a row may have several) there are fewer trees. Above the second
#: the leaves are larger: each leaf stores a share for every class, and small ones would take gigabytes.
SOME_ROWS, MANY_ROWS = 2000, 10_000
#: About the largest size of a forest in memory, and the least number of its trees.
MOST_BYTES, LEAST_TREES = 1 << 31, 10


class ForestEngine:
    """Fits extra-trees with scikit-learn and stores them as arrays."""

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
        write_tree_model(folder / MODEL_FILE, model)
        return Fitted(model, validation_proba)

    def load(self, folder: Path, task: Task, member: ModelSpec) -> TreeModel:
        """Load the forest; see `aurist.models.tree_model.read_tree_model`."""
        return read_tree_model(folder / MODEL_FILE, task)

    def portable_files(self, folder: Path, task: Task) -> list[Path]:
        """List the one file of arrays."""
        return [folder / MODEL_FILE]


def forest_proba(task: Task, train: Examples, inputs: Inputs, *, trees: int | None = None) -> Proba:
    """Fit a forest on ``train`` and return its predictions (n, n_classes), without storing it.

    ``trees``: the number of trees; None: enough for the data.
    """
    return _fit(train, task, trees or _trees(train, task)).predict_proba(inputs)


def trees_of_forest(forest: Any, n_columns: int) -> Trees:
    """Take the trees out of a forest of scikit-learn.

    Parameters
    ----------
    forest
        A fitted classifier, of one label a row or of several.
    n_columns
        The number of classes, or of labels.

    Returns
    -------
    Trees
        Their sums are ``forest.predict_proba``: of each class, or that each label is present.
    """
    trees = Trees.join([_tree(estimator.tree_, n_columns) for estimator in forest.estimators_], n_columns)
    return replace(trees, leaf_value=trees.leaf_value / np.float32(len(trees.roots)))


def _tree(tree: Any, n_columns: int) -> Tree:
    is_leaf = tree.children_left == -1
    one_label = tree.n_outputs == 1 and tree.value.shape[2] == n_columns
    shares = tree.value[:, 0] if one_label else tree.value[:, :, 1]
    node, column = np.nonzero((shares != 0) & is_leaf[:, None])
    return Tree(
        feature=np.where(is_leaf, LEAF, tree.feature),
        threshold=float32_floor(tree.threshold),
        left=np.where(is_leaf, 0, tree.children_left),
        right=np.where(is_leaf, 0, tree.children_right),
        missing_left=tree.missing_go_to_left.astype(bool),
        sets={},
        leaf_count=np.bincount(node, minlength=len(is_leaf)),
        leaf_column=column,
        leaf_value=shares[node, column],
    )


def _trees(examples: Examples, task: Task) -> int:
    """Choose the number of trees: enough for the data, and no more than fit in memory."""
    n_rows, n_labels = examples.targets.shape
    enough = 300 if n_rows * (n_labels if task.multilabel else 1) < SOME_ROWS else 100
    affordable: int = MOST_BYTES // (16 * n_rows * n_labels)
    return max(LEAST_TREES, min(enough, affordable))


def _fit(examples: Examples, task: Task, trees: int) -> TreeModel:
    # all labels share the leaves, so no cell can be left out: unknown cells count as absent
    targets = (examples.targets > 0).astype(np.int8)
    seen, truth = learnable(targets, multilabel=task.multilabel)
    numbers = float_matrix(examples.features)
    if seen:
        truth = truth[:, 0] if truth.ndim > 1 and truth.shape[1] == 1 else truth
        forest = _extra_trees(examples, task, trees).fit(numbers, truth, sample_weight=examples.weight)
    return TreeModel(
        # rows may all have the same labels: then there is nothing to learn
        trees=trees_of_forest(forest, len(seen)) if seen else Trees.join([], 0),
        link=SHARES,
        n_features=numbers.shape[1],
        n_classes=len(task.classes),
        seen=seen,
        constants=dict.fromkeys(always_present(targets) if task.multilabel else [], 1.0),
        jobs=task.jobs,
    )


def _extra_trees(examples: Examples, task: Task, trees: int) -> Any:
    from sklearn.ensemble import ExtraTreesClassifier

    return ExtraTreesClassifier(
        n_estimators=trees,
        min_samples_leaf=1 if len(examples.targets) < MANY_ROWS else 5,
        max_features="sqrt" if examples.features.shape[1] > 30 else 0.6,
        random_state=task.seed,
        n_jobs=task.jobs,
    )
