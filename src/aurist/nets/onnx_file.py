"""Networks as ONNX files, to predict without torch."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from aurist.errors import ConfigError
from aurist.files import atomic_path
from aurist.nets.build import ImageNetwork
from aurist.nets.heads import FrameHead
from aurist.nets.vgg_mfcc import MfccCnn

#: Names of the input and of the outputs.
IMAGE, LOGITS, FRAMES = "image", "logits", "frames"
#: The version of the operations.
OPSET = 17


class _WithFrames(nn.Module):
    """Returns the logits of the clip and of its frames from one pass through the body."""

    def __init__(self, body: nn.Module, head: FrameHead) -> None:
        super().__init__()
        self.body, self.head = body, head

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        image_map = self.body(x)
        return self.head(image_map), self.head.framewise(image_map)


def write_onnx_network(path: Path, network: nn.Module, image: tuple[int, int, int] | None) -> None:
    """Write a network of images as an ONNX file, atomically.

    Parameters
    ----------
    path
        The file. Its input is ``image``, (batch, channels, rows, frames), for any batch. Its outputs are ``logits``,
        (batch, n_classes), and for frame-wise heads ``frames``, (batch, n_frames, n_classes). Batch norms are folded
        into the convolutions before them.
    network
        On the CPU. It is set to evaluation mode.
    image
        The shape of an image, (channels, rows, frames).

    Raises
    ------
    ConfigError
        If the network takes waves: a transformer prepares them in Python.
    """
    if image is None or not isinstance(network, ImageNetwork | MfccCnn):
        raise ConfigError(
            f"{type(network).__name__} takes waves, which its extractor prepares in Python: "
            "it runs with torch, and cannot be written as ONNX."
        )
    network.eval()
    exported: nn.Module = network
    outputs = [LOGITS]
    if isinstance(network, ImageNetwork) and isinstance(network.head, FrameHead):
        exported = _WithFrames(network.body, network.head).eval()
        outputs.append(FRAMES)
    # the exporter by tracing: on these networks it writes the same graphs as the newer one in a tenth of the time
    with atomic_path(path) as part, quiet(), torch.inference_mode():
        torch.onnx.export(
            exported,
            (torch.zeros(2, *image),),
            str(part),
            dynamo=False,
            input_names=[IMAGE],
            output_names=outputs,
            dynamic_axes={name: {0: "batch"} for name in (IMAGE, *outputs)},
            opset_version=OPSET,
        )


@contextmanager
def quiet() -> Iterator[None]:
    """Hide notes for developers of torch: on constants in a trace, and on the newer exporter."""
    before = logging.root.manager.disable
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(before)
