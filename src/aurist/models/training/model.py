"""The networks of one fold on torch: on a GPU, or where they have no ONNX file."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from aurist.models.network_files import NetworkFiles
from aurist.models.network_model import Float, Windows
from aurist.models.training.fold import device, front_end, to_device
from aurist.models.training.onnx_files import load_network
from aurist.models.training.precision import autocast_dtype
from aurist.models.training.predict import window_logits
from aurist.recipes import Recipe


@dataclass(frozen=True)
class TorchNetworks:
    """Networks of one fold in torch.

    Parameters
    ----------
    recipe
        Their setting.
    networks
        For each seed its checkpoints, best first.
    precision
        The precision of their training.
    """

    recipe: Recipe
    networks: list[list[nn.Module]]
    precision: str

    def logits(self, windows: Windows, jobs: int, *, frames: bool) -> list[list[Float]]:
        """Return the logits of windows: see `aurist.models.network_model.Networks`."""
        torch.set_num_threads(max(1, jobs))
        front = front_end(self.recipe)
        front = None if front is None else front.to(device())

        def predict(network: nn.Module) -> Float:
            logits: Float = window_logits(
                network,
                windows.sound,
                front,
                windows.clip,
                windows.start,
                device=device(),
                dtype=autocast_dtype(self.precision),
                threads=jobs,
                frames=frames,
            ).numpy()
            return logits

        return [[predict(network) for network in net] for net in self.networks]


def load_torch_networks(files: NetworkFiles, n_classes: int) -> TorchNetworks:
    """Load the networks that `aurist.models.training.fold.fit_fold` wrote.

    Raises
    ------
    RunError
        If a file is missing or damaged.
    """
    networks = [
        [to_device(load_network(files, path, n_classes)) for path in checkpoints]
        for checkpoints in files.weights
    ]
    return TorchNetworks(files.recipe, networks, files.precision)
