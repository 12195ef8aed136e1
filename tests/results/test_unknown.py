"""Sounds that were never learnt, from the fit to the predictions, through the command line and Python."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import aurist
from aurist.ensemble.model import Ensemble
from aurist.errors import ConfigError
from aurist.features.schema import Schema
from aurist.inference.predictor import Predictor
from aurist.results.unknown import learn_open_set
from aurist.run import files_of_run, open_run, read_data, training_data

from ..command import aurist as command
from ..command import done

NAMES = ["frog", "rain", "wren", "wind"]


def sounds(n: int, seed: int, labels: list[str]) -> pd.DataFrame:
    """Clips of a Gaussian for each label; the middles are the same for all seeds."""
    middles = dict(zip([*NAMES, "train"], np.random.default_rng(99).normal(0, 3, (5, 20)), strict=True))
    rng = np.random.default_rng(seed)
    label = [labels[i % len(labels)] for i in range(n)]
    rows = np.array([middles[name] for name in label]) + rng.normal(size=(n, 20))
    return pd.DataFrame(rows, columns=[f"f{i}" for i in range(20)]).assign(label=label)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unknown")
    sounds(120, 0, NAMES).to_csv(folder / "train.csv", index=False)
    sounds(60, 1, NAMES).to_csv(folder / "same.csv", index=False)
    sounds(30, 2, ["train"]).drop(columns="label").to_csv(folder / "other.csv", index=False)
    done("fit", "train.csv", "--preset", "instant", "-o", "run", cwd=folder)
    done("export", "run", "-o", "model", cwd=folder)
    return folder


def test_scores_state_what_would_be_noticed_of_a_class_that_is_left_out(folder: Path) -> None:
    scores = open_run(folder / "run").scores().unknown
    assert scores is not None
    assert set(scores.by_class) == set(NAMES)
    assert scores.auc > 0.9 and scores.called_unknown > 0.7
    printed = done("leaderboard", "run", cwd=folder).stdout
    assert "Sounds that were never learnt" in printed
    card = (folder / "model" / "README.md").read_text()
    assert scores.sentence() in card
    stated = json.loads((folder / "model" / "model.json").read_text())["unknown"]
    assert stated["called_unknown"] == scores.called_unknown


@pytest.mark.parametrize("model", ["run", "model"])
def test_predict_labels_unknown_only_if_told_to(folder: Path, model: str) -> None:
    plain = done("predict", model, "other.csv", "-o", f"{model}-plain.csv", cwd=folder)
    assert "of 30 rows are unlike what was learnt" in plain.stderr
    assert "--unknown 0.05 labels them unknown" in plain.stderr
    table = pd.read_csv(folder / f"{model}-plain.csv")
    assert set(table["label"]) <= set(NAMES)
    assert (table["likeness"] <= 0.05).mean() > 0.7
    done("predict", model, "other.csv", "--unknown", "0.05", "-o", f"{model}-told.csv", cwd=folder)
    told = pd.read_csv(folder / f"{model}-told.csv")
    assert (told["label"] == "unknown").tolist() == (told["likeness"] <= 0.05).tolist()


def test_clips_like_the_training_clips_are_seldom_unknown(folder: Path) -> None:
    answers = done("predict", "run", "same.csv", "--unknown", "0.05", "-o", "same-out.csv", cwd=folder)
    assert "unlike what was learnt" not in answers.stderr or "Labelled" in answers.stderr
    table = pd.read_csv(folder / "same-out.csv")
    assert (table["label"] == "unknown").mean() < 0.2


def test_a_share_that_is_none_and_a_run_without_the_file_are_refused(folder: Path, tmp_path: Path) -> None:
    wrong = command("predict", "run", "other.csv", "--unknown", "7", cwd=folder)
    assert wrong.returncode and "between 0 and 1" in wrong.stderr
    (folder / "run" / "openset.npz").rename(tmp_path / "openset.npz")
    try:
        older = command("predict", "run", "other.csv", "--unknown", "0.05", cwd=folder)
        assert older.returncode and "cannot tell what is unknown" in older.stderr
        assert "likeness" not in done("predict", "run", "other.csv", cwd=folder).stdout.splitlines()[0]
    finally:
        (tmp_path / "openset.npz").rename(folder / "run" / "openset.npz")


def test_python_gives_the_same(folder: Path) -> None:
    run = aurist.load(folder / "run")
    other = pd.read_csv(folder / "other.csv")
    values = run.likeness(other)
    assert ((run.predict(other, unknown=0.05) == "unknown") == (values <= 0.05)).all()
    assert "unknown" not in set(run.predict(other))


def test_the_file_holds_no_training_row(folder: Path) -> None:
    """Its arrays have the rows of classes and of directions; scores alone are one a clip."""
    with np.load(folder / "model" / "openset.npz") as arrays:
        long = {name for name in arrays if 120 in arrays[name].shape}
    assert long == {"typical"}
    assert (folder / "model" / "openset.npz").stat().st_size < 20_000


def test_labels_shuffled_at_random_show_nothing(folder: Path) -> None:
    """If labels mean nothing, no class that is left out sounds different."""
    learn = training_data(read_data(open_run(folder / "run")))
    rng = np.random.default_rng(0)
    targets = learn.examples.targets[rng.permutation(len(learn.examples.targets))]
    result = learn_open_set(replace(learn, examples=replace(learn.examples, targets=targets)))
    assert result is not None and result[1] is not None
    assert abs(result[1].auc - 0.5) < 0.12
    assert result[1].called_unknown < 0.15


def test_embeddings_are_used_if_the_ensemble_sees_their_network(folder: Path) -> None:
    learn = training_data(read_data(open_run(folder / "run")))
    inputs = learn.examples.inputs
    names = {"f0": "aurist_embedding_one_0000", "f1": "aurist_embedding_two_0000"}
    inputs = replace(inputs, features=inputs.features.rename(columns=names))
    learn = replace(learn, examples=replace(learn.examples, inputs=inputs))
    columns = {}
    for networks in ((), ("one",), ("one", "two")):
        result = learn_open_set(learn, networks)
        assert result is not None
        columns[networks] = result[0].columns.tolist()
    assert columns[()] == list(range(2, 20))
    assert columns["one",] == [0, *range(2, 20)]
    assert columns["one", "two"] == list(range(20))


def test_a_row_without_the_embeddings_has_no_likeness(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Schema, "names", [f"aurist_embedding_net_{i:04d}" for i in range(20)])
    files = files_of_run(open_run(folder / "run"))
    assert Predictor(files).open_set is not None  # the ensemble sees all features
    monkeypatch.setattr(Ensemble, "sees", lambda *_: False)
    assert Predictor(files).open_set is None
    with pytest.raises(ConfigError, match="does not see all embeddings"):
        Predictor(files).check(unknown=0.05)
