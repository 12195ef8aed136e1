"""Weights on the disk: safetensors, which hold numbers and nothing that could be executed."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from aurist.errors import RunError, listing
from aurist.files import atomic_path


def save_weights(path: Path, network: nn.Module) -> None:
    """Write the weights and buffers of a network."""
    from safetensors.torch import save_file

    with atomic_path(path) as part:
        save_file(
            {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}, part
        )


def load_weights(path: Path, network: nn.Module) -> None:
    """Read what `save_weights` wrote into a network of the same layers.

    Raises
    ------
    RunError
        Where the file is damaged, or of another network.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        found = load_file(path)
    except (OSError, SafetensorError) as error:
        raise RunError(
            f"The weights in {path} cannot be read ({error}): run `aurist resume` to train anew."
        ) from error
    expected = network.state_dict()
    wrong = [f"{name}: missing in the file" for name in expected if name not in found]
    wrong += [f"{name}: not in the network" for name in found if name not in expected]
    wrong += [
        f"{name}: {tuple(value.shape)} in the file, {tuple(expected[name].shape)} expected"
        for name, value in found.items()
        if name in expected and value.shape != expected[name].shape
    ]
    if wrong:
        raise RunError(f"The weights in {path} are of another network:\n{listing(wrong, shown=5)}")
    network.load_state_dict(found)
