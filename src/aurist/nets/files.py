"""Weights on the disk: safetensors, which hold numbers and nothing that could be executed."""

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
    """Read what `save_weights` wrote into a network of the same layers.

    Raises
    ------
    RunError
        Where the file is damaged, or of another network.
    """
    from safetensors.torch import load_file

    with stored(path, f"Remove {path.parent}, and `aurist resume` trains it again."):
        found = load_file(path)
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


def load_body(file: str | Path, body: nn.Module, in_channels: int) -> None:
    """Begin with the weights of a file: .safetensors, or what ``torch.save`` made of a state dict.

    The first convolution of weights for colour images is summed over the colours; a classifier is left out. Of a
    network that aurist saved, the body is taken.

    Parameters
    ----------
    file
        Its path.
    body
        A network of timm's without its classifier; changed in place.
    in_channels
        Of the images.

    Raises
    ------
    ConfigError
        Where the file cannot be read, or holds another network.
    """
    from timm.models import adapt_input_conv

    found = _read_state(Path(file))
    if any(name.startswith("body.") for name in found):
        found = {name.removeprefix("body."): v for name, v in found.items() if name.startswith("body.")}
    cfg = getattr(body, "pretrained_cfg", None) or {}
    for first in _names(cfg.get("first_conv")):
        weight = found.get(f"{first}.weight")
        if weight is not None and weight.shape[1] != in_channels:
            found[f"{first}.weight"] = adapt_input_conv(in_channels, weight)
    expected = body.state_dict()
    dropped = (*_names(cfg.get("classifier")), "pre_logits")
    extra = [n for n in found if n not in expected and not n.startswith(dropped)]
    wrong = [f"{name}: missing in the file" for name in expected if name not in found]
    wrong += [f"{name}: not in the network" for name in extra]
    wrong += [
        f"{name}: {tuple(found[name].shape)} in the file, {tuple(value.shape)} expected"
        for name, value in expected.items()
        if name in found and found[name].shape != value.shape
    ]
    if wrong:
        raise ConfigError(
            f"network.weights: {file} holds the weights of another network:\n{listing(wrong, shown=5)}"
        )
    body.load_state_dict({name: found[name] for name in expected})


def _read_state(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if not path.is_file():
        raise ConfigError(f"network.weights: there is no file {path}.")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        found = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise ConfigError(
            f"network.weights: {path} cannot be read ({str(error).splitlines()[0]}); expected .safetensors, or a "
            "state dict saved by torch.save."
        ) from error
    for wrapped in ("state_dict", "model"):
        if isinstance(found, dict) and isinstance(found.get(wrapped), dict):
            found = found[wrapped]
    if not isinstance(found, dict) or not all(isinstance(value, Tensor) for value in found.values()):
        raise ConfigError(
            f"network.weights: {path} holds no state dict (names of layers with their weights)."
        )
    return found


def _names(one_or_more: str | tuple[str, ...] | None) -> tuple[str, ...]:
    if one_or_more is None:
        return ()
    return (one_or_more,) if isinstance(one_or_more, str) else tuple(one_or_more)
