"""A limit of time that is too short for the first member of the plan."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from aurist.automl import time_left
from aurist.automl.fit import fit
from aurist.config import FitConfig
from aurist.models.base import FitFailedError, ModelSpec


def test_a_member_that_surely_ends_is_fitted_where_no_other_can_be(
    table: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def too_slow(*given: object) -> None:
        raise FitFailedError("stopped after 9 s")

    monkeypatch.setattr("aurist.automl.train.fit_member", too_slow)
    caplog.set_level("INFO", "aurist")
    config = FitConfig(preset="quick", time_limit=60, jobs=1)
    run = fit(table, tmp_path / "run", config)
    assert set(run.leaderboard()["model"]) == {"Ridge", "Ensemble"}
    assert run.leaderboard()["score"].iloc[0] > 0.5
    assert "skipped: stopped after 9 s" in caplog.messages
    # what reads the plan again finds the member that there is
    assert run.plan().members[0].name == "Ridge"
    assert len(run.plan().members) == 3


def test_models_whose_share_was_over_are_fitted_in_the_time_that_later_steps_leave(
    table: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Steps before a network have a part of the time; if the network is skipped, they get the rest."""
    from aurist.plan import FitPlan, Step

    forest = ModelSpec("ExtraTrees", "forest", {"trees": 20})
    early = ModelSpec("Logistic", "classic", {"kind": "logistic"})
    late = ModelSpec("Slow", "classic", {"kind": "lda"}, seconds_per_row=1e6)
    plan = FitPlan((Step(forest), Step(early, until=1e-6), Step(late)))
    monkeypatch.setattr("aurist.automl.planning.make_plan", lambda *given: plan)
    caplog.set_level("INFO", "aurist")
    run = fit(table, tmp_path / "run", FitConfig(preset="quick", time_limit=100, jobs=1))
    assert set(run.leaderboard()["model"]) == {"ExtraTrees", "Logistic", "Ensemble"}
    assert sum(message.startswith("skipped: Slow") for message in caplog.messages) == 1


@pytest.mark.parametrize(("multilabel", "seconds"), [(False, 5.0), (True, 60.0)])
def test_a_model_of_each_label_needs_time_for_each(
    multilabel: bool, seconds: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = SimpleNamespace(classes=[*"abcdefghijkl"], multilabel=multilabel)
    learn: Any = SimpleNamespace(task=task, machines=(1,), folds=np.zeros(100))
    monkeypatch.setattr(time_left, "unfinished", lambda *_: [0, 1, 2, 3, 4])
    run: Any = SimpleNamespace(models=tmp_path)
    assert time_left.seconds_needed(run, learn, ModelSpec("Boosting", "autogluon")) == seconds
    assert time_left.seconds_needed(run, learn, ModelSpec("Forest", "forest")) == 5.0
