"""A model that looks at what the others say: scored as it predicts, resumed, pruned, explained."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import aurist
from aurist.automl import apply_run, prune, prune_curve
from aurist.automl.blender import Blender
from aurist.automl.importance import permutation_importance
from aurist.clips.read import read_clips
from aurist.run import read_data, training_data

from .conftest import feature_table

PLAN = """
[[member]]
name = "Trees"
engine = "forest"

[[member]]
name = "Logistic"
engine = "classic"
settings = {kind = "logistic"}

[[member]]
name = "Above"
engine = "classic"
level = 2
settings = {kind = "logistic"}
"""
ANOTHER = """
[[member]]
name = "LDA"
engine = "classic"
settings = {kind = "lda"}
"""


@pytest.fixture(scope="module")
def stacked(tmp_path_factory: pytest.TempPathFactory) -> aurist.Run:
    folder = tmp_path_factory.mktemp("stacked")
    plan = folder / "plan.toml"
    plan.write_text(PLAN, encoding="utf-8")
    config = aurist.FitConfig(preset="quick", plan=str(plan), metric="accuracy", seed=1)
    return aurist.fit(feature_table(240, seed=5), folder / "run", config)


@pytest.fixture
def copied(stacked: aurist.Run, tmp_path: Path) -> aurist.Run:
    shutil.copytree(stacked.folder, tmp_path / "run")
    return aurist.load(tmp_path / "run")


def weights(run: aurist.Run) -> set[str]:
    return set(run.ensemble()["weights"]["Ensemble"][0])


def test_the_leaderboard_tells_the_levels(stacked: aurist.Run) -> None:
    board = stacked.leaderboard().set_index("model")
    levels = board["stack_level"].to_dict()
    assert levels == {
        "Trees": 1,
        "Logistic": 1,
        "Above": 2,
        "Ensemble": 3 if "Above" in weights(stacked) else 2,
    }
    # whoever asks it asks those below it, too
    assert board.loc["Above", "pred_time"] >= board.loc[["Trees", "Logistic"], "pred_time"].sum() - 0.002


@pytest.mark.parametrize("name", ["Above", "Ensemble"])
def test_new_clips_are_answered_just_as_it_was_scored(stacked: aurist.Run, name: str) -> None:
    data = read_data(stacked)
    learn = training_data(data)
    told = stacked.out_of_fold(data.task.classes)
    ids = learn.clip_ids.tolist()
    blender = Blender(stacked, data, name)
    if name == "Ensemble":
        assert "Above" in weights(stacked), "the ensemble does without it, and this would show nothing"
        stored = stacked.ensemble()["temperatures"]["Ensemble"]
        assert set(stored) >= weights(stacked)
    for split in learn.splits:
        said = blender.fold_proba(split.fold, learn.examples.inputs.take(split.scored))
        if name == "Above":
            np.testing.assert_allclose(said, told["Above"].aligned(ids)[split.scored], atol=1e-9)
        np.testing.assert_allclose(said.sum(axis=1), 1.0)
    answered = apply_run(stacked, read_clips(feature_table(30, seed=6), labelled=False), model=name)
    assert np.isfinite(answered.proba).all()
    permuted = permutation_importance(stacked, model=name, repeats=2)
    assert set(permuted["feature"].head(2)) == {"tempo", "energy"}


def test_few_models_do_without_it(copied: aurist.Run) -> None:
    curve = prune_curve(copied)
    assert curve["models"].tolist() == sorted(curve["models"], reverse=True)
    assert (curve["pred_time"].diff().dropna() <= 0).all()
    assert "Above" in curve["kept"].iloc[0]
    assert not curve["kept"].iloc[1:].str.contains("Above").any()
    prune(copied, 2)
    assert "Above" not in weights(copied)
    shutil.rmtree(copied.models / "Above")
    assert np.isfinite(apply_run(copied, read_clips(feature_table(9, seed=6), labelled=False)).proba).all()


def test_a_resumed_run_with_another_model_asks_that_one_too(copied: aurist.Run) -> None:
    before = {unit: unit.stat().st_mtime_ns for unit in copied.models.glob("[TL]*/fold*/unit.json")}
    assert len(before) == 6
    above = PLAN.index('[[member]]\nname = "Above"')
    copied.plan_path.write_text(PLAN[:above] + ANOTHER + PLAN[above:], encoding="utf-8")
    again = aurist.resume(copied.folder)
    assert all(unit.stat().st_mtime_ns == stamp for unit, stamp in before.items())
    (told,) = (m for m in again.ensemble()["members"] if m["name"] == "Above")
    assert told["asks"] == ["Trees", "Logistic", "LDA"]
    assert np.isfinite(
        apply_run(again, read_clips(feature_table(9, seed=6), labelled=False), model="Above").proba
    ).all()


def test_it_is_left_out_where_nothing_is_below_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text(PLAN[PLAN.index('[[member]]\nname = "Above"') :] + ANOTHER, encoding="utf-8")
    config = aurist.FitConfig(preset="quick", plan=str(plan))
    run = aurist.fit(feature_table(90, seed=5), tmp_path / "run", config)
    assert set(run.leaderboard()["model"]) == {"LDA", "Ensemble"}
    assert any(e.get("model") == "Above" and e["event"] == "skipped" for e in run.journal())
    assert pd.notna(run.leaderboard()["score"]).all()
