"""Boosters and forests of AutoGluon as plain arrays: no pickle, and prediction needs none of their libraries.

AutoGluon prepares features before its models see them: it leaves columns out, numbers categories, and turns columns of
two values into 0 and 1. These steps are found by passing rows through it that differ in one feature. The result is
checked against AutoGluon's own predictions; a predictor that answers differently is not converted.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.models.base import Inputs, Task
from aurist.models.boosters import read_xgboost, trees_of_catboost, trees_of_lightgbm, trees_of_xgboost
from aurist.models.forest import trees_of_forest
from aurist.models.gluon_columns import Frames, columns_of
from aurist.models.tree_model import (
    SHARES,
    SIGMOID,
    SOFTMAX,
    TreeColumn,
    TreeModel,
    one_per_label,
    without_copies,
)
from aurist.models.trees import Trees

#: The largest difference of a probability between AutoGluon and the arrays, of which leaves have single precision.
TOLERANCE = 2e-5
#: Rows of the training data to compare.
_CHECKED_ROWS = 500


class NotConvertedError(Exception):
    """This predictor cannot be converted; it stays as AutoGluon stores it."""


def convert_all(
    predictors: Sequence[Any],
    names: Sequence[str | None],
    constants: Sequence[float | None],
    task: Task,
    features: pd.DataFrame,
) -> TreeModel | None:
    """Convert the predictors of a fold; None if one of them cannot be.

    Parameters
    ----------
    predictors, names
        One predictor with the name of its model, or one for each label.
    constants
        For each label without a predictor, its probability.
    task, features
        The task, and rows that they were fitted on.
    """
    classes = ("no", "yes") if task.multilabel else task.classes
    try:
        converted = [
            convert(predictor, str(name), features, classes, task.jobs)
            for predictor, name in zip(predictors, names, strict=True)
            if predictor is not None
        ]
    except NotConvertedError:
        return None
    if not task.multilabel:
        return converted[0]
    same = {column: value for column, value in enumerate(constants) if value is not None}
    seen = [column for column in range(len(task.classes)) if column not in same]
    return one_per_label(converted, seen, same, features.shape[1], len(task.classes), task.jobs)


def convert(
    predictor: Any, name: str, features: pd.DataFrame, classes: Sequence[str], jobs: int
) -> TreeModel:
    """Convert one model of a predictor, and check that it answers the same.

    Parameters
    ----------
    predictor
        A fitted ``TabularPredictor``.
    name
        The name of its model.
    features
        (n, n_features): rows that it was fitted on.
    classes
        The names of the labels that it predicts, in the order of the result.
    jobs
        Threads of the result.

    Raises
    ------
    NotConvertedError
        If the model is of another kind, splits categories in a way of its own, or answers differently.
    """
    model = predictor._trainer.load_model(name)
    prepare = _preparation(model)
    try:
        columns = columns_of(
            lambda rows: prepare(model.preprocess(predictor.transform_features(rows))), features
        )
        trees, link, intercept = _trees(model)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise NotConvertedError(str(error)) from error
    converted = _assembled(predictor, trees, link, intercept, columns, features.shape[1], classes, jobs)
    _check(converted, predictor, name, features, classes)
    return converted


def _preparation(model: Any) -> Callable[[Any], Frames]:
    """Give the step from a model's own input to the numbers that its trees see."""
    kind = type(model).__name__
    if kind == "LGBModel":
        return lambda table: _with_codes(table, model.model.pandas_categorical or [])
    if kind in ("XGBoostModel", "RFModel", "XTModel", "CatBoostModel"):
        return _plain
    raise NotConvertedError(f"{kind} has no trees")


def _plain(table: Any) -> Frames:
    if hasattr(table, "toarray"):  # a sparse matrix has no zeros: they count as missing
        return Frames(table.toarray().astype(np.float32), zero_is_missing=True)
    return Frames(np.asarray(table, dtype=np.float32))


def _with_codes(table: pd.DataFrame, categories: Sequence[Sequence[object]]) -> Frames:
    """Number the categories as LightGBM does."""
    names = iter(categories)
    columns = [
        pd.Categorical(table[name], categories=list(next(names))).codes.astype(np.float32)
        if isinstance(table[name].dtype, pd.CategoricalDtype)
        else table[name].to_numpy(dtype=np.float32)
        for name in table
    ]
    matrix = np.stack(columns, axis=1)
    is_category = np.array([isinstance(dtype, pd.CategoricalDtype) for dtype in table.dtypes], dtype=bool)
    matrix[:, is_category] = np.where(matrix[:, is_category] < 0, np.nan, matrix[:, is_category])
    return Frames(matrix)


def _trees(model: Any) -> tuple[Trees, int, npt.NDArray[np.float64] | None]:
    """Read the trees of a model of AutoGluon, the step to probabilities, and the intercept."""
    kind = type(model).__name__
    if kind == "LGBModel":
        trees = trees_of_lightgbm(model.model.model_to_string())
        return trees, _link(trees), None
    if kind == "XGBoostModel":
        trees = trees_of_xgboost(read_xgboost(model.model.get_booster().save_raw("json")))
        return trees, _link(trees), _xgboost_intercept(model, trees)
    if kind == "CatBoostModel":
        trees, intercept = trees_of_catboost(_catboost_json(model))
        return trees, _link(trees), intercept
    forest = model.model
    return trees_of_forest(forest, len(forest.classes_)), SHARES, None


def _link(trees: Trees) -> int:
    return SIGMOID if trees.n_columns == 1 else SOFTMAX


def _xgboost_intercept(model: Any, trees: Trees) -> npt.NDArray[np.float64]:
    """Give the base score as raw scores: the part of a prediction that no tree explains."""
    import xgboost

    booster = model.model.get_booster()
    row = np.full((1, booster.num_features()), np.nan, dtype=np.float32)
    last = model.model.best_iteration + 1 if "best_iteration" in booster.attributes() else 0
    raw = booster.predict(
        xgboost.DMatrix(row, feature_names=booster.feature_names),
        output_margin=True,
        iteration_range=(0, last),
        validate_features=False,
    )
    return np.asarray(raw.reshape(-1) - trees.sums(row)[0], dtype=np.float64)


def _catboost_json(model: Any) -> Mapping[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.json"
        model.model.save_model(str(path), format="json")
        content: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _assembled(
    predictor: Any,
    trees: Trees,
    link: int,
    intercept: npt.NDArray[np.float64] | None,
    columns: Sequence[TreeColumn],
    n_features: int,
    classes: Sequence[str],
    jobs: int,
) -> TreeModel:
    """Join the parts; of two classes, the score is that of the second, and the first has 0."""
    names = [str(name) for name in predictor.class_labels]
    if trees.n_columns == 1:
        other = str(predictor.positive_class)
        names = [name for name in names if name != other] + [other]
        trees = replace(trees, n_columns=2, leaf_column=np.ones_like(trees.leaf_column))
        link, intercept = SOFTMAX, None if intercept is None else np.array([0.0, intercept[0]])
    if link == SHARES:
        names = [str(name) for name in _forest_classes(predictor)]
    trees, columns = without_copies(trees, columns)
    position = [list(classes).index(name) for name in names]
    return TreeModel(trees, link, n_features, len(classes), position, {}, columns, intercept, jobs)


def _forest_classes(predictor: Any) -> Sequence[Any]:
    """Give the classes in the order of a forest of AutoGluon, whose own are numbers."""
    if len(predictor.class_labels) == 2:
        other = [name for name in predictor.class_labels if name != predictor.positive_class]
        return [*other, predictor.positive_class]
    return list(predictor.class_labels)


def _check(
    converted: TreeModel, predictor: Any, name: str, features: pd.DataFrame, classes: Sequence[str]
) -> None:
    """Compare predictions of training rows, and of the same rows with cells moved between them.

    Raises
    ------
    NotConvertedError
        If they differ.
    """
    rng = np.random.default_rng(0)
    rows = features.iloc[rng.permutation(len(features))[:_CHECKED_ROWS]].reset_index(drop=True)
    # each column turned by another number of rows
    turned = (np.arange(len(rows))[:, None] + rng.integers(len(rows), size=rows.shape[1])) % len(rows)
    mixed = pd.DataFrame({key: rows[key].array.take(turned[:, i]) for i, key in enumerate(rows)})
    table = pd.concat([rows, mixed], ignore_index=True)
    expected = predictor.predict_proba(table, model=name)[list(classes)].to_numpy()
    difference = float(np.abs(converted.predict_proba(Inputs(table)) - expected).max(initial=0.0))
    if not difference <= TOLERANCE:
        raise NotConvertedError(f"its probabilities would differ by {difference:.2g}")
