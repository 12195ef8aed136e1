from __future__ import annotations

import pandas as pd
import pytest

from aurist.results import importance
from aurist.results.importance import permutation_importance
from aurist.run import RunFolder


def test_features_that_matter_come_first_and_noise_is_not_told_from_zero(run: RunFolder) -> None:
    table = permutation_importance(run, repeats=3)
    assert set(table["feature"].head(2)) == {"tempo", "energy"}
    assert (table["low"] <= table["importance"]).all()
    assert (table["importance"] <= table["high"]).all()
    assert (table.set_index("feature").loc[["tempo", "energy"], "low"] > 0).all()
    noise = table.set_index("feature").loc[["noise1", "noise2", "mode"]]
    assert (noise["low"] <= 0.01).all()


def test_features_asked_for_together_are_told_as_one_by_one(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = permutation_importance(run, model="ExtraTrees", repeats=2)
    monkeypatch.setattr(importance, "_AT_A_TIME", 1)
    pd.testing.assert_frame_equal(together, permutation_importance(run, model="ExtraTrees", repeats=2))
