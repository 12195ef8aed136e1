"""Predict the logits of every window of clips, without augmentation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from aurist.features.spectrogram import Spectrogram
from aurist.models.sound import Sound
from aurist.models.training.prefetch import Prefetch
from aurist.nets.build import ImageNetwork

#: Windows per batch: small batches suit the caches of a CPU.
_CPU_BATCH, _GPU_BATCH = 8, 128


def window_batches(
    sound: Sound,
    front: Spectrogram | None,
    clip: npt.NDArray[np.intp],
    start: npt.NDArray[np.int64],
    device: torch.device,
    threads: int = 1,
) -> Iterator[Callable[[], Tensor]]:
    """Yield the calls that make the network's input of these windows, in order."""
    # few windows are spread over the threads
    size = min(_CPU_BATCH, -(-len(clip) // max(1, threads))) if device.type == "cpu" else _GPU_BATCH
    for first in range(0, len(clip), size):
        yield partial(
            _network_input, sound, front, clip[first : first + size], start[first : first + size], device
        )


def _network_input(
    sound: Sound,
    front: Spectrogram | None,
    clip: npt.NDArray[np.intp],
    start: npt.NDArray[np.int64],
    device: torch.device,
) -> Tensor:
    waves = np.empty((len(clip), sound.n_samples), dtype=np.float32)
    for out, row, first in zip(waves, clip, start, strict=True):
        sound.read(int(row), int(first), out)
    x = torch.from_numpy(waves).to(device)
    return x if front is None else front(x)


def window_logits(
    network: nn.Module,
    sound: Sound,
    front: Spectrogram | None,
    clip: npt.NDArray[np.intp],
    start: npt.NDArray[np.int64],
    *,
    device: torch.device,
    dtype: torch.dtype | None = None,
    threads: int = 1,
    frames: bool = False,
) -> Tensor:
    """Return the logits (n_windows, n_classes), float32, on the CPU; with ``frames``, as `with_frames` returns them.

    On a CPU each thread processes a whole batch, from its sound to the logits. That is faster than to split every
    layer, above all on a shared machine. ``dtype`` is that of autocast, None for none. The network is left in
    evaluation mode.
    """
    network.eval()
    forward = network.with_frames if frames and isinstance(network, ImageNetwork) else network

    def predict(x: Tensor) -> Tensor:
        with torch.inference_mode(), torch.autocast(device.type, dtype=dtype, enabled=dtype is not None):
            logits: Tensor = forward(channels_last(x))
        return logits.float().cpu()

    batches = window_batches(sound, front, clip, start, device, threads)
    if device.type == "cpu":
        return torch.cat(list(Prefetch((partial(_predict_made, predict, make) for make in batches), threads)))
    return torch.cat([predict(x) for x in Prefetch(batches, threads)])


def _predict_made(predict: Callable[[Tensor], Tensor], make: Callable[[], Tensor]) -> Tensor:
    return predict(make())


def channels_last(x: Tensor) -> Tensor:
    """Put the channels of images last in memory: convolutions are faster then."""
    return x.contiguous(memory_format=torch.channels_last) if x.dim() == 4 else x
