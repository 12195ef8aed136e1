"""Pretrained networks on the command line: fit, predict, a long recording, export."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

import aurist as aurist_api
from aurist.embedders import EmbedderSpec
from aurist.embedders.network import Network, open_embedder
from aurist.features.matrix import EMBEDDED
from aurist.inference.embedding import opened

from ..command import aurist
from ..embedders.networks import RATE, write_onnx

PLAN = """
[[member]]
name = "ExtraTrees"
engine = "forest"
settings = {trees = 20}

[[member]]
name = "Logistic_ear"
engine = "classic"
settings = {kind = "logistic", view = "ear"}
"""
EAR = """\
sample_rate = 8000
seconds = 0.5
output = "hidden"
licence = "MIT"
redistribute = true
trained_on = ["three tones"]
overlaps = ["all tones"]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty tones, low and high, a network, and a plan."""
    folder = tmp_path_factory.mktemp("embeddings")
    rng = np.random.default_rng(0)
    t = np.arange(RATE) / RATE
    for i in range(30):
        kind, hz = (("low", 300), ("high", 2500))[i % 2]
        (folder / "data" / kind).mkdir(parents=True, exist_ok=True)
        wave = 0.3 * np.sin(2 * np.pi * hz * t + rng.uniform(0, 6)) + 0.05 * rng.normal(size=RATE)
        sf.write(folder / "data" / kind / f"{i}.wav", wave, RATE)
    (folder / "home").mkdir()
    write_onnx(folder / "home" / "ear.onnx", divide=True)
    (folder / "home" / "ear.toml").write_text(EAR)
    (folder / "plan.toml").write_text(PLAN)
    return folder


@pytest.fixture(autouse=True)
def home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AURIST_EMBEDDERS", str(folder / "home"))
    monkeypatch.setenv("AURIST_CACHE_DIR", str(folder / "cache"))


def fit(folder: Path, *arguments: object) -> str:
    done = aurist(
        "fit", folder / "data", "--plan", folder / "plan.toml", "--folds", 2, "--jobs", 1, *arguments
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def run(folder: Path) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AURIST_EMBEDDERS", str(folder / "home"))
        patch.setenv("AURIST_CACHE_DIR", str(folder / "cache"))
        printed = fit(folder, "--embed", "ear", "-o", folder / "run")
    assert "Pretrained: ear learnt from three tones" in " ".join(printed.split())
    return folder / "run"


def test_embeddings_are_features_and_a_model_sees_them_alone(run: Path) -> None:
    features = pd.read_parquet(run / "features.parquet")
    assert [name for name in features if name.startswith(EMBEDDED)] == [
        f"{EMBEDDED}ear_{i:04d}" for i in range(6)
    ]
    board = pd.read_csv(run / "leaderboard.csv").set_index("model")
    assert board.loc["Logistic_ear", "score"] == 1
    cautions = json.loads((run / "scores.json").read_text())["cautions"]
    assert any("such as all tones" in caution for caution in cautions)


def test_new_clips_long_recordings_and_a_model_folder(folder: Path, run: Path, tmp_path: Path) -> None:
    new = tmp_path / "new"
    shutil.copytree(folder / "data", new)
    sf.write(new / "silence.wav", np.zeros(RATE), RATE)  # the network divides by its sum: no numbers
    model = tmp_path / "model"
    assert aurist("export", run, "--model", "Logistic_ear", "-o", model).returncode == 0
    assert (model / "embedders" / "ear" / "ear.onnx").exists() and "three tones" in (
        model / "README.md"
    ).read_text()
    assert aurist("verify", model).returncode == 0
    answers = []
    for trained in (run, model):
        done = aurist("predict", trained, new, "--model", "Logistic_ear", "-o", tmp_path / "out.csv")
        assert done.returncode == 0, done.stderr
        table = pd.read_csv(tmp_path / "out.csv")
        silent = table["path"].str.contains("silence")
        assert (table["label"][~silent] == table["path"][~silent].str.split("/").str[0]).all()
        assert (
            table["label"][silent].isna().all() and "ear gives no numbers (NaN)" in done.stdout + done.stderr
        )
        answers.append(table)
    pd.testing.assert_frame_equal(answers[0], answers[1])


def test_a_model_that_does_not_see_a_network_does_not_need_it(
    folder: Path, run: Path, tmp_path: Path
) -> None:
    plan = PLAN.replace("Logistic_ear", "Logistic_features").replace('view = "ear"', 'view = "features"')
    (tmp_path / "plan.toml").write_text(plan)
    given = (
        "fit",
        folder / "data",
        "--plan",
        tmp_path / "plan.toml",
        "--folds",
        2,
        "--jobs",
        1,
        "--embed",
        "ear",
    )
    assert aurist(*given, "-o", tmp_path / "run").returncode == 0
    clip = folder / "data" / "low" / "0.wav"
    before = aurist("predict", tmp_path / "run", clip, "--model", "Logistic_features").stdout
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AURIST_EMBEDDERS", str(tmp_path / "nothing"))
        opened.cache_clear()
        done = aurist("predict", tmp_path / "run", clip, "--model", "Logistic_features")
        assert done.returncode == 0 and done.stdout == before
        done = aurist("predict", tmp_path / "run", clip, "--model", "ExtraTrees")
        assert done.returncode == 1 and "is not on this machine" in done.stderr


def test_windows_of_a_long_recording(folder: Path, run: Path, tmp_path: Path) -> None:
    low, high = (sf.read(folder / "data" / name)[0] for name in ("low/0.wav", "high/1.wav"))
    sf.write(tmp_path / "long.wav", np.concatenate([low, high, low]), RATE)
    events = aurist_api.load(run).detect(
        tmp_path / "long.wav", window=1.0, overlap=0.0, model="Logistic_ear", min_score=0.5, jobs=1
    )
    assert events.sort_values("start")["label"].tolist() == ["low", "high", "low"]


def test_without_a_name_those_of_this_machine_are_used_and_no_embed_leaves_them_out(
    folder: Path, tmp_path: Path
) -> None:
    quick = ("--preset", "quick", "--time-limit", "60", "--engine", "autogluon", "--jobs", 1, "--folds", 2)
    done = aurist("fit", folder / "data", *quick, "--dry-run")
    assert "embeddings: ear, about" in done.stderr and "Logistic_ear" in done.stdout
    assert "plan: embeddings: ear took" in done.stderr
    done = aurist("fit", folder / "data", *quick, "--dry-run", "--no-embed")
    assert "embeddings" not in done.stderr and "Logistic_ear" not in done.stdout


def test_a_fit_opens_a_network_once_and_another_file_anew(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AURIST_EMBEDDERS", str(shutil.copytree(folder / "home", tmp_path / "home")))
    opened_networks = []

    def counted(spec: EmbedderSpec, path: Path) -> tuple[Network, int]:
        opened_networks.append(path.name)
        return open_embedder(spec, path)

    monkeypatch.setattr("aurist.embedders.clips.open_embedder", counted)
    given = ("--preset", "quick", "--engine", "autogluon", "--jobs", 1, "--folds", 2, "--dry-run")
    assert aurist("fit", folder / "data", *given).returncode == 0
    assert opened_networks == ["ear.onnx"], "it is timed, and used"
    write_onnx(tmp_path / "home" / "ear.onnx", seed=1)
    assert aurist("fit", folder / "data", *given).returncode == 0
    assert opened_networks == ["ear.onnx"] * 2


def test_a_slow_network_is_used_where_its_vectors_are_stored(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AURIST_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr("aurist.automl.embedders._seconds_per_window", lambda embedder: 1000.0)
    quick = ("fit", folder / "data", "--preset", "quick", "--engine", "autogluon", "--jobs", 1, "--dry-run")
    assert "embeddings: ear would need about" in aurist(*quick).stderr
    assert aurist(*quick, "--embed", "ear").returncode == 0
    assert "embeddings: ear, about 0 s" in aurist(*quick).stderr


def test_a_licence_is_accepted_once(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    shutil.copytree(folder / "home", home)
    (home / "ear.toml").write_text(EAR.replace('"MIT"', '"CC BY-NC 4.0"') + "commercial = false\n")
    monkeypatch.setenv("AURIST_EMBEDDERS", str(home))
    plan = ("--plan", folder / "plan.toml", "--folds", 2, "--jobs", 1)
    done = aurist("fit", folder / "data", *plan, "--embed", "ear", "-o", tmp_path / "run")
    assert done.returncode == 1 and "--accept-licence ear" in done.stderr and not (tmp_path / "run").exists()
    assert json.loads(aurist("embedders", "--json").stdout)["ear"]["accepted"] is False
    monkeypatch.setenv("COLUMNS", "200")
    assert "licence to accept" in aurist("embedders").stdout
    done = aurist(
        "fit", folder / "data", "--preset", "quick", "--engine", "autogluon", "--dry-run", "--jobs", 1
    )
    assert "ear is installed, and not used" in done.stderr
    done = aurist(
        "fit", folder / "data", *plan, "--accept-licence", "ear", "--embed", "ear", "-o", tmp_path / "run"
    )
    assert done.returncode == 0, done.stderr
    assert "no commercial use" in " ".join(done.stdout.split())
    assert json.loads(aurist("embedders", "--json").stdout)["ear"]["accepted"] is True


def test_a_model_folder_names_a_network_that_it_may_not_hold(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    shutil.copytree(folder / "home", home)
    (home / "ear.toml").write_text(EAR.replace("redistribute = true", 'source = "a shop"'))
    monkeypatch.setenv("AURIST_EMBEDDERS", str(home))
    fit(folder, "--embed", "ear", "-o", tmp_path / "run")
    assert aurist("export", tmp_path / "run", "-o", tmp_path / "model").returncode == 0
    assert not (tmp_path / "model" / "embedders" / "ear" / "ear.onnx").exists()
    (home / "ear.onnx").unlink()
    done = aurist("predict", tmp_path / "model", folder / "data" / "low" / "0.wav")
    assert done.returncode == 1 and "a shop" in done.stderr and "Traceback" not in done.stderr


def test_the_list_and_one_embedder(folder: Path, tmp_path: Path) -> None:
    listed = aurist("embedders").stdout
    assert "ear" in listed and "ready" in listed and "perch-v2: Put perch_v2.onnx into" in listed
    assert json.loads(aurist("embedders", "--json").stdout)["ear"]["ready"] is True
    shown = aurist("embedders", "ear", "--sound", folder / "data" / "low" / "0.wav")
    assert 'output = "hidden"' in shown.stdout and "vectors of 6 numbers" in shown.stdout + shown.stderr
    fused = aurist("embedders", "ear", "--fuse", tmp_path / "new.onnx")
    assert fused.returncode == 0 and (tmp_path / "new.toml").exists()
    done = aurist("embedders", "ear", "--classify", folder / "data" / "low" / "0.wav")
    assert done.returncode == 1 and "names no classes" in done.stderr
    (folder / "home" / "six.toml").write_text(
        EAR + 'file = "ear.onnx"\nclasses = "six.txt"\nscores = "product"\n'
    )
    (folder / "home" / "six.txt").write_text("".join(f"tone {i}\n" for i in range(6)))
    try:
        done = aurist("embedders", "six", "--classify", folder / "data" / "low" / "0.wav", "-n", 2)
        assert done.returncode == 0, done.stderr
        assert "highest of 6 classes of six" in " ".join(done.stdout.split())
        assert done.stdout.count("tone ") == 2
        every = json.loads(
            aurist("embedders", "six", "--classify", folder / "data" / "low" / "0.wav", "--json").stdout
        )
        assert len(every) == 6 and list(every[0]) == ["class", "score", "start", "end"]
    finally:
        (folder / "home" / "six.toml").unlink()
    done = aurist("embedders", "no-such")
    assert done.returncode == 1 and "`aurist embedders` lists them" in done.stderr


def test_a_table_of_features_has_no_sound(folder: Path, tmp_path: Path) -> None:
    pd.DataFrame({"label": ["a", "b"] * 10, "tempo": range(20)}).to_csv(tmp_path / "t.csv", index=False)
    done = aurist("fit", tmp_path / "t.csv", "--embed", "ear", "-o", tmp_path / "run")
    assert done.returncode == 1 and "The embedder ear makes features of sound" in done.stderr
