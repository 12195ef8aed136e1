"""Trees of LightGBM, XGBoost and CatBoost, read from the text and JSON that these libraries write."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from aurist.models.trees import LEAF, Tree, Trees, float32_floor

#: Bits of LightGBM's decision types, and its kinds of missing values.
_CATEGORICAL, _DEFAULT_LEFT, _MISSING_SHIFT = 1, 2, 2
_MISSING_NONE, _MISSING_ZERO = 0, 1


def trees_of_lightgbm(text: str) -> Trees:
    """Read the trees of a booster.

    Parameters
    ----------
    text
        The result of ``Booster.model_to_string()``.

    Returns
    -------
    Trees
        Their sums are the raw scores, a column for each class, or one of two classes.

    Raises
    ------
    ValueError
        If the booster has trees of another kind, such as those with linear leaves.
    """
    body = text[: text.index("end of trees")]
    head, *blocks = body.split("\n\nTree=")
    n_columns = int(_fields(head)["num_tree_per_iteration"])
    if "average_output" in head:
        raise ValueError("the booster averages its trees")
    parts = [_lightgbm_tree(_fields(block), index % n_columns) for index, block in enumerate(blocks)]
    return Trees.join(parts, n_columns)


def _fields(block: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in block.splitlines() if "=" in line)


def _lightgbm_tree(fields: Mapping[str, str], column: int) -> Tree:
    def numbers(name: str, dtype: type) -> npt.NDArray[Any]:
        return np.array(fields.get(name, "").split(), dtype=dtype)

    if int(fields.get("is_linear", 0)):
        raise ValueError("the booster has linear leaves")
    leaf_value = numbers("leaf_value", float)
    feature, kind = numbers("split_feature", int), numbers("decision_type", int)
    threshold = numbers("threshold", float)
    n_inner, n_leaves = len(feature), len(leaf_value)
    missing = kind >> _MISSING_SHIFT
    is_set = (kind & _CATEGORICAL) > 0
    if (missing[~is_set] == _MISSING_ZERO).any():
        raise ValueError("the booster takes zeros for missing values")
    # without missing values in training, a missing value counts as 0
    missing_left = np.where(missing == _MISSING_NONE, threshold >= 0, (kind & _DEFAULT_LEFT) > 0)
    bounds, words = numbers("cat_boundaries", int), numbers("cat_threshold", np.uint32)
    sets = {
        int(node): words[bounds[int(threshold[node])] : bounds[int(threshold[node]) + 1]]
        for node in np.flatnonzero(is_set)
    }
    # a child is a node, or the complement of a leaf's number; the leaves follow the nodes
    left, right = (
        np.where(children >= 0, children, n_inner + ~children)
        for children in (numbers("left_child", int), numbers("right_child", int))
    )
    return _tree(
        feature,
        float32_floor(np.where(is_set, 0.0, threshold)),
        (left, right),
        missing_left & ~is_set,
        sets,
        (np.full(n_leaves, column), leaf_value),
    )


def _tree(
    feature: npt.NDArray[Any],
    threshold: npt.NDArray[np.float32],
    children: tuple[npt.NDArray[Any], npt.NDArray[Any]],
    missing_left: npt.NDArray[np.bool_],
    sets: Mapping[int, npt.NDArray[np.uint32]],
    leaves: tuple[npt.NDArray[Any], npt.NDArray[Any]],
    values_per_leaf: int = 1,
) -> Tree:
    """Append the leaves, columns and values of each, to the inner nodes."""
    columns, values = leaves
    n_inner, n_leaves = len(feature), len(values) // values_per_leaf
    none = np.zeros(n_leaves, dtype=np.int64)
    return Tree(
        feature=np.concatenate([feature, none + LEAF]),
        threshold=np.concatenate([threshold, none]).astype(np.float32),
        left=np.concatenate([children[0], none]),
        right=np.concatenate([children[1], none]),
        missing_left=np.concatenate([missing_left, none > 0]),
        sets=sets,
        leaf_count=np.concatenate([np.zeros(n_inner, np.int64), none + values_per_leaf]),
        leaf_column=columns,
        leaf_value=values,
    )


def trees_of_xgboost(model: Mapping[str, Any]) -> Trees:
    """Read the trees of a booster.

    Parameters
    ----------
    model
        The JSON that ``Booster.save_raw("json")`` gives.

    Returns
    -------
    Trees
        Their sums and the base score are the raw scores, a column for each class, or one of two classes.

    Raises
    ------
    ValueError
        If the booster has trees of another kind.
    """
    learner = model["learner"]
    booster = learner["gradient_booster"]
    if booster["name"] != "gbtree" or int(booster["model"]["gbtree_model_param"]["num_parallel_tree"]) != 1:
        raise ValueError(f"the booster is of the kind {booster['name']}")
    attributes, trees = learner["attributes"], booster["model"]["trees"]
    classes = booster["model"]["tree_info"]
    if "best_iteration" in attributes:
        n_trees = booster["model"]["iteration_indptr"][int(attributes["best_iteration"]) + 1]
        trees, classes = trees[:n_trees], classes[:n_trees]
    n_columns = max(1, int(learner["learner_model_param"]["num_class"]))
    return Trees.join(
        [_xgboost_tree(tree, column) for tree, column in zip(trees, classes, strict=True)], n_columns
    )


def _xgboost_tree(tree: Mapping[str, Any], column: int) -> Tree:
    if any(tree["split_type"]):
        raise ValueError("the booster splits categories")
    left, right = np.array(tree["left_children"]), np.array(tree["right_children"])
    condition = np.array(tree["split_conditions"], dtype=np.float32)
    is_leaf = left == -1
    return Tree(
        feature=np.where(is_leaf, LEAF, np.array(tree["split_indices"])),
        # XGBoost sends what is less to the left, not what is equal
        threshold=np.nextafter(condition, np.float32(-np.inf)),
        left=np.where(is_leaf, 0, left),
        right=np.where(is_leaf, 0, right),
        missing_left=np.array(tree["default_left"], dtype=bool),
        sets={},
        leaf_count=is_leaf.astype(np.int64),
        leaf_column=np.full(int(is_leaf.sum()), column),
        leaf_value=condition[is_leaf],
    )


def trees_of_catboost(model: Mapping[str, Any]) -> tuple[Trees, npt.NDArray[np.float64]]:
    """Read the trees of a model without categories.

    Parameters
    ----------
    model
        The JSON that ``CatBoost.save_model(path, format="json")`` writes.

    Returns
    -------
    trees
        Their sums and the intercept are the raw scores, a column for each class, or one of two classes.
    intercept
        (n_columns,)

    Raises
    ------
    ValueError
        If a tree splits a category.
    """
    if "oblivious_trees" not in model:
        raise ValueError("the model has trees that are not symmetric")
    scale, bias = model["scale_and_bias"]
    features = model["features_info"].get("float_features", [])
    position = {feature["feature_index"]: feature["flat_feature_index"] for feature in features}
    above = {
        feature["feature_index"]: feature.get("nan_value_treatment", "AsIs") == "AsTrue"
        for feature in features
    }
    trees = model["oblivious_trees"]
    n_columns = max(1, len(np.atleast_1d(bias)))
    parts = [_catboost_tree(tree, position, above, n_columns, scale) for tree in trees]
    return Trees.join(parts, n_columns), np.atleast_1d(np.array(bias, dtype=np.float64))


def _catboost_tree(
    tree: Mapping[str, Any],
    position: Mapping[int, int],
    missing_above: Mapping[int, bool],
    n_columns: int,
    scale: float,
) -> Tree:
    splits: Sequence[Mapping[str, Any]] = tree["splits"] or []
    if any(split["split_type"] != "FloatFeature" for split in splits):
        raise ValueError("the model splits categories")
    depth = len(splits)
    values = scale * np.array(tree["leaf_values"], dtype=np.float64)
    # every node of a level has the same split; bit i of a leaf's number is 1 if its number is above split i
    levels = [split for level in range(depth) for split in [splits[level]] * (1 << level)]
    feature = np.array([position[split["float_feature_index"]] for split in levels], dtype=np.int64)
    border = float32_floor(np.array([split["border"] for split in levels], dtype=np.float64))
    missing_left = np.array([not missing_above[split["float_feature_index"]] for split in levels], dtype=bool)
    node = np.arange(len(levels))
    order = [int(format(leaf, f"0{depth}b")[::-1], 2) if depth else 0 for leaf in range(1 << depth)]
    values = values.reshape(len(order), n_columns)[order].ravel()
    return _tree(
        feature,
        border,
        (2 * node + 1, 2 * node + 2),
        missing_left,
        {},
        (np.tile(np.arange(n_columns), len(order)), values),
        n_columns,
    )


def read_xgboost(raw: bytes | bytearray) -> Mapping[str, Any]:
    """Read the JSON of a booster of XGBoost."""
    model: Mapping[str, Any] = json.loads(raw.decode("utf-8"))
    return model
