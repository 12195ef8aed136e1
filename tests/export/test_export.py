"""A run as a model folder: the same answers, no training data, and nothing hostile is opened."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import aurist
from aurist.automl.fit import fit
from aurist.clips.read import read_clips
from aurist.errors import ConfigError, DataError, RunError
from aurist.export import ExportOptions, export_run, verify_model
from aurist.inference.predict import predict_clips
from aurist.results.evaluation import evaluate_run
from aurist.run import RunFolder, files_of_run, open_model

from ..small_run import feature_table, small_plan


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = tmp_path_factory.mktemp("run")
    return fit(feature_table(), folder / "run", small_plan(folder))


@pytest.fixture(scope="module")
def exported(run: RunFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_run(run, tmp_path_factory.mktemp("export") / "model").folder


@pytest.fixture
def copy(exported: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(exported, tmp_path / "model"))


def new_rows() -> pd.DataFrame:
    return feature_table(50, seed=7).drop(columns="genre")


def test_new_rows_are_answered_as_by_the_run(run: RunFolder, exported: Path) -> None:
    clips = read_clips(new_rows(), labelled=False)
    for model in (None, "ExtraTrees", "Logistic"):
        by_run = predict_clips(files_of_run(run), clips, model=model)
        by_model = predict_clips(open_model(exported), clips, model=model)
        assert not by_run.seen.any()
        np.testing.assert_array_equal(by_model.proba, by_run.proba)
    assert [path.name for path in exported.rglob("*.pkl")] == []
    assert sum(path.stat().st_size for path in exported.rglob("*") if path.is_file()) < 1_000_000


def test_rows_of_the_training_data_leave_only_if_asked(
    run: RunFolder, exported: Path, tmp_path: Path
) -> None:
    clips = read_clips(feature_table().drop(columns="genre"), labelled=False)
    by_run = predict_clips(files_of_run(run), clips)
    assert by_run.seen.all()
    without = predict_clips(open_model(exported), clips)
    assert not without.seen.any()
    assert not np.allclose(without.proba, by_run.proba)
    folder = export_run(run, tmp_path / "model", ExportOptions(with_duplicates=True)).folder
    np.testing.assert_array_equal(predict_clips(open_model(folder), clips).proba, by_run.proba)


def test_one_row_of_the_leaderboard(run: RunFolder, tmp_path: Path) -> None:
    result = export_run(run, tmp_path / "model", ExportOptions("Logistic", licence="CC0-1.0"))
    assert result.members == ("Logistic",)
    clips = read_clips(new_rows(), labelled=False)
    expected = predict_clips(files_of_run(run), clips, model="Logistic").proba
    np.testing.assert_array_equal(predict_clips(open_model(result.folder), clips).proba, expected)
    board = run.leaderboard().set_index("model")
    assert result.score.score == pytest.approx(board.loc["Logistic", "score"])
    assert 'license: "CC0-1.0"' in (result.folder / "README.md").read_text()
    with pytest.raises(ConfigError, match="no model 'Nothing'"):
        export_run(run, tmp_path / "other", ExportOptions("Nothing"))


def test_a_model_that_cannot_be_exported_is_left_out_and_the_rest_is_scored(
    run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aurist.models.base import NotPortableError
    from aurist.models.forest import ForestEngine

    def refuse(*_: object) -> list[Path]:
        raise NotPortableError("it is stored as pickles")

    monkeypatch.setattr(ForestEngine, "portable_files", refuse)
    result = export_run(run, tmp_path / "model")
    assert result.left_out == {"ExtraTrees": "it is stored as pickles"}
    assert result.members == ("Logistic",)
    assert result.against_whole is not None
    clips = read_clips(new_rows(), labelled=False)
    proba = predict_clips(open_model(result.folder), clips).proba
    # calibrated again, but in the order of the one model that is left
    alone = predict_clips(files_of_run(run), clips, model="Logistic").proba
    assert (proba.argmax(axis=1) == alone.argmax(axis=1)).all()
    assert "ExtraTrees" in (result.folder / "README.md").read_text()


def test_one_model_of_each_kind_on_all_clips(run: RunFolder, exported: Path, tmp_path: Path) -> None:
    result = export_run(run, tmp_path / "small", ExportOptions(refit=True))
    assert sorted(path.name for path in result.folder.glob("models/*/*")) == ["fold0", "fold0"]
    test = feature_table(300, seed=9)
    scores = [
        evaluate_run(open_model(folder), test).scores["all rows"].set_index("metric").loc["accuracy", "score"]
        for folder in (exported, result.folder)
    ]
    assert scores[1] == pytest.approx(scores[0], abs=0.05)
    assert "one model of each kind" in (result.folder / "README.md").read_text()
    assert verify_model(result.folder).difference == 0
    assert result.score == export_run(run, tmp_path / "again").score


def test_evaluate_and_python(run: RunFolder, exported: Path) -> None:
    test = feature_table(60, seed=8)
    by_run, by_model = (
        evaluate_run(files, test).scores for files in (files_of_run(run), open_model(exported))
    )
    pd.testing.assert_frame_equal(by_model["all rows"], by_run["all rows"])
    model = aurist.load(exported)
    assert model.classes == ("folk", "rap", "rock")
    assert model.score.score == pytest.approx(run.scores().score.score)
    assert set(model.leaderboard()["model"]) == {"Ensemble", "ExtraTrees", "Logistic"}
    assert list(model.predict(new_rows())) == list(aurist.load(run.folder).predict(new_rows()))
    with pytest.raises(RunError, match="is an exported model, without the data"):
        model.importance()


def test_verify(copy: Path) -> None:
    result = verify_model(copy)
    assert result.difference == 0
    assert result.n_files > 6
    path = next(copy.rglob("forest.npz"))
    data = bytearray(path.read_bytes())
    data[200] ^= 1
    path.write_bytes(data)
    with pytest.raises(RunError, match=r"SHA-256 of these files differs:\n\s*models/ExtraTrees"):
        verify_model(copy)


def test_an_answer_that_differs_is_reported(copy: Path) -> None:
    content = json.loads((copy / "model.json").read_text())
    content["example"]["proba"]["rap"] += 0.01
    (copy / "model.json").write_text(json.dumps(content))
    with pytest.raises(RunError, match=r"differently on this machine: a probability differs by 0\.01"):
        verify_model(copy)


def test_only_model_folders_are_replaced(run: RunFolder, copy: Path, tmp_path: Path) -> None:
    export_run(run, copy)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("years of work")
    with pytest.raises(DataError, match="no model folder; it is not overwritten"):
        export_run(run, tmp_path / "other")
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def changed(change: Callable[[dict], object]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        content = json.loads((folder / "model.json").read_text())
        change(content)
        (folder / "model.json").write_text(json.dumps(content))

    return damage


def list_path(name: str) -> Callable[[Path], None]:
    return changed(lambda content: content["files"].update({name: {"size": 1, "sha256": ""}}))


def name_member(name: str) -> Callable[[Path], None]:
    def rename(content: dict) -> None:
        content["ensemble"]["members"][0]["name"] = name
        content["ensemble"]["weights"] = {"Ensemble": [{name: 1.0}] * content["n_folds"]}

    return changed(rename)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (list_path("../secret"), r"'\.\./secret' leads out of the folder"),
        (list_path("/etc/passwd"), "'/etc/passwd' leads out of the folder"),
        (list_path("C:\\secret"), "leads out of the folder"),
        (list_path("models/none.npz"), "models/none.npz is missing"),
        (name_member("../../etc"), "The name of a model is '../../etc'"),
        (lambda folder: (folder / "models" / "code.pkl").write_bytes(b"x"), "models/code.pkl is not listed"),
        (lambda folder: (folder / "setup.py").write_text("x"), "setup.py is not listed"),
        (lambda folder: next(folder.rglob("forest.npz")).write_bytes(b""), "0 bytes, and"),
        (lambda folder: next(folder.rglob("classic.npz")).unlink(), "classic.npz is missing"),
        (lambda folder: (folder / "model.json").write_text("{"), r"model\.json is damaged"),
        (changed(lambda content: content.update(format=99)), "of format 99"),
        (changed(lambda content: content.update(classes="abc")), "classes"),
        (changed(lambda content: content.pop("ensemble")), "there is no ensemble"),
        (changed(lambda content: content.update(n_folds=10**9)), "n_folds is 1000000000"),
        (changed(lambda content: content.update(run="x")), "run"),
    ],
)
def test_a_hostile_or_damaged_folder_is_refused(
    copy: Path, damage: Callable[[Path], object], message: str
) -> None:
    damage(copy)
    with pytest.raises((RunError, ConfigError), match=message):
        open_model(copy)


def test_a_link_out_of_the_folder_is_refused(copy: Path, tmp_path: Path) -> None:
    path = next(copy.rglob("forest.npz"))
    shutil.move(path, tmp_path / "elsewhere.npz")
    path.symlink_to(tmp_path / "elsewhere.npz")
    with pytest.raises(RunError, match="is missing"):
        open_model(copy)


def test_the_commands(run: RunFolder, tmp_path: Path) -> None:
    def aurist_command(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "aurist", *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    new_rows().to_csv(tmp_path / "new.csv", index=False)
    done = aurist_command("export", str(run.folder), "-o", "model")
    assert done.returncode == 0, done.stderr
    assert "check it with: aurist verify model" in done.stderr + done.stdout
    assert aurist_command("verify", "model").returncode == 0
    answers = [aurist_command("predict", folder, "new.csv").stdout for folder in (str(run.folder), "model")]
    assert answers[0] == answers[1] != ""
    (tmp_path / "model" / "models" / "more.pkl").write_bytes(b"")
    refused = aurist_command("predict", "model", "new.csv")
    assert refused.returncode == 1
    assert "more.pkl is not listed" in refused.stderr
    assert "Traceback" not in refused.stderr
