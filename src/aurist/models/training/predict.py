"""What a network says of every window of some clips; never augmented."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from aurist.features.spectrogram import Spectrogram
from aurist.models.training.prefetch import Ahead
from aurist.models.training.sound import Sound
from aurist.nets.build import ImageNetwork

#: Windows a batch: small ones suit the caches of a CPU.
_CPU_BATCH, _GPU_BATCH = 8, 128


def all_windows(sound: Sound) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int64]]:
    """(n_windows,) twice: the clip of each window, and where it begins."""
    starts = [sound.starts(row) for row in range(len(sound))]
    clip = np.repeat(np.arange(len(sound)), [len(s) for s in starts]).astype(np.intp)
    return clip, np.concatenate([np.zeros(0, np.int64), *starts])


def window_batches(
    sound: Sound,
    front: Spectrogram | None,
    clip: npt.NDArray[np.intp],
    start: npt.NDArray[np.int64],
    device: torch.device,
    threads: int = 1,
) -> Iterator[Callable[[], Tensor]]:
    """The calls that make what the network takes of these windows, in order."""
    # few windows are shared out among the threads
    size = min(_CPU_BATCH, -(-len(clip) // max(1, threads))) if device.type == "cpu" else _GPU_BATCH
    for first in range(0, len(clip), size):
        yield partial(_made, sound, front, clip[first : first + size], start[first : first + size], device)


def _made(
    sound: Sound,
    front: Spectrogram | None,
    clip: npt.NDArray[np.intp],
    start: npt.NDArray[np.int64],
    device: torch.device,
) -> Tensor:
    waves = np.empty((len(clip), sound.n_samples), dtype=np.float32)
    for out, row, first in zip(waves, clip, start, strict=True):
        sound.read(int(row), int(first), out)
    found = torch.from_numpy(waves).to(device)
    return found if front is None else front(found)


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
    """(n_windows, n_classes), float32, on the CPU; with ``frames`` those of frames, too, as by `with_frames`.

    On a CPU each thread takes a batch all the way from its sound to the answer: that is faster than to share out every
    layer, the more so where others use the machine too. ``dtype`` is that of autocast, None for none. The network is
    left in the mode of evaluation.
    """
    network.eval()
    ask = network.with_frames if frames and isinstance(network, ImageNetwork) else network

    def answer(x: Tensor) -> Tensor:
        with torch.inference_mode(), torch.autocast(device.type, dtype=dtype, enabled=dtype is not None):
            found: Tensor = ask(as_network_likes(x))
        return found.float().cpu()

    made = window_batches(sound, front, clip, start, device, threads)
    if device.type == "cpu":
        return torch.cat(list(Ahead((partial(_after, answer, one) for one in made), threads)))
    return torch.cat([answer(x) for x in Ahead(made, threads)])


def _after(answer: Callable[[Tensor], Tensor], make: Callable[[], Tensor]) -> Tensor:
    return answer(make())


def as_network_likes(x: Tensor) -> Tensor:
    """Images with their channels last in memory, which convolutions compute faster."""
    return x.contiguous(memory_format=torch.channels_last) if x.dim() == 4 else x
