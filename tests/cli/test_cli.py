"""The real command line, as a stranger meets it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from aurist.cli.scanning import write_answers as write_predictions

from ..command import aurist, aurist_process, done

PLAN = '[[member]]\nname = "ExtraTrees"\nengine = "forest"\nsettings = {trees = 30}\n'
FIT = ("fit", "train.csv", "--label", "genre", "--test", "test.csv")


def failed(result: subprocess.CompletedProcess[str], *expected: str, code: int = 1) -> None:
    """The command ended with a message for people: no traceback, and all of what is expected in it."""
    assert result.returncode == code, result.stderr
    assert "Traceback" not in result.stderr
    for text in expected:
        assert text in result.stderr


def table(n: int = 150, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 2, n)
    return pd.DataFrame(
        {
            "ID": [f"T{i}" for i in range(n)],
            "tempo": rng.normal(100, 10, n) + 15 * label,
            "energy": rng.random(n),
            "genre": np.where(label, "rock", "folk"),
        }
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A contest's three files and a run of a small forest fitted on them."""
    folder = tmp_path_factory.mktemp("contest")
    table().to_csv(folder / "train.csv", index=False)
    test = table(60, seed=1).drop(columns="genre")
    test.to_csv(folder / "test.csv", index=False)
    pd.DataFrame({"ID": test["ID"][::-1], "genre": "folk"}).to_csv(folder / "sample.csv", index=False)
    (folder / "plan.toml").write_text(PLAN)
    done(*FIT, "-o", "run", "--plan", "plan.toml", "--folds", 3, "--jobs", 1, cwd=folder)
    return folder


def test_help_of_every_command_has_an_example() -> None:
    commands = ["check", "features", "cache", "fit", "resume", "demo", "leaderboard", "importance", "predict"]
    for command in [*commands, "evaluate"]:
        result = aurist(command, "--help")
        assert result.returncode == 0
        assert f"aurist {command}" in result.stdout, command


def test_the_leaderboard_as_a_table_and_as_json(folder: Path) -> None:
    assert "Ensemble" in aurist("leaderboard", "run", cwd=folder).stdout
    summary = json.loads(aurist("leaderboard", "run", "--json", cwd=folder).stdout)
    assert {row["model"] for row in summary["leaderboard"]} >= {"ExtraTrees", "Ensemble"}
    assert summary["scores"]["metric"] == "accuracy"


def test_ids_that_are_formulas_are_none_where_that_is_asked_for(folder: Path) -> None:
    table(3).assign(ID=["=1+1", "'-x", "T2"]).to_csv(folder / "formulas.csv", index=False)
    aurist("evaluate", "run", "formulas.csv", "-o", "scored", "--safe-csv", cwd=folder)
    written = pd.read_csv(folder / "scored" / "predictions.csv", dtype=str)
    assert written.iloc[:, 0].tolist() == ["'=1+1", "'-x", "T2"]


@pytest.mark.parametrize(("safe", "written"), [(False, "=1+1"), (True, "'=1+1")])
def test_predictions_are_written_as_asked_for(
    safe: bool, written: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = pd.DataFrame({"ID": ["=1+1"], "rock": [0.25]})
    write_predictions(answers, None, safe)
    assert capsys.readouterr().out == f"ID,rock\n{written},0.25\n"
    write_predictions(answers, tmp_path / "a.csv", safe)
    assert (tmp_path / "a.csv").read_text() == f"ID,rock\n{written},0.25\n"


def test_a_submission_follows_the_sample_and_leaves_it_alone(folder: Path) -> None:
    before = (folder / "sample.csv").read_bytes()
    result = aurist("predict", "run", "test.csv", "--submission", "sample.csv", "-o", "sub.csv", cwd=folder)
    assert result.returncode == 0, result.stderr
    made = pd.read_csv(folder / "sub.csv")
    assert made["ID"].tolist() == pd.read_csv(folder / "sample.csv")["ID"].tolist()
    assert set(made["genre"]) == {"folk", "rock"}
    assert (folder / "sample.csv").read_bytes() == before
    same = aurist("predict", "run", "test.csv", "--submission", "sample.csv", "-o", "sample.csv", cwd=folder)
    failed(same, "never written to")


def test_a_fit_by_default_and_its_predictions_on_standard_output(folder: Path) -> None:
    fitted = aurist_process(*FIT, "-o", "quick", "--preset", "quick", "--time-limit", "150s", cwd=folder)
    assert fitted.returncode == 0, fitted.stderr
    assert "ExtraTrees" in fitted.stdout and "LightGBM" in fitted.stdout
    assert "are in the training data. Expected accuracy" in fitted.stdout
    result = aurist_process("predict", "quick", "test.csv", cwd=folder)
    lines = result.stdout.splitlines()
    assert lines[0] == "id,label,likeness,folk,rock"
    assert len(lines) == 61


def test_evaluate_writes_what_it_prints(folder: Path) -> None:
    table(80, seed=4).to_csv(folder / "labelled.csv", index=False)
    result = aurist("evaluate", "run", "labelled.csv", "-o", "evaluation", cwd=folder)
    assert result.returncode == 0, result.stderr
    assert "f1_macro" in result.stdout
    assert (folder / "evaluation" / "confusion.png").stat().st_size > 1000


def test_importance_puts_the_feature_that_matters_first(folder: Path) -> None:
    result = aurist("importance", "run", "--json", cwd=folder)
    assert json.loads(result.stdout)[0]["feature"] == "tempo"
    assert (folder / "run" / "importance.png").exists()


def test_what_is_wrong_with_a_table_is_said(folder: Path) -> None:
    failed(aurist("fit", "train.csv", "--label", "gendre", "-o", "r2", cwd=folder), "Did you mean 'genre'?")
    failed(aurist("fit", "nothing.csv", "-o", "r2", cwd=folder), "nothing.csv does not exist")
    failed(aurist("fit", "train.csv", "--metric", "f1_makro", "-o", "r2", cwd=folder), "f1_macro")
    failed(aurist("fit", "train.csv", "--time-limit", "soon", "-o", "r2", cwd=folder), "write it as 90s")
    failed(
        aurist("fit", "train.csv", "--preset", "quickest", "-o", "r2", cwd=folder),
        "instant, quick, good, best",
    )
    failed(aurist("fit", "train.csv", "-o", "run", cwd=folder), "holds a finished run already")
    failed(aurist("leaderboard", "train", cwd=folder), "does not exist")
    failed(aurist("leaderboard", ".", cwd=folder), "no run folder")
    failed(aurist("fit", cwd=folder), code=2)


def test_what_is_wrong_with_a_table_to_predict_is_said(folder: Path) -> None:
    test = pd.read_csv(folder / "test.csv")
    test.drop(columns="energy").to_csv(folder / "missing.csv", index=False)
    failed(aurist("predict", "run", "missing.csv", cwd=folder), "'energy'", "missing")
    test.astype({"tempo": object}).assign(tempo=["fast", *test["tempo"][1:]]).to_csv(
        folder / "text.csv", index=False
    )
    failed(aurist("predict", "run", "text.csv", cwd=folder), "'fast'", "tempo")
    failed(aurist("predict", "run", "test.csv", "--model", "Forest", cwd=folder), "ExtraTrees")
    test.assign(colour="red").to_csv(folder / "extra.csv", index=False)
    extra = aurist("predict", "run", "extra.csv", cwd=folder)
    assert extra.returncode == 0
    assert "colour" in extra.stderr
    (folder / "empty.csv").write_text("")
    failed(aurist("predict", "run", "empty.csv", cwd=folder), "empty.csv")
    sample = pd.DataFrame({"ID": ["Z1"], "genre": ["folk"]})
    sample.to_csv(folder / "other.csv", index=False)
    wrong = aurist("predict", "run", "test.csv", "--submission", "other.csv", cwd=folder)
    failed(wrong, "1 of its 1 id was not predicted", "Z1")


def test_from_recordings_to_labels(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rate = 16000
    for genre, hertz in (("low", 300), ("high", 2500)):
        (tmp_path / "music" / genre).mkdir(parents=True)
        for i in range(14):
            t = np.arange(rate) / rate
            y = 0.3 * np.sin(2 * np.pi * hertz * rng.uniform(0.8, 1.2) * t) + 0.02 * rng.normal(size=rate)
            sf.write(tmp_path / "music" / genre / f"{i}.wav", y, rate)
    (tmp_path / "music" / "low" / "broken.wav").write_bytes(b"RIFFnothing")
    cache = ("--cache-dir", tmp_path / "cache")
    check = aurist("check", "music", *cache, cwd=tmp_path)
    assert check.returncode == 0, check.stderr
    assert "broken.wav" in check.stdout
    (tmp_path / "plan.toml").write_text(PLAN)
    limits = ("--plan", "plan.toml", "--folds", 2, "--jobs", 1)
    fit = done("fit", "music", "-o", "run", *limits, *cache, cwd=tmp_path)
    assert "left out: 1 of 29" in fit.stderr
    assert "broken" in (tmp_path / "run" / "quarantine.csv").read_text()
    new = tmp_path / "new"
    new.mkdir()
    sf.write(new / "a.wav", 0.3 * np.sin(2 * np.pi * 320 * np.arange(rate) / rate), rate)
    (new / "b.wav").write_bytes(b"")
    predict = aurist("predict", "run", "new", "-o", "out.csv", *cache, cwd=tmp_path)
    assert predict.returncode == 0, predict.stderr
    assert "b.wav" in predict.stderr
    out = pd.read_csv(tmp_path / "out.csv")
    assert out["path"].tolist() == ["a.wav", "b.wav"]
    assert out["label"].iloc[0] == "low"
    assert pd.isna(out["label"].iloc[1])
    features = aurist("features", "music", "-o", "features.parquet", *cache, cwd=tmp_path)
    assert features.returncode == 0, features.stderr
    assert len(pd.read_parquet(tmp_path / "features.parquet")) == 29
    failed(aurist("predict", "run", "features.csv", cwd=tmp_path), "does not exist")


def test_options_that_would_say_nothing_are_refused(folder: Path) -> None:
    for command in (("fit",), ("tune", "--recipe", "mel-cnn")):
        result = aurist(
            *command, folder / "train.csv", "--window", "3", "--group-by", "day", "-o", folder / "idle"
        )
        assert result.returncode == 1
        assert "--window, --group-by: only for annotated recordings" in result.stderr
        result = aurist(
            *command, folder, "--annotations", folder, "--group", "a", "--id", "b", "-o", folder / "idle"
        )
        assert result.returncode == 1
        assert "--group, --id: not allowed with --annotations" in result.stderr
        result = aurist(*command, folder, "--verdicts", folder, "--group", "a", "-o", folder / "idle")
        assert result.returncode == 1 and "--group: not allowed with --verdicts" in result.stderr
        assert not (folder / "idle").exists()


def test_what_was_not_foreseen_is_called_a_bug_and_its_traceback_kept(monkeypatch, capsys, tmp_path):
    from aurist import cli

    def broken() -> None:
        raise KeyError("x\x1b[31m")

    monkeypatch.setattr(cli, "app", broken)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.delenv("AURIST_DEBUG", raising=False)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    message = capsys.readouterr().err
    assert ended.value.code == 1 and "Traceback" not in message and "\x1b" not in message
    (kept,) = tmp_path.iterdir()
    assert str(kept) in message and "KeyError" in kept.read_text()
    monkeypatch.setenv("AURIST_DEBUG", "1")
    with pytest.raises(KeyError):
        cli.main()
