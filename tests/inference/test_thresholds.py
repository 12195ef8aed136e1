"""Thresholds in a run: kept, used, told of honestly, chosen anew for a precision."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aurist.automl.fit import fit
from aurist.clips import Clips, make_clips
from aurist.config import FitConfig
from aurist.detection.thresholds import event_thresholds
from aurist.ensemble.thresholds import SILENT, default_thresholds, f1_thresholds, precision_thresholds
from aurist.errors import ConfigError
from aurist.inference.predict import predict_clips
from aurist.inference.thresholds import thresholds_of
from aurist.metrics import metric
from aurist.report import write_report
from aurist.results.evaluation import evaluate_run
from aurist.run import RunFolder, files_of_run, read_data

from ..command import aurist, done

PLAN = '[[member]]\nname = "Forest"\nengine = "forest"\n[member.settings]\ntrees = 50\n'
NAMES = ("common", "odd", "rare")


def several(n: int, seed: int, shuffled: bool = False, unannotated: str = "absent") -> Clips:
    """Clips of three classes that come apart less well the rarer they are; one of them is never sure."""
    rng = np.random.default_rng(seed)
    truth = rng.random((n, 3)) < (0.4, 0.2, 0.08)
    features = pd.DataFrame(
        rng.normal(size=(n, 4)) + np.column_stack([truth, truth[:, 0]]) * (3.0, 1.0, 2.0, 2.0)
    )
    if shuffled:
        truth = rng.permutation(truth)
    labels = [tuple(np.array(NAMES)[row]) for row in truth]
    return make_clips(
        labels,
        absent=[tuple(np.array(NAMES)[~row]) for row in truth] if unannotated == "unknown" else None,
        features=features.set_axis(list("wxyz"), axis=1),
        multilabel=True,
        unannotated="unknown" if unannotated == "unknown" else "absent",
    )


def fitted(clips: Clips, folder: Path) -> RunFolder:
    (folder / "plan.toml").write_text(PLAN)
    config = FitConfig(plan=str(folder / "plan.toml"), metric="average_precision", folds=3, jobs=1)
    return fit(clips, folder / "run", config)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return fitted(several(400, 0), tmp_path_factory.mktemp("several"))


def out_of_fold(run: RunFolder) -> tuple[np.ndarray, np.ndarray]:
    predictions = run.out_of_fold(NAMES)["Ensemble"]
    clips = read_data(run).clips
    rows = pd.Index(clips.table["clip_id"]).get_indexer(pd.Index(predictions.clip_id))
    return predictions.proba, clips.targets(NAMES)[rows]


def test_labels_are_named_by_the_thresholds_that_are_kept(run: RunFolder) -> None:
    kept = json.loads((run.folder / "thresholds.json").read_text())
    chosen = np.array([kept["Ensemble"][name] for name in NAMES])
    proba, truth = out_of_fold(run)
    data = read_data(run)
    assert np.allclose(chosen, default_thresholds(proba, truth, data.groups, data.folds), atol=1e-6)
    best = f1_thresholds(proba, truth)
    assert (np.isclose(chosen, best, atol=1e-6) | (chosen == 0.5)).all() and (chosen != 0.5).any()
    assert set(kept) == set(run.leaderboard()["model"])
    new = several(300, 9)
    applied = predict_clips(files_of_run(run), new)
    expected = [";".join(np.array(NAMES)[row >= chosen]) for row in applied.proba]
    assert applied.labels() == expected == applied.to_frame()["label"].tolist()
    assert expected != [";".join(np.array(NAMES)[row > 0.5]) for row in applied.proba]
    (run.folder / "thresholds.json").rename(run.folder / "gone")  # a run of before
    old = predict_clips(files_of_run(run), new).labels()
    (run.folder / "gone").rename(run.folder / "thresholds.json")
    assert old == [";".join(np.array(NAMES)[row > 0.5]) for row in applied.proba]


def test_what_the_run_says_of_its_labels_is_nested_and_printed(
    run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decisions = run.scores().decisions
    proba, truth = out_of_fold(run)
    for name in ("f1_macro", "f1_micro"):
        scores = decisions[name]
        assert scores.at_half.score == pytest.approx(metric(name)(truth, proba, multilabel=True))
        assert scores.thresholds.low < scores.thresholds.score < scores.thresholds.high
    assert decisions["f1_macro"].thresholds.score > decisions["f1_macro"].at_half.score
    monkeypatch.setenv("COLUMNS", "1000")
    shown = done("leaderboard", run.folder).stdout
    assert f"f1_macro {decisions['f1_macro'].thresholds.score:.3f}" in shown
    assert f"(at 0.5 {decisions['f1_macro'].at_half.score:.3f}" in shown
    write_report(run, tmp_path / "report.html")
    assert f"{decisions['f1_micro'].thresholds.score:.3f}" in (tmp_path / "report.html").read_text("utf-8")


def test_an_evaluation_scores_what_is_named(run: RunFolder, tmp_path: Path) -> None:
    new = several(300, 9)
    evaluation = evaluate_run(files_of_run(run), new)
    scores = evaluation.scores["all rows"].set_index("metric")["score"]
    named = evaluation.applied.named().astype(float)
    truth = new.targets(NAMES)
    for name in ("f1_macro", "f1_micro", "accuracy"):
        assert scores[name] == pytest.approx(metric(name)(truth, named, multilabel=True))
    assert scores["average_precision"] == pytest.approx(metric("map")(truth, evaluation.applied.proba))
    assert evaluation.per_class["f1"].mean() == pytest.approx(scores["f1_macro"])


def test_for_a_precision_thresholds_are_chosen_anew(run: RunFolder) -> None:
    new = several(3000, 7)
    applied = predict_clips(files_of_run(run), new, precision=0.8)
    assert applied.thresholds is not None
    assert np.array_equal(applied.thresholds, precision_thresholds(*out_of_fold(run), 0.8))
    named, truth = applied.named(), new.targets(NAMES) == 1
    assert named[:, 0].any() and truth[named[:, 0], 0].mean() > 0.78
    surer = predict_clips(files_of_run(run), new, precision=0.99)
    assert surer.thresholds is not None and np.isinf(surer.thresholds[1])
    assert not surer.named()[:, 1].any()
    assert any("precision of 0.99" in note and "odd" in note for note in surer.notes)
    with pytest.raises(ConfigError, match="between 0 and 1"):
        thresholds_of(files_of_run(run), precision=90)
    with pytest.raises(ConfigError, match="no model 'X'"):
        thresholds_of(files_of_run(run), "X", 0.9)


def test_a_run_of_one_label_a_clip_has_none(tmp_path: Path) -> None:
    table = pd.DataFrame({"x": np.arange(60) % 2 + np.random.default_rng(0).normal(0, 0.3, 60)})
    clips = make_clips([(("a", "b")[i % 2],) for i in range(60)], features=table)
    run = fitted_single(clips, tmp_path)
    assert not (run.folder / "thresholds.json").exists() and thresholds_of(files_of_run(run)) is None
    with pytest.raises(ConfigError, match="several labels"):
        predict_clips(files_of_run(run), clips, precision=0.9)


def fitted_single(clips: Clips, folder: Path) -> RunFolder:
    (folder / "plan.toml").write_text(PLAN)
    config = FitConfig(plan=str(folder / "plan.toml"), folds=2, jobs=1)
    return fit(clips, folder / "run", config)


def test_labels_shuffled_at_random_are_named_by_chance(tmp_path: Path) -> None:
    run = fitted(several(400, 3, shuffled=True), tmp_path)
    _, truth = out_of_fold(run)
    p = truth.mean(axis=0)
    chance = np.mean(2 * p / (1 + p))  # who names every class everywhere
    interval = run.scores().decisions["f1_macro"].thresholds
    assert interval.score < chance + 0.05
    assert interval.low < chance


def test_what_is_confirmed_absent_counts_as_what_is_not_listed(tmp_path: Path, run: RunFolder) -> None:
    """Where all is known, by whatever spelling, all is the same."""
    other = fitted(several(400, 0, unannotated="unknown"), tmp_path)
    assert (other.folder / "thresholds.json").read_text() == (run.folder / "thresholds.json").read_text()
    assert other.scores().score == run.scores().score


def test_a_class_without_skill_is_silent_and_marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clips = several(400, 3)
    rng = np.random.default_rng(1)
    labels = [
        tuple(sorted({*labels, "noise"})) if rng.random() < 0.1 else labels
        for labels in clips.table["labels"]
    ]
    clips = make_clips(
        labels, features=clips.table[list(clips.features)].reset_index(drop=True), multilabel=True
    )
    run = fitted(clips, tmp_path)
    kept = json.loads((run.folder / "thresholds.json").read_text())["Ensemble"]
    assert kept["noise"] == SILENT and kept["common"] < 1
    monkeypatch.setenv("COLUMNS", "1000")
    sentence = (
        "No skill: 1 of 4 classes is not surely better than chance (out of fold), and never predicted: noise"
    )
    assert sentence in done("leaderboard", run.folder).stdout
    applied = predict_clips(files_of_run(run), several(50, 9))
    assert sentence in applied.notes and not any("noise" in label for label in applied.labels())
    write_report(run, tmp_path / "report.html")
    assert 'noise <span class="muted">no skill</span>' in (tmp_path / "report.html").read_text("utf-8")


def test_false_alarms_are_those_of_windows(run: RunFolder, tmp_path: Path) -> None:
    refused = aurist("evaluate", run.folder, "--quiet-recordings", tmp_path)
    assert refused.returncode and "was not fitted on windows of annotated recordings" in refused.stderr
    with pytest.raises(ConfigError, match="annotated recordings only"):
        event_thresholds(files_of_run(run), false_alarms=1.0)
