"""Trees of other libraries answer as in their libraries."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aurist.models.boosters import read_xgboost, trees_of_catboost, trees_of_lightgbm, trees_of_xgboost

N = 400


def table(n_classes: int, *, missing: bool) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(n_classes)
    truth = rng.integers(n_classes, size=N)
    numbers = rng.normal(size=(N, 5)).astype(np.float32) + 0.5 * truth[:, None].astype(np.float32)
    numbers[:, 3] = np.round(numbers[:, 3])
    if missing:
        numbers[rng.random(numbers.shape) < 0.1] = np.nan
    return pd.DataFrame(numbers, columns=list("abcde")), truth


def unseen(features: pd.DataFrame) -> pd.DataFrame:
    """Rows with zeros, values far away, and missing values, also where training had none."""
    rng = np.random.default_rng(9)
    new = features.sample(200, replace=True, random_state=0).reset_index(drop=True)
    for value in (0.0, -0.0, 1e9, -1e9, np.nan):
        new = new.mask(rng.random(new.shape) < 0.05, np.float32(value))
    return new.astype(np.float32)


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_lightgbm(n_classes: int, missing: bool) -> None:
    import lightgbm

    features, truth = table(n_classes, missing=missing)
    rng = np.random.default_rng(0)
    features["mode"] = rng.integers(70, size=N)
    objective = {"objective": "multiclass", "num_class": 3} if n_classes > 2 else {"objective": "binary"}
    data = lightgbm.Dataset(features, truth, categorical_feature=["mode"])
    settings = {"verbose": -1, "min_data_in_leaf": 5, "min_data_per_group": 5, "cat_smooth": 0}
    booster = lightgbm.train({**objective, **settings}, data, 20)
    trees = trees_of_lightgbm(booster.model_to_string())
    assert (trees.first_word >= 0).any()
    new = unseen(features)
    new["mode"] = rng.choice([0, 5, 31, 32, 69, 1000, -1, np.nan], len(new)).astype(np.float32)
    expected = booster.predict(new, raw_score=True).reshape(len(new), -1)
    np.testing.assert_allclose(trees.sums(new.to_numpy(np.float32)), expected, atol=1e-5)


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("stopped", [False, True])
def test_xgboost(n_classes: int, missing: bool, stopped: bool) -> None:
    import xgboost

    features, truth = table(n_classes, missing=missing)
    early = {"early_stopping_rounds": 2} if stopped else {}
    model = xgboost.XGBClassifier(n_estimators=30, max_depth=4, gamma=0.5, **early)
    model.fit(features[:300], truth[:300], eval_set=[(features[300:], truth[300:])], verbose=False)
    trees = trees_of_xgboost(read_xgboost(model.get_booster().save_raw("json")))
    new = unseen(features)
    expected = model.predict(new, output_margin=True).reshape(len(new), -1)
    difference = expected - trees.sums(new.to_numpy(np.float32))
    np.testing.assert_allclose(difference, np.tile(difference[:1], (len(new), 1)), atol=1e-5)


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_catboost(n_classes: int, missing: bool, tmp_path: Path) -> None:
    import catboost

    features, truth = table(n_classes, missing=missing)
    model = catboost.CatBoostClassifier(iterations=20, verbose=0, allow_writing_files=False)
    model.fit(features, truth)
    model.save_model(str(tmp_path / "model.json"), format="json")
    trees, intercept = trees_of_catboost(json.loads((tmp_path / "model.json").read_text()))
    new = unseen(features) if missing else unseen(features).fillna(0)
    expected = model.predict(new, prediction_type="RawFormulaVal").reshape(len(new), -1)
    np.testing.assert_allclose(trees.sums(new.to_numpy(np.float32)) + intercept, expected, atol=1e-5)


def test_catboost_with_categories_is_refused(tmp_path: Path) -> None:
    import catboost

    features, truth = table(3, missing=False)
    features["mode"] = np.where(truth == 1, "major", "minor")
    model = catboost.CatBoostClassifier(iterations=5, verbose=0, allow_writing_files=False)
    model.fit(features, truth, cat_features=["mode"])
    model.save_model(str(tmp_path / "model.json"), format="json")
    with pytest.raises(ValueError, match="splits categories"):
        trees_of_catboost(json.loads((tmp_path / "model.json").read_text()))
