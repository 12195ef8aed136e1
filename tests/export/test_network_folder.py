"""A model folder with networks scans recordings as its run does, without PyTorch, and refuses broken networks."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from aurist.errors import RunError
from aurist.export import ExportOptions, export_run, verify_model
from aurist.run import open_run

from ..command import start
from ..detection.test_scan import RATE, fit_scanner, night


@pytest.fixture(scope="module")
def run(built_once: Callable[[str, Callable[[Path], object]], Path]) -> Path:
    return built_once("scanner", fit_scanner) / "run"


@pytest.fixture(scope="module")
def model(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export") / "model"
    return export_run(open_run(run), folder, ExportOptions("tiny")).folder


#: Puts PyTorch out of reach, then runs the command line.
WITHOUT = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "timm", "sklearn", "autogluon"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
from aurist.cli import main
main()
"""


def test_recordings_are_scanned_as_by_the_run_without_pytorch(run: Path, model: Path, tmp_path: Path) -> None:
    y, _ = night(60, 3)
    soundfile.write(tmp_path / "night.flac", y, RATE)
    settings = {**os.environ, "AURIST_ENGINE": "onnxruntime"}
    tables = []
    for folder, more in ((run, ["--model", "tiny"]), (model, [])):
        output = tmp_path / folder.name
        words = [
            "predict",
            str(folder),
            str(tmp_path / "night.flac"),
            "--format",
            "windows",
            "-o",
            str(output),
            *more,
        ]
        done = subprocess.run(
            [sys.executable, "-c", WITHOUT, *words], env=settings, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        tables.append((output / "windows.csv").read_text())
    assert tables[0] == tables[1]
    assert len(tables[0].splitlines()) > 20
    assert sorted({path.suffix for path in model.rglob("models/**/*.*")}) == [".json", ".onnx"]


def test_a_broken_network_is_refused(model: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(model, tmp_path / "model"))
    assert verify_model(copy).difference is not None
    path = next(copy.rglob("*.onnx"))
    path.write_bytes(bytes(np.random.default_rng(0).integers(256, size=path.stat().st_size, dtype=np.uint8)))
    with pytest.raises(RunError, match="SHA-256 of these files differs"):
        verify_model(copy)
    soundfile.write(tmp_path / "short.wav", np.zeros(4 * RATE), RATE)
    done = start("predict", copy, tmp_path / "short.wav", "-o", tmp_path / "out")
    _, message = done.communicate()
    assert done.returncode == 1
    assert path.name in message
    assert "Traceback" not in message


def test_paths_of_networks_stay_in_the_folder(model: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(model, tmp_path / "model"))
    path = next(copy.rglob("networks.json"))
    content = json.loads(path.read_text())
    content["networks"][0][0]["file"] = "../../../secret.safetensors"
    path.write_text(json.dumps(content))
    description = json.loads((copy / "model.json").read_text())
    description["files"][path.relative_to(copy).as_posix()]["size"] = path.stat().st_size
    (copy / "model.json").write_text(json.dumps(description))
    soundfile.write(tmp_path / "short.wav", np.zeros(4 * RATE), RATE)
    done = start("predict", copy, tmp_path / "short.wav", "-o", tmp_path / "out")
    _, message = done.communicate()
    assert done.returncode == 1
    assert "'..', but must be a word that can name a folder" in message
