"""Groups reach the classifier through scikit-learn's metadata routing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn import config_context
from sklearn.model_selection import GroupKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import aurist

from ..small_run import LDA


def test_groups_are_routed_to_the_folds_outside_and_inside(tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text(LDA)
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(64, 3)), np.tile(["folk", "rock"], 32)
    groups = np.repeat(np.arange(16), 4)
    with config_context(enable_metadata_routing=True):
        classifier = aurist.AudioClassifier(plan=tmp_path / "plan.toml", folds=2, jobs=1)
        pipeline = make_pipeline(StandardScaler(), classifier.set_fit_request(groups=True))
        result = cross_validate(
            pipeline,
            X,
            y,
            params={"groups": groups},
            cv=GroupKFold(2),
            return_estimator=True,
            return_indices=True,
        )
    for fitted, rows in zip(result["estimator"], result["indices"]["train"], strict=True):
        folds = pd.read_parquet(fitted[-1].run_.folder / "folds.parquet")
        assert folds["group"].nunique() == len(np.unique(groups[rows])) == 8
        assert len(folds[["group", "fold"]].drop_duplicates()) == 8
    assert not set(groups[result["indices"]["train"][0]]) & set(groups[result["indices"]["test"][0]])
