"""What is fitted within the time, and plans that are written and followed."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

#: the module, whose name the package gives to the function
from aurist.automl import planning, time_left, train
from aurist.automl.fit import fit, resume
from aurist.automl.planning import make_plan
from aurist.automl.time_left import seconds_of_step
from aurist.cli.leaderboard import print_leaderboard
from aurist.config import FitConfig
from aurist.crossval import TrainingData
from aurist.errors import ConfigError
from aurist.models.base import ModelSpec
from aurist.plan import FitPlan, Step, read_plan
from aurist.recipes import Recipe, read_recipe
from aurist.run import AuditFacts, open_run

from ..command import aurist_process, done
from ..models.sounds import sound_data
from ..small_run import feature_table


@pytest.fixture(scope="module")
def learn(tmp_path_factory: pytest.TempPathFactory) -> TrainingData:
    return sound_data(tmp_path_factory.mktemp("sounds") / "data", n=24, seconds=1.0)


def audit(rate: int) -> AuditFacts:
    lengths = dict.fromkeys(("min", "5%", "median", "95%", "max"), 1.0)
    return AuditFacts({str(rate): 24}, lengths)


def measured_at(monkeypatch: pytest.MonkeyPatch, speed: float) -> None:
    """Clips/s with 128 frames a second; with half as many it is twice as fast."""

    def measure(recipe: Recipe, __: int, ___: bool, ____: int, output: Path) -> None:
        clips_per_second = speed * recipe.front.hop_length / 62
        output.write_text(f'{{"precision": "32", "clips_per_second": {clips_per_second}}}')

    monkeypatch.setattr(planning, "measure_recipe", measure)


def test_a_network_joins_where_there_is_time_for_it(
    learn: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("timm")
    measured_at(monkeypatch, 100.0)
    plan = make_plan(FitConfig(), [], audit(8000), learn, left=600.0)
    (network,) = (step for step in plan.steps if step.member.engine == "network")
    tables = [step for step in plan.steps if step.member.engine != "network"]
    assert {step.until for step in tables if not step.spare} == {0.4}
    # what is slow and of little use with so few clips comes after it, if there is time
    after = plan.steps[plan.steps.index(network) + 1 :]
    assert after and all(step.spare for step in after)
    assert not any(step.spare for step in tables if step not in after)
    assert network.until == 1.0
    frames = network.member.settings["recipe"]["front"]["hop_length"] / 8000
    assert frames == pytest.approx(1 / 128, rel=0.02)  # a clip of a second, 128 frames: time enough for all
    assert network.seconds is not None and network.seconds <= 0.6 * 600
    assert network.member.settings["recipe"]["training"]["precision"] == "32"


def test_with_little_time_frames_are_half_as_dense(
    learn: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("timm")
    measured_at(monkeypatch, 8.0)
    plan = make_plan(FitConfig(), [], audit(8000), learn, left=600.0)
    (network,) = (step.member for step in plan.steps if step.member.engine == "network")
    assert network.settings["recipe"]["front"]["hop_length"] / 8000 == pytest.approx(2 / 128, rel=0.02)


def test_with_few_epochs_clips_are_not_mixed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("timm")
    large = sound_data(tmp_path / "data", n=240, seconds=0.2)

    def mixing(speed: float) -> str:
        measured_at(monkeypatch, speed)
        plan = make_plan(FitConfig(), [], audit(8000), large, left=600.0)
        (network,) = (step.member for step in plan.steps if step.member.engine == "network")
        return str(network.settings["recipe"]["augment"]["mixing"])

    assert mixing(100.0) == "mixup" and mixing(6.0) == "none"


def test_no_network_is_begun_that_cannot_learn_enough(
    learn: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("timm")
    measured_at(monkeypatch, 4.0)
    plan = make_plan(FitConfig(), [], audit(8000), learn, left=600.0)
    assert all(member.engine != "network" for member in plan.members)
    assert {step.until for step in plan.steps} == {1.0}
    assert "too few" in plan.notes[0]


def test_networks_that_are_asked_for_are_the_only_ones(learn: TrainingData) -> None:
    plan = make_plan(FitConfig(), [read_recipe("iaml-slices")], audit(8000), learn, left=600.0)
    assert [m.name for m in plan.members if m.engine == "network"] == ["iaml-slices"]
    tables = make_plan(FitConfig(engine="autogluon"), [], audit(8000), learn, left=600.0)
    assert all(member.engine != "network" for member in tables.members)


def test_time_is_kept_for_the_networks() -> None:
    steps = (
        Step(ModelSpec("a", "forest"), 0.4),
        Step(ModelSpec("b", "forest"), 0.4),
        Step(ModelSpec("c", "network")),
    )
    plan = FitPlan((*steps, Step(ModelSpec("d", "autogluon"), spare=True)))
    assert seconds_of_step(plan, 0, left=100.0, limit=100.0) == 20.0  # half of the 40 s of the tables
    assert seconds_of_step(plan, 1, left=90.0, limit=100.0) == 30.0
    assert seconds_of_step(plan, 1, left=50.0, limit=100.0) < 0  # their time is over
    assert seconds_of_step(plan, 2, left=50.0, limit=100.0) == 50.0
    assert seconds_of_step(plan, 0, left=math.inf, limit=math.inf) == math.inf


def test_a_plan_that_is_given_is_followed_and_repeats_itself(tmp_path: Path) -> None:
    """By the command line: written, changed, followed twice with the same result."""
    table = tmp_path / "train.csv"
    feature_table(150, seed=3).to_csv(table, index=False)

    command = ("fit", table, "--label", "genre", "--folds", 2)
    path = tmp_path / "plan.toml"
    written = done(*command, "--preset", "quick", "--save-plan", path)
    assert "LightGBM" in written.stdout
    assert not (tmp_path / "run").exists()
    assert [m.name for m in read_plan(path).members] == ["ExtraTrees", "LightGBM"]
    path.write_text(path.read_text().replace('name = "LightGBM"', 'name = "Boosted"'))
    boards = []
    for name in ("one", "two"):
        done(*command, "--plan", path, "-o", tmp_path / name)
        boards.append(open_run(tmp_path / name).predictions())
    assert set(boards[0]["model"]) >= {"ExtraTrees", "Boosted", "Ensemble"}
    pd.testing.assert_frame_equal(boards[0], boards[1], check_exact=True)


def test_a_plan_has_no_clock() -> None:
    with pytest.raises(ConfigError, match="no time limit"):
        FitConfig(plan="plan.toml", time_limit=60.0)


def test_without_an_output_the_user_is_told_what_to_say(tmp_path: Path) -> None:
    table = tmp_path / "train.csv"
    feature_table(60, seed=3).to_csv(table, index=False)
    refused = aurist_process("fit", table)
    assert refused.returncode != 0
    assert "-o" in refused.stderr and "Traceback" not in refused.stderr


def test_what_is_done_can_be_used_before_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A fit that dies in its second member has a leaderboard of the first, and says that it is not finished."""
    table = feature_table(150, seed=5)
    monkeypatch.setattr(time_left, "_WRITING", 1.0)

    class Died(BaseException):
        pass

    def second(*arguments: object) -> None:
        if len(list((tmp_path / "run" / "models").glob("*"))) > 0:
            raise Died
        return original(*arguments)  # type: ignore[arg-type]

    original = train._fit_or_skip
    monkeypatch.setattr(train, "_fit_or_skip", second)
    (tmp_path / "plan.toml").write_text(
        '[[member]]\nname = "ExtraTrees"\nengine = "forest"\n'
        '[[member]]\nname = "KernelRidge"\nengine = "kernel"\n'
    )
    with pytest.raises(Died):
        fit(table, tmp_path / "run", FitConfig(plan=str(tmp_path / "plan.toml"), folds=3))
    run = open_run(tmp_path / "run")
    assert not run.is_finished()
    assert set(run.leaderboard()["model"]) == {"ExtraTrees", "Ensemble"}
    print_leaderboard(run)
    assert "aurist resume" in " ".join(capsys.readouterr().out.split())
    monkeypatch.undo()
    resumed = resume(tmp_path / "run")
    assert resumed.is_finished()
    assert "KernelRidge" in set(resumed.leaderboard()["model"])
    assert np.isfinite(resumed.leaderboard()["score"]).all()


def test_a_second_level_comes_last_where_there_are_rows_enough(learn: TrainingData) -> None:
    many = replace(learn, folds=np.zeros(6000, dtype=np.int64), groups=np.arange(6000))
    plan = make_plan(FitConfig(engine="autogluon"), [], audit(8000), many, left=600.0)
    assert [step.member.level for step in plan.steps] == [1] * (len(plan.steps) - 1) + [2]
    assert plan.steps[-1].until == 1.0
    assert {step.until for step in plan.steps[:-1]} == {0.9}
    few = make_plan(FitConfig(engine="autogluon"), [], audit(8000), learn, left=600.0)
    quick = make_plan(FitConfig(engine="autogluon", preset="quick"), [], audit(8000), many, left=60.0)
    small = make_plan(FitConfig(engine="autogluon", ensemble_size=2), [], audit(8000), many, left=600.0)
    for other in (few, quick, small):
        assert {step.member.level for step in other.steps} == {1}
        assert {step.until for step in other.steps} == {1.0}
        assert not other.notes


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"prescribed": True}, "the folds came with the data"),
        ({"groups": np.arange(6000) // 2}, "count for 3,000"),
    ],
)
def test_no_second_level_where_its_score_could_not_be_believed(
    learn: TrainingData, change: dict[str, object], why: str
) -> None:
    many = replace(learn, folds=np.zeros(6000, dtype=np.int64), groups=np.arange(6000))
    plan = make_plan(FitConfig(engine="autogluon"), [], audit(8000), replace(many, **change), left=600.0)
    assert {(step.member.level, step.until) for step in plan.steps} == {(1, 1.0)}
    (note,) = plan.notes
    assert note.startswith("no second level: ")
    assert why in note
