"""The façade from end to end, on feature tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import aurist
from aurist.automl.fit import fit
from aurist.clips.read import ReadOptions, read_clips
from aurist.config import FitConfig
from aurist.inference.predict import predict_clips
from aurist.plan import ENSEMBLE
from aurist.predictions import from_frame
from aurist.results.bootstrap import bootstrap
from aurist.results.evaluation import evaluate_run
from aurist.run import RunFolder, files_of_run, read_data, training_data

from ..small_run import HUNDRED, feature_table, small_plan


def test_the_leaderboard_has_every_model_with_an_interval(run: RunFolder) -> None:
    board = run.leaderboard()
    assert {"ExtraTrees", "Logistic", ENSEMBLE} == set(board["model"])
    assert ((board["low"] <= board["score"]) & (board["score"] <= board["high"])).all()
    assert board["model"].iloc[0] == ENSEMBLE == run.scores().best  # what predicts
    assert board["score"].iloc[1:].is_monotonic_decreasing
    assert set(board.loc[board["model"] == ENSEMBLE, "stack_level"]) == {2}


def test_scores_are_those_of_the_stored_predictions(run: RunFolder) -> None:
    learn = training_data(read_data(run))
    board = run.leaderboard().set_index("model")
    for predictions in from_frame(run.predictions().query("part == 'oof'"), learn.task.classes):
        proba = predictions.aligned(learn.clip_ids.tolist())
        again = bootstrap(learn.examples.targets, proba, learn.groups, "f1_macro", seed=1, out_of_fold=True)
        assert np.isclose(again.score, board.loc[predictions.model, "score"], atol=1e-6)
        assert np.isclose(again.low, board.loc[predictions.model, "low"], atol=1e-3)


def test_twins_share_a_fold(run: RunFolder, table: pd.DataFrame) -> None:
    folds = pd.read_parquet(run.folder / "folds.parquet").set_index("clip_id")["fold"]
    for i in range(12):
        assert folds[table["ID"].iloc[i]] == folds[table["ID"].iloc[180 + i]]


def test_both_kinds_of_test_row_are_told_of(run: RunFolder) -> None:
    test = run.scores().test
    # the first 12 rows of the second table are not those of the first: only 20 are shared
    assert (test.rows, test.seen) == (72, 20)
    assert test.expected_new.score > 0.5
    assert test.expected_all.score > test.expected_new.score


def test_predictions_keep_the_order_and_the_ids(run: RunFolder) -> None:
    new = feature_table(50, seed=5).sample(frac=1, random_state=0)
    applied = predict_clips(files_of_run(run), read_clips(new.drop(columns="genre"), labelled=False))
    frame = applied.to_frame()
    assert frame["id"].tolist() == new["ID"].tolist()
    assert list(frame.columns) == ["id", "label", "likeness", "folk", "rap", "rock"]
    assert np.allclose(frame[["folk", "rap", "rock"]].sum(axis=1), 1, atol=1e-5)
    assert (frame["label"].to_numpy() == new["genre"].to_numpy()).mean() > 0.6


def test_any_model_of_the_leaderboard_can_predict(run: RunFolder) -> None:
    clips = read_clips(feature_table(20, seed=5), ReadOptions(label="genre"))
    probas = {
        name: predict_clips(files_of_run(run), clips, model=name).proba for name in run.leaderboard()["model"]
    }
    assert not np.allclose(probas["ExtraTrees"], probas["Logistic"])
    with pytest.raises(aurist.ConfigError, match=r"no model 'Forest'. It has: .*ExtraTrees"):
        predict_clips(files_of_run(run), clips, model="Forest")


def test_an_evaluation_scores_new_rows_apart(run: RunFolder, table: pd.DataFrame, tmp_path: Path) -> None:
    mixed = pd.concat([feature_table(60, seed=7), table.iloc[:30]], ignore_index=True).drop(columns="ID")
    evaluation = evaluate_run(files_of_run(run), mixed)
    titles = list(evaluation.scores)
    assert titles[0] == "all rows"
    assert titles[1].startswith("new rows (72 of 102")
    assert evaluation.confusion is not None
    assert evaluation.confusion.sum() == 102
    evaluation.write(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {
        "evaluation.json", "predictions.csv", "per_class.csv", "confusion.csv", "confusion.png",
    }  # fmt: skip


def test_labels_that_the_run_does_not_know_are_listed(run: RunFolder) -> None:
    other = feature_table(30, seed=2).replace({"genre": {"rock": "polka"}})
    with pytest.raises(aurist.DataError, match=r"polka \(\d+ clips\)"):
        evaluate_run(files_of_run(run), other)


def test_shuffled_labels_score_chance(tmp_path: Path) -> None:
    data = feature_table(300, shuffled=True)
    scores = fit(data.drop(columns="ID"), tmp_path / "run", small_plan(tmp_path, seed=2)).scores()
    assert scores.score.low < 1 / 3 + 0.05
    assert abs(scores.score.score - 1 / 3) < 0.1


def test_the_labels_of_a_test_part_have_no_part_in_anything(tmp_path: Path) -> None:
    data = feature_table(150).drop(columns="ID").assign(split=["train"] * 100 + ["test"] * 62)
    other = data.copy()
    other.loc[other["split"] == "test", "genre"] = "rock"
    config = small_plan(tmp_path)
    a, b = (fit(d, tmp_path / n, config) for d, n in ((data, "a"), (other, "b")))
    assert a.scores().score == b.scores().score
    assert a.scores().held_out.n == 62
    assert a.scores().held_out.score != b.scores().held_out.score


def test_a_valid_part_is_the_one_that_is_scored_and_the_training_part_is_known(tmp_path: Path) -> None:
    data = feature_table(150).drop(columns="ID").assign(split=["train"] * 110 + ["valid"] * 52)
    run = fit(data, tmp_path / "run", small_plan(tmp_path))
    assert run.scores().n_scored == 52
    again = read_clips(data.iloc[:30].drop(columns=["split", "genre"]), labelled=False)
    assert predict_clips(files_of_run(run), again).seen.all()


def test_several_labels_a_clip(tmp_path: Path) -> None:
    data = feature_table(200).drop(columns="ID")
    data["genre"] = np.where(data["energy"] > 0.5, data["genre"] + ";loud", data["genre"])
    run = fit(data, tmp_path / "run", small_plan(tmp_path, folds=2))
    assert run.scores().metric == "average_precision"
    assert run.scores().score.score > run.scores().chance
    labels = predict_clips(files_of_run(run), read_clips(data.drop(columns="genre"), labelled=False)).labels()
    assert any(";" in label for label in labels)


@pytest.mark.usefixtures("hundred_trees")
def test_grouped_copies_make_a_careless_split_claim_more(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    label = rng.integers(0, 4, 60)
    features = rng.normal(size=(60, 8)) + 0.4 * label[:, None]
    rows = np.repeat(np.arange(60), 5)
    data = pd.DataFrame(features[rows] + rng.normal(scale=0.05, size=(300, 8))).rename(columns="f{}".format)
    data["label"], data["recording"] = label[rows].astype(str), rows
    (tmp_path / "plan.toml").write_text(HUNDRED)
    config = FitConfig(plan=str(tmp_path / "plan.toml"), folds=3, jobs=1)
    run = fit(data, tmp_path / "run", config)
    careless = run.scores().random_split
    assert careless.random.score > 0.95
    assert careless.honest.high < 0.9
    assert careless.leak and abs(careless.by_shares) < 0.1


def test_a_run_is_not_overwritten(run: RunFolder, table: pd.DataFrame) -> None:
    with pytest.raises(aurist.AuristError, match="holds a finished run already"):
        fit(table, run.folder)


def test_one_class_is_refused(table: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(aurist.DataError, match="at least two"):
        fit(table.assign(genre="rock"), tmp_path / "run")


def test_a_measurement_is_no_label(table: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(aurist.DataError, match="look like names or measurements"):
        fit(table, tmp_path / "run", options=ReadOptions(label="tempo"))


def test_a_row_without_any_feature_is_not_guessed_at(run: RunFolder) -> None:
    new = feature_table(5, seed=5).drop(columns="genre")
    new.loc[2, ["tempo", "energy", "valence", "noise1", "noise2", "mode"]] = np.nan
    applied = predict_clips(files_of_run(run), read_clips(new, labelled=False))
    assert list(applied.failures) == [2]
    assert applied.labels()[2] == ""
    assert all(applied.labels()[row] for row in (0, 1, 3, 4))


def test_a_metric_that_there_is_not_is_refused_at_once(table: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(aurist.ConfigError, match="f1_macro"):
        fit(table, tmp_path / "run", FitConfig(metric="f1_makro"))
    assert not (tmp_path / "run").exists()
