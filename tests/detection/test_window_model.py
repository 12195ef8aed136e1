"""A model that scores windows of a recording keeps nothing of them."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from aurist.detection.window_model import WindowModel
from aurist.events import Grid
from aurist.features.windows import WindowSettings, read_block
from aurist.run import files_of_run, open_run

from .test_scan import RATE, fit_scanner, night

pytest.importorskip("timm")


@pytest.fixture(scope="module")
def run(built_once: Callable[[str, Callable[[Path], object]], Path]) -> Path:
    return built_once("scanner", fit_scanner) / "run"


@pytest.mark.parametrize("model", [None, "tiny"])
def test_the_sound_of_a_block_is_freed_without_a_collection_of_garbage(
    run: Path, tmp_path: Path, model: str | None
) -> None:
    """A cycle of references kept hundreds of megabytes of a long recording until the next collection."""
    soundfile.write(tmp_path / "night.wav", night(30, 7)[0], RATE)
    window_model = WindowModel(files_of_run(open_run(run)), model, 1)
    block = read_block(tmp_path / "night.wav", 0, WindowSettings(Grid(2.0, 1.0), window_model.rates))
    sounds = [weakref.ref(waves.sound) for waves in block.waves.values()]
    gc.collect()
    gc.disable()
    try:
        proba = window_model.score(block).proba
        assert np.isfinite(proba).all()
        del block
        assert all(sound() is None for sound in sounds)
    finally:
        gc.enable()
