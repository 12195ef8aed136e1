"""Networks from ONNX files answer as torch does, on every engine; without torch, too."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aurist.errors import RunError
from aurist.models.network import NetworkEngine
from aurist.models.network_member import recipe_member
from aurist.models.network_model import NetworkModel
from aurist.models.onnx_networks.networks import OnnxNetworks
from aurist.models.together import expect_inputs
from aurist.recipes import Recipe

from ..sounds import tiny
from ..untrained import TASK, long_sound, write_fold

pytest.importorskip("timm")
HEADS = [{}, {"head": "attention"}, {"backbone": "mel_cnn", "head": "loudest"}]


def loaded(monkeypatch: pytest.MonkeyPatch, engine: str | None, folder: Path, recipe: Recipe) -> NetworkModel:
    if engine is None:
        monkeypatch.delenv("AURIST_ENGINE", raising=False)
    else:
        monkeypatch.setenv("AURIST_ENGINE", engine)
    return NetworkEngine().load(folder, TASK, recipe_member(recipe))


@pytest.mark.parametrize("network", HEADS, ids=str)
@pytest.mark.parametrize("engine", ["onnxruntime", "openvino", "mnn", None])
def test_answers_as_torch_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str | None, network: dict[str, Any]
) -> None:
    if engine == "openvino":
        pytest.importorskip("openvino")
    if engine == "mnn":
        pytest.importorskip("MNN")
        monkeypatch.setattr("aurist.models.onnx_networks.mnn_session.WORTH", 0)
    monkeypatch.setenv("AURIST_CACHE_DIR", str(tmp_path / "cache"))
    recipe = tiny(network=network, training={"seeds": 2}, window={"seconds": 0.5, "hop": 0.2})
    folder, inputs = write_fold(tmp_path / "fold", recipe, 4000, unseen=(1,)), long_sound()
    by_torch = loaded(monkeypatch, "torch", folder, recipe)
    model = loaded(monkeypatch, engine, folder, recipe)
    assert isinstance(model.networks, OnnxNetworks)
    assert not isinstance(by_torch.networks, OnnxNetworks)
    expected, variants = by_torch.variants(inputs), model.variants(inputs)
    assert variants.keys() == expected.keys() >= {"one window", "one checkpoint", "one network"}
    for name, proba in variants.items():
        # processors round differently: up to 1.1e-5 was seen
        assert proba == pytest.approx(expected[name], abs=5e-5), name
        assert (proba[:, 1] == 0).all()
    if recipe.network.has_frames:
        whole, parts = model.predict_parts(inputs, 5)
        assert whole == pytest.approx(expected["pooled by mean"], abs=5e-5)
        assert parts == pytest.approx(by_torch.predict_parts(inputs, 5)[1], abs=5e-5)


def test_windows_of_the_same_samples_run_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = tiny(window={"seconds": 0.5, "hop": 0.25})
    model = loaded(monkeypatch, "onnxruntime", write_fold(tmp_path, recipe, 4000), recipe)
    inputs, made = long_sound(), []
    alone = np.concatenate([model.predict_proba(inputs.take(np.array([n]))) for n in range(len(inputs))])
    make = type(model.networks.maker).make
    monkeypatch.setattr(
        type(model.networks.maker), "make", lambda self, y, out: (made.append(1), make(self, y, out))
    )
    together = model.predict_proba(inputs)
    assert together == pytest.approx(alone, abs=5e-5)
    # six seconds hold 23 windows of half a second every quarter; the eleven inputs of a second have three each
    assert len(made) == 23


@pytest.fixture(scope="module")
def cutting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NetworkModel]:
    """A network of windows of half a second every tenth of a second."""
    recipe = tiny(window={"seconds": 0.5, "hop": 0.1})
    with pytest.MonkeyPatch.context() as patch:
        folder = write_fold(tmp_path_factory.mktemp("cutting"), recipe, 4000)
        yield loaded(patch, "onnxruntime", folder, recipe)


@settings(max_examples=30, deadline=None)
@given(window=st.floats(0.2, 3.0), hop=st.floats(0.05, 3.5))
def test_windows_of_any_length_and_step_are_predicted_as_each_alone(
    cutting: NetworkModel, window: float, hop: float
) -> None:
    inputs = long_sound(4.0, window, max(hop, window / 8))
    rows = sorted({0, 1 % len(inputs), len(inputs) // 2, len(inputs) - 1})
    together = cutting.predict_proba(inputs)
    for row in rows:
        assert together[[row]] == pytest.approx(cutting.predict_proba(inputs.take(np.array([row]))), abs=5e-5)


def test_needs_no_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = tiny()
    folder, inputs = write_fold(tmp_path, recipe, 4000), long_sound()
    expected = loaded(monkeypatch, "onnxruntime", folder, recipe).predict_proba(inputs)
    for path in folder.glob("net*/*.safetensors"):
        path.unlink()
    np.save(tmp_path / "sound.npy", inputs.in_memory[8000].sound)
    script = f"""
import sys
for name in ("torch", "timm", "safetensors", "lightning_fabric"):
    sys.modules[name] = None
import numpy as np, pandas as pd
from pathlib import Path
from aurist.features.waves import WavesInMemory
from aurist.models.base import Inputs, ModelSpec, Task
from aurist.models.network import NetworkEngine
folder = Path({str(folder)!r})
begin = np.arange(11) * 4000
waves = WavesInMemory(8000, np.load(folder / "sound.npy"), begin, begin + 8000)
inputs = Inputs(pd.DataFrame(index=range(11)), in_memory={{8000: waves}})
member = ModelSpec("tiny", "network", {recipe_member(recipe).settings!r})
model = NetworkEngine().load(folder, Task({TASK.classes!r}, False, "accuracy"), member)
np.save(folder / "proba.npy", model.predict_proba(inputs))
"""
    subprocess.run([sys.executable, "-c", script], check=True)
    assert np.load(tmp_path / "proba.npy") == pytest.approx(expected, abs=1e-6)


def test_a_damaged_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = tiny()
    folder = write_fold(tmp_path, recipe, 4000)
    loaded(monkeypatch, "onnxruntime", folder, recipe)
    path = folder / "net0" / "epoch0001.onnx"
    path.write_bytes(path.read_bytes()[:1000])
    for engine in ("onnxruntime", None):
        with pytest.raises(RunError, match=r"epoch0001\.onnx is damaged.*Remove the \.onnx files"):
            loaded(monkeypatch, engine, folder, recipe)


def test_a_folder_that_cannot_be_written_uses_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from aurist.models.training import onnx_files

    def refuse(*given: object) -> None:
        raise PermissionError("read-only")

    recipe = tiny()
    folder = write_fold(tmp_path, recipe, 4000)
    monkeypatch.setattr(onnx_files, "write_onnx_network", refuse)
    assert not isinstance(loaded(monkeypatch, None, folder, recipe).networks, OnnxNetworks)
    assert not list(folder.rglob("*.onnx"))


def test_a_long_job_is_announced_to_every_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = tiny(training={"seeds": 2})
    models = [
        loaded(monkeypatch, "onnxruntime", write_fold(tmp_path / f"{fold}", recipe, 4000), recipe)
        for fold in range(2)
    ]
    announced: list[int] = []
    monkeypatch.setattr(
        "aurist.models.onnx_networks.sessions._OnnxRuntime.expect",
        lambda self, windows: announced.append(windows),
    )
    expect_inputs(models, 1000)
    networks = [model.networks for model in models if isinstance(model.networks, OnnxNetworks)]
    assert announced == [1000] * sum(len(net) for one in networks for net in one.networks)
    assert len(networks) == 2
