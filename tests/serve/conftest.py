"""A server of a small run of two kinds of tones."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

pytest.importorskip("fastapi")
pytest.importorskip("httpx2")

from starlette.testclient import TestClient

from aurist.run import ModelFiles, open_model
from aurist.serve.app import create_app
from aurist.serve.options import Limits, ServeOptions

from .browser import browser

RATE = 8000
#: Radians a sample of each class.
STEPS = {"drone": 0.2, "whistle": 1.9}
HOST = "http://127.0.0.1:8765"


def tone(label: str, seconds: float = 1.0, seed: int = 0) -> np.ndarray:
    """The sound of a class, as the training data has it."""
    time = np.arange(round(seconds * RATE))
    noise = np.random.default_rng(seed).normal(0, 0.1, len(time))
    return (0.4 * np.sin(time * STEPS[label]) + noise).astype(np.float32)


def as_file(wave: np.ndarray, form: str = "WAV", subtype: str = "PCM_16") -> bytes:
    """The bytes of a sound file."""
    file = io.BytesIO()
    soundfile.write(file, wave, RATE, format=form, subtype=subtype)
    return file.getvalue()


@pytest.fixture(scope="session")
def files(examples: Path) -> ModelFiles:
    """The run of the examples."""
    return open_model(examples / "run")


@contextmanager
def serving(
    files: ModelFiles, state: Path, limits: dict[str, float], **options: object
) -> Iterator[TestClient]:
    """Run a server, and give a client of it."""
    settings = ServeOptions(state=state, limits=Limits(**limits), **options)  # type: ignore[arg-type]
    with TestClient(create_app(files, settings), base_url=HOST, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def start(files: ModelFiles, tmp_path: Path) -> Iterator[Callable[..., TestClient]]:
    """Start servers; each ends with the test, or with its `__exit__`."""
    with ExitStack() as stack:

        def begin(limits: dict[str, float] | None = None, **options: object) -> TestClient:
            return stack.enter_context(serving(files, tmp_path / "state", limits or {}, **options))

        yield begin


@pytest.fixture(scope="module")
def client(files: ModelFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A server with the default settings, for all tests of a file."""
    with serving(files, tmp_path_factory.mktemp("state"), {}) as client:
        yield client


@pytest.fixture(scope="session")
def chrome() -> Iterator[Any]:
    """A headless browser, for all tests that need one."""
    with browser() as opened:
        yield opened
