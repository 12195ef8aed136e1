"""The networks of folds from ONNX files: one image of a window serves all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aurist.features.images import ImageMaker, overlapping_images
from aurist.models.network_files import NetworkFiles
from aurist.models.network_model import Windows
from aurist.models.onnx_networks.choice import LARGEST_DIFFERENCE, choose, is_accurate
from aurist.models.onnx_networks.sessions import (
    ONNXRUNTIME,
    OPENVINO,
    OPENVINO_BF16,
    Float,
    Session,
    open_session,
)
from aurist.models.sound import Sound
from aurist.stored import stored
from aurist.workers import ahead


@dataclass(frozen=True)
class OnnxNetworks:
    """The networks of a fold on CPUs.

    Parameters
    ----------
    maker
        It makes their images.
    networks
        For each seed its checkpoints, best first.
    batch
        Windows per batch.
    """

    maker: ImageMaker
    networks: list[list[Session]]
    batch: int

    def expect(self, windows: int) -> None:
        """Announce windows that will be predicted."""
        for net in self.networks:
            for session in net:
                session.expect(windows)

    def logits(self, windows: Windows, jobs: int, *, frames: bool) -> list[list[Float]]:
        """Return the logits of windows: see `aurist.models.network_model.Networks`."""
        return logits_together([self], windows, jobs, frames=frames)[0]


def logits_together(
    folds: Sequence[OnnxNetworks], windows: Windows, jobs: int, *, frames: bool
) -> list[list[list[Float]]]:
    """Return the logits by the networks of several folds that take the same images.

    Each thread turns a batch of windows from sound into images and runs all networks on them. Windows of the same
    samples are predicted once.

    Parameters
    ----------
    folds
        Networks with equal settings of images.
    windows
        Their windows.
    jobs
        Threads.
    frames
        Also return the logits of frames.

    Returns
    -------
    list
        For each fold, the result of `aurist.models.network_model.Networks.logits`.
    """
    sessions = [session for fold in folds for net in fold.networks for session in net]
    distinct, which = windows.sound.distinct(windows.clip, windows.start)
    for fold in folds:
        fold.expect(len(distinct))
    # few windows are spread over the threads
    size = max(1, min(folds[0].batch, -(-len(distinct) // max(1, jobs))))
    calls = [
        (first, partial(_run, sessions, folds[0].maker, windows, distinct[first : first + size], frames))
        for first in range(0, len(distinct), size)
    ]
    batches = [future.result() for _, future in ahead(calls, max(1, jobs))]
    by_session = iter([np.concatenate(of_one)[which] for of_one in zip(*batches, strict=True)])
    return [[[next(by_session) for _ in net] for net in fold.networks] for fold in folds]


def _run(
    sessions: Sequence[Session],
    maker: ImageMaker,
    windows: Windows,
    numbers: npt.NDArray[np.intp],
    frames: bool,
) -> list[Float]:
    images = window_images(maker, windows.sound, windows.clip[numbers], windows.start[numbers])
    return [session.run(images, frames=frames) for session in sessions]


def window_images(
    maker: ImageMaker, sound: Sound, clip: npt.NDArray[np.intp], start: npt.NDArray[np.int64]
) -> Float:
    """Make the images of windows that `Sound.distinct` gave, (n_windows, channels, rows, frames)."""
    images = []
    for rows, stretch in sound.stretches(clip, start):
        if stretch is not None:
            begins = start[rows] - start[rows.start]
            images.append(overlapping_images(maker, stretch, begins, sound.n_samples))
            continue
        waves = np.empty((rows.stop - rows.start, sound.n_samples), dtype=np.float32)
        for wave, of_clip, first in zip(waves, clip[rows], start[rows], strict=True):
            sound.read(int(of_clip), int(first), wave)
        images.append(maker(waves))
    return images[0] if len(images) == 1 else np.concatenate(images)


def load_onnx_networks(
    files: NetworkFiles, n_classes: int, jobs: int, remedy: str, *, int8: bool = False
) -> OnnxNetworks:
    """Load the networks of a fold from their ONNX files, on the engine that is fastest on this machine.

    Parameters
    ----------
    files, n_classes
        The networks, and the number of their classes.
    jobs
        The number of threads that will run them.
    remedy
        The next step for the user if a file is damaged, as a sentence.
    int8
        Load the networks in 8 bits.

    Raises
    ------
    RunError
        If a file is missing or damaged.
    """
    by_seed = files.int8 if int8 else files.onnx
    paths = [path for checkpoints in by_seed for path in checkpoints]
    network = {
        **asdict(files.recipe.network),
        "image": files.input_spec.image,
        "classes": n_classes,
        "int8": int8,
    }
    with stored(paths[0], remedy):
        choice = choose(paths[0], network)
    engine = choice.engine
    if engine == OPENVINO_BF16 and not all(_is_accurate(path, remedy) for path in paths):
        engine = OPENVINO
    networks: list[list[Session]] = []
    for checkpoints in by_seed:
        networks.append([])
        for path in checkpoints:
            with stored(path, remedy):
                networks[-1].append(open_session(path, engine, jobs))
    return OnnxNetworks(ImageMaker(files.recipe.front), networks, choice.batch)


def _is_accurate(path: Path, remedy: str) -> bool:
    """Tell whether bf16 suits these weights; how fast it is was measured for all networks of the kind."""
    with stored(path, remedy):
        exact, half = (open_session(path, engine, 1) for engine in (ONNXRUNTIME, OPENVINO_BF16))
        return is_accurate(exact, half, LARGEST_DIFFERENCE[OPENVINO_BF16])
