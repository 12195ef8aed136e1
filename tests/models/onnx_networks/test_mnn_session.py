"""MNN answers as ONNX Runtime does, from the windows on that make its start worth it, and prints nothing."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from aurist.errors import RunError
from aurist.models.onnx_networks.mnn_session import WORTH, MnnSession
from aurist.models.onnx_networks.sessions import Float, open_session

from ..sounds import tiny
from ..untrained import write_fold

pytest.importorskip("timm")
pytest.importorskip("MNN")


class Plain:
    """A session that answers zeros."""

    input_shape = (1, 32, 32)

    def expect(self, windows: int) -> None:
        pass

    def run(self, images: Float, *, frames: bool = False) -> Float:
        return np.zeros((len(images), 3), np.float32)


@pytest.fixture(scope="module")
def onnx(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from aurist.models.training.onnx_files import write_onnx

    recipe = tiny(network={"backbone": "mel_cnn", "head": "attention"})
    return write_onnx(write_fold(tmp_path_factory.mktemp("mnn") / "fold", recipe, 4000), 3)[0]


def images_of(shape: tuple[int, ...], batch: int) -> Float:
    return np.random.default_rng(batch).standard_normal((batch, *shape)).astype(np.float32)


def test_begins_when_there_are_enough_windows(onnx: Path) -> None:
    exact = open_session(onnx, "onnxruntime", 1)
    session = MnnSession(onnx.read_bytes(), Plain(), 1)
    images = images_of(exact.input_shape, 2)
    session.expect(WORTH)
    assert (session.run(images) == 0).all()
    session.expect(WORTH - len(images))
    assert (session.run(images) == 0).all()
    session.expect(WORTH - len(images))
    assert session.run(images) == pytest.approx(exact.run(images), abs=1e-5)


def test_threads_and_batches_do_not_mix(onnx: Path) -> None:
    exact, session = (open_session(onnx, engine, 3) for engine in ("onnxruntime", "mnn"))
    session.expect(WORTH + 1)
    batches = [images_of(exact.input_shape, 1 + number % 5) for number in range(40)]
    expected = [exact.run(images, frames=True) for images in batches]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda images: session.run(images, frames=True), batches))
    for answer, right in zip(answers, expected, strict=True):
        assert answer == pytest.approx(right, abs=1e-5)


def test_prints_nothing_and_leaves_its_makers_alone(onnx: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from aurist.models.onnx_networks.sessions import open_session\n"
        f"session = open_session(Path({str(onnx)!r}), 'mnn', 2)\n"
        f"session.expect({WORTH + 1})\n"
        "print('answer')\n"
        "assert not [name for name in sys.modules if name.startswith('MNN.tools')]\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("answer\n", 0), done.stderr


def test_a_network_that_it_cannot_run(tmp_path: Path) -> None:
    session = MnnSession(b"no network", Plain(), 1)
    with pytest.raises(RunError, match="MNN cannot run"):
        session.expect(WORTH + 1)
