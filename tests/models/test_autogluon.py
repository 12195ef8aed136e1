"""The engine of AutoGluon: the time of a fold is divided among its labels."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from aurist.models import autogluon
from aurist.models.base import Examples, Inputs, ModelSpec, Task


def half(features: pd.DataFrame, model: str) -> pd.DataFrame:
    return pd.DataFrame({"yes": np.full(len(features), 0.5)})


def test_labels_share_the_time_of_a_fold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, shares = [100.0], []

    def fit_predictor(*arguments: Any) -> tuple[Any, tuple[str, str]]:
        shares.append(arguments[-1])
        clock[0] += (1.0, 8.0, 2.0)[len(shares) - 1]  # less than its share, more, and less again
        return SimpleNamespace(predict_proba=half), ("first", "refitted")

    monkeypatch.setattr(autogluon, "_fit_predictor", fit_predictor)
    monkeypatch.setattr(autogluon, "convert_all", lambda *_: None)
    monkeypatch.setattr(autogluon.time, "monotonic", lambda: clock[0])
    features = pd.DataFrame({"x": np.arange(4.0)})
    targets = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 1], [1, 0, 0]], dtype=np.int8)
    examples = Examples(Inputs(features), targets, np.ones(4))
    task = Task(("a", "b", "c"), True, "average_precision", 0, 1)
    member = ModelSpec("GBM", "autogluon", {"kind": "GBM", "refit": False})
    autogluon.AutoGluonEngine().fit(tmp_path, task, member, examples, examples, 12.0)
    assert shares == [4.0, 5.5, 3.0]
