"""Models that see a part of the features."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from aurist.config import FitConfig
from aurist.features.matrix import EMBEDDED
from aurist.models.base import Examples, Inputs, ModelSpec, Task
from aurist.models.engines import engine_of
from aurist.models.views import FEATURES, VIEW, embedded_by, in_view
from aurist.plan import table_members

TASK = Task(("a", "b"), False, "accuracy")


def examples(n: int = 60) -> Examples:
    """Classes that only the embedding ``ear`` tells apart."""
    rng = np.random.default_rng(0)
    label = np.arange(n) % 2
    table = pd.DataFrame(
        {
            "tempo": rng.normal(size=n),
            f"{EMBEDDED}ear_0000": label + 0.1 * rng.normal(size=n),
            f"{EMBEDDED}ear_two_0000": rng.normal(size=n),
        }
    )
    return Examples(Inputs(table), np.eye(2, dtype=np.int8)[label], np.ones(n))


def test_a_view_has_the_columns_of_one_network_or_of_none() -> None:
    inputs = examples().inputs
    assert embedded_by(inputs.features.columns) == ["ear", "ear_two"]
    assert list(in_view(inputs, "ear").features) == [f"{EMBEDDED}ear_0000"]
    assert list(in_view(inputs, "ear_two").features) == [f"{EMBEDDED}ear_two_0000"]
    assert list(in_view(inputs, FEATURES).features) == ["tempo"]


def test_a_model_learns_from_its_view_and_loads_with_it(tmp_path: Path) -> None:
    made, new = examples(), examples(20)
    scores = {}
    for view in ("ear", "ear_two", FEATURES):
        member = ModelSpec(f"Logistic_{view}", "classic", {"kind": "logistic", VIEW: view})
        folder = tmp_path / view
        folder.mkdir()
        fitted = engine_of(member).fit(folder, TASK, member, made, made, 60)
        proba = fitted.model.predict_proba(new.inputs)
        again = engine_of(member).load(folder, TASK, member).predict_proba(new.inputs)
        np.testing.assert_array_equal(proba, again)
        # other columns have no part in it
        others = [name for name in new.inputs.features if name not in in_view(new.inputs, view).features]
        changed = new.inputs.features.assign(**dict.fromkeys(others, 99.0))
        np.testing.assert_array_equal(
            proba, fitted.model.predict_proba(replace(new.inputs, features=changed))
        )
        scores[view] = (proba.argmax(axis=1) == new.targets.argmax(axis=1)).mean()
    assert scores["ear"] == 1 and max(scores["ear_two"], scores[FEATURES]) < 0.9


def test_plan_has_heads_of_every_view() -> None:
    without = [member.name for member in table_members(FitConfig(), 100)]
    names = [member.name for member in table_members(FitConfig(), 100, embedded=["ear"])]
    added = ["KernelRidge_ear", "Logistic_ear", "Logistic_features", "KernelRidge_features"]
    assert sorted(name for name in names if name not in added) == sorted(without)
    assert names[:3] == ["KernelRidge_ear", "KernelRidge", "ExtraTrees"]
    assert names.index("KernelRidge_features") < names.index("LightGBMXT")
    quick = [member.name for member in table_members(FitConfig(preset="quick"), 100, embedded=["ear"])]
    assert quick[:4] == ["KernelRidge_ear", "KernelRidge", "ExtraTrees", "Logistic"] and set(added) < set(
        quick
    )
