"""A model that looks at what the others say: scored as it predicts, resumed, pruned, explained."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from aurist import crossval

#: the module, whose name the package gives to the function
from aurist.automl import train
from aurist.automl.fit import fit, resume
from aurist.calibration import apply_temperature
from aurist.clips.read import ReadOptions, read_clips
from aurist.config import FitConfig
from aurist.crossval import CrossValidationResult, TrainingData
from aurist.errors import ConfigError
from aurist.files import write_json
from aurist.inference.fold_models import FoldModels
from aurist.inference.predict import predict_clips
from aurist.models.base import ModelSpec
from aurist.models.network_member import recipe_member
from aurist.plan import FOREST, FitPlan, Step, write_plan
from aurist.results.importance import permutation_importance
from aurist.results.pruning import prune, prune_curve
from aurist.run import RunFolder, files_of_run, open_run, read_data, read_ensemble, training_data

from ..models.sounds import CLASSES, RATE, sound, tiny
from ..small_run import LDA, feature_table

PLAN = """
[[member]]
name = "Trees"
engine = "forest"
settings = {trees = 60}

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
#: Two members below, which are quick.
LINEAR = LDA + PLAN[PLAN.index('[[member]]\nname = "Logistic"') :]


@pytest.fixture(scope="module", autouse=True)
def small_sets_will_do() -> Iterator[None]:
    """These tables have a few hundred rows, lest the tests take long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("aurist.ensemble.stacking.LEAST_INDEPENDENT", 10)
        yield


@pytest.fixture(scope="module")
def stacked(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = tmp_path_factory.mktemp("stacked")
    plan = folder / "plan.toml"
    plan.write_text(PLAN, encoding="utf-8")
    config = FitConfig(preset="quick", plan=str(plan), metric="accuracy", seed=1, jobs=1)
    return fit(feature_table(240, seed=5), folder / "run", config)


@pytest.fixture
def copied(stacked: RunFolder, tmp_path: Path) -> RunFolder:
    shutil.copytree(stacked.folder, tmp_path / "run")
    return open_run(tmp_path / "run")


def weights(run: RunFolder) -> set[str]:
    return set(read_ensemble(run).weights["Ensemble"][0])


def test_the_leaderboard_tells_the_levels(stacked: RunFolder) -> None:
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
def test_new_clips_are_answered_just_as_it_was_scored(stacked: RunFolder, name: str) -> None:
    data = read_data(stacked)
    learn = training_data(data)
    ids = learn.clip_ids.tolist()
    out_of_fold = {one: proba.aligned(ids) for one, proba in stacked.out_of_fold(data.task.classes).items()}
    expected = out_of_fold["Above"]
    if name == "Ensemble":
        assert "Above" in weights(stacked), "the ensemble does without it, and this would show nothing"
        temperatures = read_ensemble(stacked).temperatures["Ensemble"]
        assert temperatures["Above"] != 1.0
        # before it is tempered and tilted as a whole
        parts = read_ensemble(stacked).weights["Ensemble"][0].items()
        expected = sum(
            w * apply_temperature(out_of_fold[one], temperatures[one], multilabel=False) for one, w in parts
        )
    models = FoldModels(files_of_run(stacked), data.task, name)
    for split in learn.splits:
        proba = models.fold_proba(split.fold, learn.examples.inputs.take(split.scored))
        np.testing.assert_allclose(proba, expected[split.scored], atol=1e-5)
    answered = predict_clips(
        files_of_run(stacked), read_clips(feature_table(30, seed=6), labelled=False), model=name
    )
    assert np.isfinite(answered.proba).all()
    permuted = permutation_importance(stacked, model=name, repeats=2)
    assert set(permuted["feature"].head(2)) == {"tempo", "energy"}


def test_the_best_single_model_is_one_that_asks_no_other(stacked: RunFolder) -> None:
    singles = stacked.leaderboard().query("stack_level == 1")["model"]
    assert stacked.scores().vs_best_single.model == singles.iloc[0]


def test_few_models_do_without_it(copied: RunFolder) -> None:
    curve = prune_curve(copied)
    assert curve["models"].tolist() == sorted(curve["models"], reverse=True)
    assert (curve["pred_time"].diff().dropna() <= 0).all()
    assert "Above" in curve["kept"].iloc[0]
    prune(copied, int(curve["models"].iloc[0]))
    assert "Above" in weights(copied)
    assert not curve["kept"].iloc[1:].str.contains("Above").any()
    prune(copied, 2)
    assert "Above" not in weights(copied)
    shutil.rmtree(copied.models / "Above")
    assert np.isfinite(
        predict_clips(files_of_run(copied), read_clips(feature_table(9, seed=6), labelled=False)).proba
    ).all()


def with_another(run: RunFolder) -> None:
    above = PLAN.index('[[member]]\nname = "Above"')
    run.plan_path.write_text(PLAN[:above] + LDA + PLAN[above:], encoding="utf-8")


def test_a_resumed_run_with_another_model_asks_that_one_too(copied: RunFolder) -> None:
    before = {unit: unit.stat().st_mtime_ns for unit in copied.models.glob("[TL]*/fold*/unit.json")}
    assert len(before) == 6
    with_another(copied)
    again = resume(copied.folder)
    assert all(unit.stat().st_mtime_ns == stamp for unit, stamp in before.items())
    base_models = read_ensemble(again).base_models["Above"]
    assert list(base_models) == ["Trees", "Logistic", "LDA"]
    few = read_clips(feature_table(9, seed=6), labelled=False)
    assert np.isfinite(predict_clips(files_of_run(again), few, model="Above").proba).all()


def test_a_run_that_is_killed_while_it_is_fitted_anew_can_be_used(
    copied: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_another(copied)
    fit_member = crossval.fit_member

    def killed(folder: Path, data: TrainingData, member: ModelSpec, *times: float) -> CrossValidationResult:
        if member.name == "Above":
            shutil.rmtree(folder)
            raise SystemExit
        return fit_member(folder, data, member, *times)

    monkeypatch.setattr(train, "fit_member", killed)
    # where writing takes too much of the time, nothing is written in between
    monkeypatch.setattr(train, "worth_writing", lambda *_: False)
    with pytest.raises(SystemExit):
        resume(copied.folder)
    few = read_clips(feature_table(9, seed=6), labelled=False)
    assert np.isfinite(predict_clips(files_of_run(copied), few).proba).all()
    assert "Above" not in set(copied.leaderboard()["model"])


def test_it_may_ask_networks(tmp_path: Path) -> None:
    pytest.importorskip("timm")
    rng = np.random.default_rng(2)
    for i in range(24):
        folder = tmp_path / "sounds" / CLASSES[i % 3]
        folder.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / f"{i}.wav", sound(i % 3, rng, 0.5), RATE)
    network = recipe_member(tiny(training={"epochs": 2}))
    above = ModelSpec("Above", "classic", {"kind": "logistic"}, level=2)
    write_plan(tmp_path / "plan.toml", FitPlan((Step(FOREST), Step(network), Step(above))))
    config = FitConfig(plan=str(tmp_path / "plan.toml"), folds=2, jobs=1)
    run = fit(tmp_path / "sounds", tmp_path / "run", config)
    data = read_data(run)
    learn = training_data(data)
    out_of_fold = run.out_of_fold(data.task.classes)["Above"].aligned(learn.clip_ids.tolist())
    models = FoldModels(files_of_run(run), data.task, "Above")
    assert models.listeners == [network.name]
    for split in learn.splits:
        proba = models.fold_proba(split.fold, learn.examples.inputs.take(split.scored))
        np.testing.assert_allclose(proba, out_of_fold[split.scored], atol=1e-3)


def test_it_is_left_out_where_nothing_is_below_it(tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text(PLAN[PLAN.index('[[member]]\nname = "Above"') :] + LDA, encoding="utf-8")
    config = FitConfig(preset="quick", plan=str(plan), jobs=1)
    run = fit(feature_table(90, seed=5), tmp_path / "run", config)
    assert set(run.leaderboard()["model"]) == {"LDA", "Ensemble"}
    assert any(e.get("model") == "Above" and e["event"] == "skipped" for e in run.journal())
    assert pd.notna(run.leaderboard()["score"]).all()


@pytest.mark.parametrize("name", ["../../victim", "{victim}"])
def test_a_run_that_somebody_sent_deletes_and_reads_nothing_outside(
    copied: RunFolder, tmp_path: Path, name: str
) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "thesis.txt").write_text("years")
    plan = copied.plan_path.read_text().replace('"Above"', f'"{name.format(victim=victim)}"')
    copied.plan_path.write_text(plan)
    with pytest.raises(ConfigError, match="The model's name is"):
        resume(copied.folder)
    ensemble = (copied.folder / "ensemble.json").read_text()
    (copied.folder / "ensemble.json").write_text(
        ensemble.replace('"Above"', f'"{name.format(victim=victim)}"')
    )
    with pytest.raises(ConfigError, match="The model's name is"):
        predict_clips(files_of_run(copied), feature_table(5))
    assert (victim / "thesis.txt").read_text() == "years"


def test_a_link_among_the_models_deletes_nothing_outside(copied: RunFolder, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    shutil.copytree(copied.models / "Above", victim / "fold0")
    shutil.rmtree(copied.models / "Above" / "fold0")
    (copied.models / "Above" / "fold0").symlink_to(victim / "fold0")
    kept = sorted(victim.rglob("*"))
    write_json(copied.models / "Above" / "asks.json", {"another": ""})  # so that it is fitted anew
    resume(copied.folder)
    assert sorted(victim.rglob("*")) == kept
    assert not (copied.models / "Above" / "fold0").is_symlink()


def test_noise_of_sites_is_answered_no_better_than_by_a_constant(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Folds that came with the data and differ in their classes: the second level would read their shares."""
    rng = np.random.default_rng(3)
    tables = [
        pd.DataFrame(rng.normal(size=(120, 3)), columns=list("abc")).assign(
            site=f"site{site}", label=rng.choice(["x", "y", "z"], 120, p=rng.dirichlet(np.ones(3)))
        )
        for site in range(5)
    ]
    table = pd.concat(tables, ignore_index=True)
    plan = tmp_path / "plan.toml"
    plan.write_text(LINEAR, encoding="utf-8")
    caplog.set_level("INFO", "aurist")
    run = fit(
        table,
        tmp_path / "run",
        FitConfig(plan=str(plan), metric="accuracy", jobs=1),
        options=ReadOptions(label="label", fold="site"),
    )
    usual = table["label"].value_counts(normalize=True).max()
    assert run.leaderboard()["score"].max() < usual + 0.02
    assert set(run.leaderboard()["model"]) == {"LDA", "Logistic", "Ensemble"}
    assert any(line.startswith("skipped: Above: the folds came with the data") for line in caplog.messages)


def test_noise_has_no_second_level(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text(LINEAR, encoding="utf-8")
    table = feature_table(150, seed=5, shuffled=True)
    caplog.set_level("INFO", "aurist")
    config = FitConfig(plan=str(plan), metric="accuracy", jobs=1)
    run = fit(table, tmp_path / "run", config)
    assert "Above" not in set(run.leaderboard()["model"])
    assert any("clearly better than the class shares" in line for line in caplog.messages)
