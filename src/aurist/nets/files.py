"""Weights on the disk, as safetensors: these contain numbers and no code."""

from __future__ import annotations

import pickle
from pathlib import Path

import torch
from torch import Tensor, nn

from aurist.errors import ConfigError, RunError, listing
from aurist.files import atomic_path
from aurist.stored import stored


def save_weights(path: Path, network: nn.Module) -> None:
    """Write the weights and buffers of a network."""
    from safetensors.torch import save_file

    with atomic_path(path) as part:
        save_file(
            {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}, part
        )


def load_weights(path: Path, network: nn.Module) -> None:
    """Load a file of `save_weights` into a network with the same layers.

    Raises
    ------
    RunError
        If the file is damaged, or of another network.
    """
    from safetensors.torch import load_file

    with stored(path, f"Remove {path.parent}, and `aurist resume` trains it again."):
        state = load_file(path)
    expected = network.state_dict()
    wrong = [f"{name}: missing in the file" for name in expected if name not in state]
    wrong += [f"{name}: not in the network" for name in state if name not in expected]
    wrong += [
        f"{name}: {tuple(value.shape)} in the file, {tuple(expected[name].shape)} expected"
        for name, value in state.items()
        if name in expected and value.shape != expected[name].shape
    ]
    if wrong:
        raise RunError(f"The weights in {path} are of another network:\n{listing(wrong, limit=5)}")
    network.load_state_dict(state)


def load_body(file: str | Path, body: nn.Module, in_channels: int) -> None:
    """Load the weights of a body from a file: .safetensors, or a state dict saved by ``torch.save``.

    The first convolution for colour images is summed over the colours. A classifier is left out. Of a network that
    aurist saved, only the body is used.

    Parameters
    ----------
    file
        The path of the file.
    body
        A network of timm without its classifier; changed in place.
    in_channels
        The channels of the images.

    Raises
    ------
    ConfigError
        If the file cannot be read, or has another network.
    """
    from timm.models import adapt_input_conv

    state = _read_state(Path(file))
    if any(name.startswith("body.") for name in state):
        state = {name.removeprefix("body."): v for name, v in state.items() if name.startswith("body.")}
    cfg = getattr(body, "pretrained_cfg", None) or {}
    for first in _names(cfg.get("first_conv")):
        weight = state.get(f"{first}.weight")
        if weight is not None and weight.shape[1] != in_channels:
            state[f"{first}.weight"] = adapt_input_conv(in_channels, weight)
    expected = body.state_dict()
    dropped = (*_names(cfg.get("classifier")), "pre_logits")
    extra = [n for n in state if n not in expected and not n.startswith(dropped)]
    wrong = [f"{name}: missing in the file" for name in expected if name not in state]
    wrong += [f"{name}: not in the network" for name in extra]
    wrong += [
        f"{name}: {tuple(state[name].shape)} in the file, {tuple(value.shape)} expected"
        for name, value in expected.items()
        if name in state and state[name].shape != value.shape
    ]
    if wrong:
        raise ConfigError(
            f"network.weights: {file} has the weights of another network:\n{listing(wrong, limit=5)}"
        )
    body.load_state_dict({name: state[name] for name in expected})


def _read_state(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if not path.is_file():
        raise ConfigError(f"network.weights: there is no file {path}.")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise ConfigError(
            f"network.weights: {path} cannot be read ({str(error).splitlines()[0]}); expected .safetensors, or a "
            "state dict saved by torch.save."
        ) from error
    for wrapped in ("state_dict", "model"):
        if isinstance(state, dict) and isinstance(state.get(wrapped), dict):
            state = state[wrapped]
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise ConfigError(f"network.weights: {path} has no state dict (names of layers with their weights).")
    return state


def _names(names: str | tuple[str, ...] | None) -> tuple[str, ...]:
    if names is None:
        return ()
    return (names,) if isinstance(names, str) else tuple(names)
