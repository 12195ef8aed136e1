"""The fastest engine is chosen once for a machine, and is the same from then on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from aurist.errors import ConfigError
from aurist.models.onnx_networks import choice as module
from aurist.models.onnx_networks.choice import Choice, choose, engine_setting, is_accurate
from aurist.models.onnx_networks.sessions import Float, open_session

from ..sounds import tiny
from ..untrained import write_fold

pytest.importorskip("timm")
NETWORK = {"backbone": "test_resnet"}


@pytest.fixture
def onnx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    from aurist.models.training.onnx_files import write_onnx

    monkeypatch.delenv("AURIST_ENGINE", raising=False)
    return write_onnx(write_fold(tmp_path / "fold", tiny(), 4000), 3)[0]


class Slow:
    """A session that takes a time of its own for each image, on a clock of its own."""

    input_shape = (1, 32, 32)
    now = 0.0

    def __init__(self, seconds: float, added: float = 0.0) -> None:
        self.seconds, self.added = seconds, added

    def expect(self, windows: int) -> None:
        pass

    def run(self, images: Float, *, frames: bool = False) -> Float:
        Slow.now += self.seconds * len(images)
        return np.tile(np.float32([self.added, 0, 0]), (len(images), 1))


def with_engines(monkeypatch: pytest.MonkeyPatch, sessions: dict[str, Slow]) -> None:
    monkeypatch.setattr(module, "open_session", lambda path, engine, jobs: sessions[engine])
    monkeypatch.setattr(module, "other_engines", lambda: tuple(sessions)[1:])
    for clock in ("perf_counter", "process_time"):
        monkeypatch.setattr(module.time, clock, lambda: Slow.now)


@pytest.mark.parametrize(
    ("seconds", "added", "expected"),
    [
        ((1.0, 0.5, 0.3, 1.0), 0.0, "openvino-bf16"),
        ((1.0, 0.5, 0.3, 1.0), 0.1, "openvino"),  # bf16 moves probabilities by more than 0.002
        ((1.0, 0.5, 0.3, 0.2), 0.0, "mnn"),
        ((1.0, 0.5, 0.6, 0.2), 1e-3, "openvino"),  # MNN moves them by more than 0.0001
        ((1.0, 0.95, 0.95, 0.95), 0.0, "onnxruntime"),  # hardly faster
        ((1.0, 2.0, 2.0, 2.0), 0.0, "onnxruntime"),
    ],
)
def test_the_fastest_that_is_accurate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: tuple[float, ...], added: float, expected: str
) -> None:
    monkeypatch.delenv("AURIST_ENGINE", raising=False)
    plain, vino, half, winograd = seconds
    sessions = {"onnxruntime": Slow(plain), "openvino": Slow(vino), "openvino-bf16": Slow(half, added),
                "mnn": Slow(winograd, added)}  # fmt: skip
    with_engines(monkeypatch, sessions)
    assert choose(tmp_path / "network.onnx", NETWORK, tmp_path).engine == expected


def test_a_choice_is_kept_until_the_machine_changes(
    onnx: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(onnx, NETWORK, tmp_path)
    stored = next((tmp_path / "engines").iterdir())
    stored.write_text(json.dumps({"engine": "onnxruntime", "batch": 1}))
    assert choose(onnx, NETWORK, tmp_path) == Choice("onnxruntime", 1)
    stored.write_text("not JSON")
    assert choose(onnx, NETWORK, tmp_path).batch in module.BATCHES
    assert json.loads(stored.read_text())
    choose(onnx, {**NETWORK, "image": (1, 2, 3)}, tmp_path)
    monkeypatch.setattr(module, "cpu_name", lambda: "another")
    choose(onnx, NETWORK, tmp_path)
    assert len(list((tmp_path / "engines").iterdir())) == 3


def test_without_a_folder_nothing_is_measured(
    onnx: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(module, "_fastest", lambda path: pytest.fail("measured"))
    assert choose(onnx, NETWORK, tmp_path / "file") == Choice()


def test_the_setting_fixes_the_engine(onnx: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AURIST_ENGINE", "openvino")
    assert choose(onnx, NETWORK, tmp_path).engine == "openvino"
    assert not (tmp_path / "engines").exists()
    monkeypatch.setenv("AURIST_ENGINE", "tensorflow")
    with pytest.raises(ConfigError, match=r"AURIST_ENGINE is 'tensorflow'.*onnxruntime, openvino"):
        engine_setting()


def test_engines_agree(onnx: Path) -> None:
    pytest.importorskip("openvino")
    assert is_accurate(open_session(onnx, "onnxruntime", 1), open_session(onnx, "openvino", 1), 1e-4)


def test_large_networks_run_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AURIST_ENGINE", raising=False)
    runs: list[int] = []
    sessions = {"onnxruntime": Slow(0.5), "openvino": Slow(0.4)}
    with_engines(monkeypatch, sessions)
    run = Slow.run
    monkeypatch.setattr(Slow, "run", lambda self, images: (runs.append(len(images)), run(self, images))[1])
    assert choose(tmp_path / "network.onnx", NETWORK, tmp_path).engine == "openvino"
    assert runs == [1, 8, 1, 8]
