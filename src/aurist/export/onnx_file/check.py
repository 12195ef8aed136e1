"""Check an exported ONNX file against the models of the run, on sounds that are made for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.arrays import Proba
from aurist.export.onnx_file.writing import PROBABILITIES, WAVEFORM
from aurist.features.waves import WavesInMemory
from aurist.inference.fold_models import FoldModels
from aurist.models.base import Inputs
from aurist.plan import ENSEMBLE
from aurist.run import ModelFiles

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Float = npt.NDArray[np.float32]

#: Kinds of sounds.
KINDS = ("tones", "noise", "silence", "full scale", "bursts", "constant", "not finite")


@dataclass(frozen=True)
class OnnxCheck:
    """The number of checked clips, and the largest difference of a probability."""

    n_clips: int
    difference: float


def check_onnx(
    path: Path,
    files: ModelFiles,
    model: str = ENSEMBLE,
    *,
    batches: Sequence[int] = (1, 3),
    seconds: Sequence[float] = (0.5, 4.0),
) -> OnnxCheck:
    """Compare an ONNX file with the models of which it was made.

    Parameters
    ----------
    path
        The file.
    files, model
        As in `aurist.export.onnx_file.export_onnx`.
    batches
        Numbers of clips at a time.
    seconds
        Lengths of clips. With the lengths and the batches the kinds of sounds change, see `KINDS`.
    """
    session = open_onnx(path)
    rate = int(session.get_modelmeta().custom_metadata_map["sample_rate"])
    models = FoldModels(files, files.spec.task, model)
    rng, n_clips, difference = np.random.default_rng(0), 0, 0.0
    for length in seconds:
        n_samples = max(1, round(length * rate))
        sounds = [_sound(kind, n_samples, rate, rng) for kind in KINDS]
        expected = np.concatenate([_expected(models, files, model, sound, rate) for sound in sounds])
        for batch in batches:
            rows = np.arange(batch) % len(KINDS)
            waveform = np.stack([sounds[number] for number in rows])
            proba = session.run([PROBABILITIES], {WAVEFORM: waveform})[0]
            difference = float(np.maximum(difference, np.abs(proba - expected[rows]).max()))
            n_clips += batch
    return OnnxCheck(n_clips, difference)


def open_onnx(path: Path) -> InferenceSession:
    """Open an ONNX file with ONNX Runtime, on all cores."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = 3
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def read_metadata(path: Path) -> dict[str, str]:
    """Read the metadata of an ONNX file."""
    return dict(open_onnx(path).get_modelmeta().custom_metadata_map)


def _expected(models: FoldModels, files: ModelFiles, row: str, sound: Float, rate: int) -> Proba:
    finite = np.where(np.isfinite(sound), sound, np.float32(0))
    waves = WavesInMemory(rate, finite, np.array([0]), np.array([len(finite)]))
    inputs = Inputs(pd.DataFrame(index=range(1)), in_memory={rate: waves})
    return files.ensemble.correct(row, models.proba(inputs))


def _sound(kind: str, n_samples: int, rate: int, rng: np.random.Generator) -> Float:
    time = np.arange(n_samples) / rate
    noise = rng.normal(size=n_samples)
    hertz = rng.uniform(0.01, 0.3, 3) * rate
    tones = np.sum([np.sin(2 * np.pi * hz * time) for hz in hertz], axis=0)
    if kind == "tones":
        y = 0.1 * tones + 0.01 * noise
    elif kind == "noise":
        y = 0.1 * noise
    elif kind == "silence":
        y = np.zeros(n_samples)
    elif kind == "full scale":
        y = np.sign(tones)
    elif kind == "constant":
        y = np.full(n_samples, 0.3)
    else:
        y = 0.1 * tones * (np.sin(2 * np.pi * 0.4 * time) > 0.8) + 1e-3 * noise
        y[n_samples // 3 : 2 * n_samples // 3] = 0 if kind == "bursts" else np.nan
        if kind == "not finite":
            y[-1] = np.inf
    return np.asarray(y, dtype=np.float32)
