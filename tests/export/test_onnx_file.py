"""One ONNX file from waveform to probabilities answers as the models that it was made of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aurist.ensemble.model import Ensemble, PriorCorrection
from aurist.errors import ConfigError
from aurist.export.onnx_file import check_onnx, export_onnx, writing
from aurist.export.onnx_file.check import open_onnx
from aurist.features.schema import Schema
from aurist.metrics import Interval
from aurist.models.base import ModelSpec, Task
from aurist.models.network_member import recipe_member
from aurist.plan import ENSEMBLE
from aurist.recipes import Recipe
from aurist.run import ModelFiles
from aurist.run.spec import RunSpec

from ..command import aurist
from ..models.sounds import CLASSES, RATE, tiny
from ..models.untrained import write_fold

pytest.importorskip("timm")


@pytest.fixture(autouse=True)
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AURIST_ENGINE", "onnxruntime")
    monkeypatch.setattr(writing, "score_of", lambda *_: (Interval(0.8, 0.7, 0.9), "accuracy"))


def model_files(
    folder: Path,
    members: dict[str, list[tuple[Recipe, int]]],
    *,
    poolings: dict[str, str] | None = None,
    multilabel: bool = False,
    unseen: tuple[int, ...] = (),
    others: tuple[str, ...] = (),
) -> ModelFiles:
    """Untrained networks by member and fold, blended with weights and temperatures."""
    specs = {}
    for number, (name, folds) in enumerate(members.items()):
        for fold, (recipe, n_samples) in enumerate(folds):
            write_fold(
                folder / "models" / name / f"fold{fold}",
                recipe,
                n_samples,
                seed=10 * number + fold,
                unseen=unseen if fold else (),
            )
        settings = {**recipe_member(folds[0][0]).settings, "pooling": (poolings or {}).get(name, "mean")}
        specs[name] = ModelSpec(name, "network", settings)
    specs |= {name: ModelSpec(name, "forest", {}) for name in others}
    n_folds = len(next(iter(members.values())))
    weights = {name: 1.0 + number for number, name in enumerate(specs)}
    ensemble = Ensemble(
        specs,
        {},
        {ENSEMBLE: [{name: w / sum(weights.values()) for name, w in weights.items()}] * n_folds},
        {ENSEMBLE: {name: 0.5 + number for number, name in enumerate(specs)}},
        1.7,
        PriorCorrection(0.0 if multilabel else 0.4, np.array([0.5, 0.3, 0.2])),
        multilabel,
    )
    task = Task(CLASSES, multilabel, "accuracy", jobs=1)
    spec = RunSpec(task, Schema(()), None, None)
    return ModelFiles(folder, "Export it again.", spec, ensemble, {}, (), None, n_folds)


def mel_cnn(**parts: dict[str, Any]) -> Recipe:
    return tiny(**{"network": {"backbone": "mel_cnn"}, "training": {"top_k": 1}, **parts})


def test_an_ensemble_of_networks_for_every_batch_and_length(tmp_path: Path) -> None:
    own = mel_cnn(window={"seconds": 0.5, "hop": 0.2, "skip_silence": True})
    other = tiny(front={"n_mels": 24}, window={"seconds": 0.3, "pad": "repeat"})
    files = model_files(
        tmp_path,
        {"own": [(own, 4000), (own, 3000)], "other": [(other, 2400), (other, 2400)]},
        poolings={"own": "top3", "other": "vote"},
        unseen=(1,),
    )
    result = export_onnx(files, tmp_path / "model.onnx")
    assert result.n_networks == 2 + 2 * 2
    assert result.size < sum(path.stat().st_size for path in tmp_path.rglob("models/**/*.onnx")) + 250_000
    check = check_onnx(result.path, files, seconds=(0.05, 0.505, 1.1))
    assert check.n_clips == 3 * 4
    assert check.difference < 1e-4
    check = check_onnx(result.path, files, batches=(64,), seconds=(0.73,))
    assert check.difference < 1e-4


@pytest.mark.parametrize("pooling", ["mean", "max", "top3", "vote"])
def test_labels_and_poolings(tmp_path: Path, pooling: str) -> None:
    recipe = mel_cnn(window={"seconds": 0.25, "place": "centre" if pooling == "max" else "random"})
    files = model_files(
        tmp_path, {"own": [(recipe, 2000)] * 2}, poolings={"own": pooling}, multilabel=True, unseen=(2,)
    )
    result = export_onnx(files, tmp_path / "model.onnx")
    assert check_onnx(result.path, files, seconds=(0.1, 0.253, 1.0)).difference < 1e-4


@pytest.mark.parametrize(
    "front",
    [
        {"kind": "mel", "scale": "standard"},
        {"kind": "mfcc", "level": "keep", "fmin": 100.0},
        {"kind": "pcen"},
        {"power": 1.0, "center": False, "scale": "minmax", "image": [40, 50], "frequency_channel": True},
        {"decibel": False, "scale": "fixed", "mean": -8.0, "std": 4.0},
        {"db_of": "amplitude", "fmax": 3000.0},
    ],
)
def test_front_ends(tmp_path: Path, front: dict[str, Any]) -> None:
    recipe = mel_cnn(front={**front, "n_mels": 32})
    files = model_files(tmp_path, {"own": [(recipe, 4000)]})
    result = export_onnx(files, tmp_path / "model.onnx", "own")
    assert check_onnx(result.path, files, "own", seconds=(0.3, 1.1)).difference < 1e-4


def test_networks_that_score_frames(tmp_path: Path) -> None:
    recipe = mel_cnn(network={"backbone": "mel_cnn", "head": "attention"})
    files = model_files(tmp_path, {"own": [(recipe, 4000)]})
    result = export_onnx(files, tmp_path / "model.onnx")
    assert check_onnx(result.path, files, seconds=(1.1,)).difference < 1e-4


def test_samples_that_are_not_finite_count_as_zeros_and_no_sample_as_silence(tmp_path: Path) -> None:
    recipe = mel_cnn(window={"seconds": 0.25, "skip_silence": True, "pad": "repeat"})
    session = open_onnx(
        export_onnx(model_files(tmp_path, {"own": [(recipe, 2000)]}), tmp_path / "a.onnx").path
    )
    rng = np.random.default_rng(0)
    clean, broken = rng.normal(size=(2, 5000)).astype(np.float32), None
    clean[0, 100:200] = 0
    broken = clean.copy()
    broken[0, 100:200] = np.nan
    broken[0, 150] = -np.inf
    expected = session.run(None, {"waveform": clean})[0]
    np.testing.assert_array_equal(session.run(None, {"waveform": broken})[0], expected)
    nothing = session.run(None, {"waveform": np.zeros((2, 0), np.float32)})[0]
    np.testing.assert_allclose(nothing, session.run(None, {"waveform": np.zeros((2, 9), np.float32)})[0])
    assert session.run(None, {"waveform": np.zeros((0, 9), np.float32)})[0].shape == (0, 3)


def test_metadata(tmp_path: Path) -> None:
    files = model_files(tmp_path, {"own": [(mel_cnn(), 4000)]}, poolings={"own": "max"})
    first, second = (export_onnx(files, tmp_path / name, "own").path for name in ("a.onnx", "b.onnx"))
    assert first.read_bytes() == second.read_bytes()
    properties = open_onnx(first).get_modelmeta().custom_metadata_map
    assert properties["sample_rate"] == str(RATE)
    assert json.loads(properties["classes"]) == list(CLASSES)
    assert json.loads(properties["score"]) == {"score": 0.8, "low": 0.7, "high": 0.9}
    assert json.loads(properties["members"])["own"]["seconds"] == 0.5
    assert json.loads(properties["members"])["own"]["pooling"] == "max"
    assert f"one channel at {RATE} Hz; resample other sound before" in properties["description"]


def test_rows_that_cannot_be_one_file(tmp_path: Path) -> None:
    files = model_files(tmp_path / "a", {"own": [(mel_cnn(), 4000)]}, others=("ExtraTrees", "SVM"))
    with pytest.raises(ConfigError, match=r"features of the whole clip for ExtraTrees, SVM.*model=.own"):
        export_onnx(files, tmp_path / "model.onnx")
    assert export_onnx(files, tmp_path / "model.onnx", "own").n_networks == 1
    faster = mel_cnn(front={"sample_rate": 16000})
    files = model_files(tmp_path / "b", {"own": [(mel_cnn(), 4000)], "faster": [(faster, 8000)]})
    with pytest.raises(ConfigError, match=r"need sound at 8000 and 16000 Hz.*model="):
        export_onnx(files, tmp_path / "model.onnx")
    with pytest.raises(ConfigError, match="no model 'none'"):
        export_onnx(files, tmp_path / "model.onnx", "none")


def test_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = model_files(tmp_path, {"own": [(mel_cnn(), 4000)]}, others=("SVM",))
    monkeypatch.setattr("aurist.run.open_model", lambda folder: files)
    file = tmp_path / "out" / "own.onnx"
    result = aurist("export", tmp_path, "--onnx", file, "--model", "own", "--json", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert f"written: {file}" in result.stderr
    assert "1 network; 0.800 [0.700, 0.900])" in result.stderr
    exported = json.loads(result.stdout)["onnx"]
    assert exported["size"] == file.stat().st_size
    assert exported["check"]["difference"] < 1e-4
    assert not (tmp_path / "model").exists()
    refused = aurist("export", tmp_path, "--onnx", file)
    assert refused.returncode == 1
    assert "Ensemble cannot be one ONNX file" in refused.stderr
    useless = aurist("export", tmp_path, "--onnx", file, "--refit", "--with-duplicates")
    assert useless.returncode == 1
    assert "--with-duplicates, --refit has an effect only with a model folder (-o)" in useless.stderr
    assert "--set has an effect only with --distill" in aurist("export", tmp_path, "--set", "a.b=1").stderr
