"""Write the networks of a fold as ONNX files beside their weights."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from aurist.models.network_files import NetworkFiles, onnx_path, read_networks
from aurist.nets.build import build_network
from aurist.nets.files import load_weights
from aurist.nets.onnx_file import write_onnx_network


def write_onnx(folder: Path, n_classes: int) -> list[Path]:
    """Write each network of a fold as an ONNX file beside its weights, unless it exists.

    Weights of a finished training never change, so a file that exists is up to date.

    Parameters
    ----------
    folder
        The folder of a fold, with ``networks.json``.
    n_classes
        The number of classes.

    Returns
    -------
    list of pathlib.Path
        The ONNX files of all networks.

    Raises
    ------
    ConfigError
        If the networks take waves.
    RunError
        If files are missing or damaged.
    """
    files = read_networks(folder)
    weights = [path for checkpoints in files.weights for path in checkpoints]
    for path in weights:
        if not onnx_path(path).exists():
            network = load_network(files, path, n_classes)
            write_onnx_network(onnx_path(path), network, files.input_spec.image)
    return [onnx_path(path) for path in weights]


def load_network(files: NetworkFiles, weights: Path, n_classes: int) -> nn.Module:
    """Build the network of a checkpoint and load its weights, on the CPU."""
    network = build_network(
        files.recipe.network,
        files.input_spec.image,
        n_classes,
        sample_rate=files.recipe.front.sample_rate,
        load_weights=False,
        architecture=files.architecture,
    )
    load_weights(weights, network)
    return network
