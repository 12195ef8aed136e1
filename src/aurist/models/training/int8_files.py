"""Write the networks of a fold in 8 bits, calibrated on training clips."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from aurist.features.images import ImageMaker
from aurist.files import atomic_path
from aurist.models.base import Inputs
from aurist.models.network_files import int8_path, onnx_path, read_networks
from aurist.models.onnx_networks.sessions import IMAGE, Float
from aurist.models.sound import Sound, load_waves
from aurist.models.training.onnx_files import write_onnx
from aurist.nets.onnx_file import quiet

#: Windows of training clips that the ranges of the activations are measured on.
_WINDOWS, _BATCH = 256, 8


def write_int8(folder: Path, n_classes: int, inputs: Inputs, jobs: int) -> None:
    """Write each network of a fold in 8 bits beside its weights, unless it exists.

    Weights have 7 bits, by channel: with 8, sums overflow on processors without VNNI. Ranges of activations are their
    minimum and maximum.

    Parameters
    ----------
    folder
        The folder of a fold, with ``networks.json``.
    n_classes
        The number of classes.
    inputs
        Training clips.
    jobs
        Threads that decode.
    """
    write_onnx(folder, n_classes)
    files = read_networks(folder)
    missing = [path for checkpoints in files.weights for path in checkpoints if not int8_path(path).exists()]
    if not missing:
        return
    sound = Sound(load_waves(inputs, files.recipe, jobs), files.recipe.window, files.input_spec.n_samples)
    images = _images(sound, ImageMaker(files.recipe.front))
    for path in missing:
        _quantize(onnx_path(path), int8_path(path), images)


def _images(sound: Sound, maker: ImageMaker) -> list[Float]:
    """Make batches of images of windows, evenly from all clips."""
    clip, start = sound.windows()
    chosen = np.unique(np.linspace(0, len(clip) - 1, _WINDOWS).round().astype(int))
    waves = np.empty((len(chosen), sound.n_samples), dtype=np.float32)
    for wave, number in zip(waves, chosen, strict=True):
        sound.read(int(clip[number]), int(start[number]), wave)
    return [maker(waves[first : first + _BATCH]) for first in range(0, len(waves), _BATCH)]


def _quantize(exact: Path, to: Path, images: Sequence[Float]) -> None:
    from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Batches(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._batches = iter(images)

        def get_next(self) -> dict[str, Float] | None:
            batch = next(self._batches, None)
            return None if batch is None else {IMAGE: batch}

    with tempfile.TemporaryDirectory() as temporary, atomic_path(to) as part, quiet():
        prepared = Path(temporary) / "prepared.onnx"
        quant_pre_process(str(exact), str(prepared), skip_symbolic_shape=True)
        quantize_static(
            str(prepared),
            str(part),
            Batches(),
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
