"""Learning from clips that nobody has labelled."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aurist.automl.fit import fit, plan_fit
from aurist.automl.pseudo import _teacher, pseudo_examples
from aurist.config import FitConfig
from aurist.errors import AuristError, ConfigError
from aurist.models.base import Inputs, Task
from aurist.plan import read_plan
from aurist.results.evaluation import evaluate_run
from aurist.results.out_of_fold import OutOfFold
from aurist.run import RunFolder, files_of_run

from ..small_run import feature_table

PLAN = """\
[[member]]
name = "ExtraTrees"
engine = "forest"

[member.settings]
trees = 60

[[member]]
name = "ExtraTrees+1"
engine = "forest"
round = 1

[member.settings]
trees = 60
"""


def fit_with(table: pd.DataFrame, unlabelled: pd.DataFrame, folder: Path, **settings: float) -> RunFolder:
    folder.mkdir()
    (folder / "plan.toml").write_text(PLAN)
    unlabelled.to_csv(folder / "more.csv", index=False)
    config = FitConfig(
        plan=str(folder / "plan.toml"), unlabelled=str(folder / "more.csv"), folds=3, seed=1, **settings
    )
    return fit(table, folder / "run", config)


def score(run: RunFolder, model: str) -> float:
    return float(run.leaderboard().set_index("model")["score"][model])


def test_more_clips_help_where_few_have_labels(tmp_path: Path) -> None:
    few = feature_table(40, seed=2)
    more = feature_table(600, seed=3).drop(columns=["genre", "ID"])
    run = fit_with(few, more, tmp_path / "x", pseudo_threshold=0.6)
    assert score(run, "ExtraTrees+1") >= score(run, "ExtraTrees")
    new = feature_table(400, seed=4)
    before, after = (
        evaluate_run(files_of_run(run), new, model=model).scores["all rows"].set_index("metric")["score"]
        for model in ("ExtraTrees", "ExtraTrees+1")
    )
    assert after["log_loss"] > before["log_loss"] - 0.1


def test_copies_of_what_is_scored_tell_nothing(tmp_path: Path) -> None:
    """Labels by lot, and unlabelled copies of all clips: a teacher that knew a fold's labels would give them away."""
    table = feature_table(300, seed=5, shuffled=True)
    run = fit_with(table, table.drop(columns=["genre", "ID"]), tmp_path / "x", pseudo_threshold=0.51)
    chance = table["genre"].value_counts(normalize=True).max()
    assert score(run, "ExtraTrees+1") < chance + 0.08
    assert score(run, "Ensemble") < chance + 0.08


def test_the_labels_of_a_single_fold_have_no_part_in_its_teacher() -> None:
    rng = np.random.default_rng(0)
    truth = np.eye(2, dtype=np.int8)[rng.integers(0, 2, 40)]
    right, wrong = truth * 0.8 + 0.1, 0.9 - truth * 0.8
    one = np.zeros(40, dtype=np.int64)
    probas = {"right": right, "wrong": wrong}
    task = Task(("a", "b"), False, "accuracy")
    oof = OutOfFold(task, np.arange(40), truth, np.arange(40), one, np.ones(40), probas)
    assert _teacher(oof, 0) == {"right": (0.5, 1.0), "wrong": (0.5, 1.0)}
    two = replace(oof, folds=np.arange(40) % 2)
    assert list(_teacher(two, 0)) == ["right"]


def test_what_the_teacher_is_sure_of_becomes_a_label() -> None:
    proba = np.array([[0.95, 0.05, 0.0], [0.5, 0.3, 0.2], [0.0, 0.08, 0.92]])
    examples = pseudo_examples(
        Inputs(pd.DataFrame({"x": [1.0, 2.0, 3.0]})), proba, ("a", "b", "c"), 0.9, 10.0, multilabel=False
    )
    assert examples.targets.tolist() == [[1, 0, 0], [0, 0, 1]]
    assert examples.features["x"].tolist() == [1.0, 3.0]
    assert examples.weight.tolist() == [0.5, 0.5]


def test_with_several_labels_all_of_them_must_be_sure() -> None:
    proba = np.array([[0.95, 0.97, 0.0], [0.95, 0.5, 0.0], [0.01, 0.02, 0.03]])
    examples = pseudo_examples(
        Inputs(pd.DataFrame({"x": [1.0, 2.0, 3.0]})), proba, ("a", "b", "c"), 0.9, 1.0, multilabel=True
    )
    assert examples.targets.tolist() == [[1, 1, 0], [0, 0, 0]]
    assert examples.weight.sum() == 0.5  # half of what the labelled clips weigh


def test_a_plan_has_its_rounds(tmp_path: Path) -> None:
    more = tmp_path / "more.csv"
    feature_table(20).drop(columns="genre").to_csv(more)
    config = FitConfig(preset="quick", unlabelled=str(more), pseudo_rounds=2, time_limit=60)
    table = feature_table(60, seed=6)
    plan = plan_fit(table, config)
    assert [step.member.name for step in plan.steps] == [
        "ExtraTrees",
        "LightGBM",
        "ExtraTrees+1",
        "LightGBM+1",
        "ExtraTrees+2",
        "LightGBM+2",
    ]
    assert [step.round for step in plan.steps] == [0, 0, 1, 1, 2, 2]
    assert [round(step.until, 3) for step in plan.steps[::2]] == [0.333, 0.667, 1.0]


def test_settings_that_cannot_be_are_refused() -> None:
    with pytest.raises(ConfigError, match="pseudo_threshold"):
        FitConfig(pseudo_threshold=1.0)
    with pytest.raises(ConfigError, match="pseudo_rounds"):
        FitConfig(pseudo_rounds=0)


def test_a_folder_that_is_not_there_is_named_before_anything_is_fitted(tmp_path: Path) -> None:
    config = FitConfig(preset="quick", unlabelled=str(tmp_path / "nowhere"), time_limit=60)
    with pytest.raises(AuristError, match="nowhere"):
        fit(feature_table(60, seed=7), tmp_path / "run", config)
    assert not (tmp_path / "run" / "models").exists()


def test_the_plan_of_a_run_keeps_its_rounds(tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text(PLAN)
    assert [step.round for step in read_plan(tmp_path / "plan.toml").steps] == [0, 1]
