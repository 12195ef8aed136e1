"""First values and weight decay of a network's parameters."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from aurist.errors import ConfigError
from aurist.nets.layers import rates_by_layer


def initialise(network: nn.Module, kind: str) -> None:
    """Draw the weights of all convolutions and linear layers from torch's global generator; biases are 0.

    Parameters
    ----------
    network
        Changed in place.
    kind
        "xavier": uniform (X. Glorot, Y. Bengio, 2010, Keras's default); "he": normal, by the inputs of a unit
        (K. He et al., 2015); "default": no change.
    """
    if kind == "default":
        return
    for module in network.modules():
        if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Linear):
            if kind == "xavier":
                nn.init.xavier_uniform_(module.weight)
            else:
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def parameter_groups(
    network: nn.Module, weight_decay: float | Mapping[str, float], layer_rate: float = 1.0
) -> list[dict[str, Any]]:
    """Group the parameters by weight decay and by their share of the learning rate, for a torch optimiser.

    Biases, the parameters of norms, and those that a timm network excludes (positions) have none, unless they are
    named in full. Parameters that do not require gradients are left out.

    Keras's penalty ``l2(c)`` adds c times the squares to the loss. With torch's SGD and Adam that is a decay of 2 c.
    AdamW's decay does not depend on the gradient and has no equivalent.

    Parameters
    ----------
    network
        Any network.
    weight_decay
        For all layers, or by the beginning of names ("block2", "body.layer4"); the longest match counts, and ""
        matches all. Layers without a match have no decay.
    layer_rate
        See `aurist.nets.layers.rates_by_layer`.

    Returns
    -------
    list of dict
        ``params``, ``weight_decay``, ``share`` of the learning rate.

    Raises
    ------
    ConfigError
        If a name matches no parameter, or a value is negative.

    Examples
    --------
    >>> network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    >>> [(group["weight_decay"], len(group["params"])) for group in parameter_groups(network, {"0": 1e-3})]
    [(0.001, 1), (0.0, 5)]
    """
    decays = {"": weight_decay} if isinstance(weight_decay, int | float) else dict(weight_decay)
    parameters = {name: p for name, p in network.named_parameters() if p.requires_grad}
    _check_table(decays, list(parameters))
    without_decay = _names_without_decay(network)
    shares = rates_by_layer(network, layer_rate)
    groups: dict[tuple[float, float], list[Tensor]] = {}
    for name, parameter in parameters.items():
        plain = parameter.dim() < 2 or name in without_decay
        decay = decays.get(name, 0.0) if plain else _longest(decays, name)
        groups.setdefault((decay, shares[name]), []).append(parameter)
    return [
        {"params": group, "weight_decay": decay, "share": share} for (decay, share), group in groups.items()
    ]


def _fits(prefix: str, name: str) -> bool:
    return prefix in ("", name) or name.startswith(f"{prefix}.")


def _longest(table: Mapping[str, float], name: str) -> float:
    fitting = [prefix for prefix in table if _fits(prefix, name)]
    return float(table[max(fitting, key=len)]) if fitting else 0.0


def _check_table(table: Mapping[str, float], names: list[str]) -> None:
    for prefix, value in table.items():
        if not 0 <= value < float("inf"):
            raise ConfigError(
                f"weight_decay of {prefix or 'all layers'!r} is {value}, but must be 0 or more."
            )
        if names and not any(_fits(prefix, name) for name in names):
            parts = name_parts(names)
            near = difflib.get_close_matches(prefix, parts, n=3, cutoff=0.5) or parts[:5]
            raise ConfigError(
                f"weight_decay names {prefix!r}, but no layer of the network has this name. "
                f"Similar names: {', '.join(near)}."
            )


def name_parts(names: list[str]) -> list[str]:
    """Return all beginnings of dotted names, without repeats.

    Examples
    --------
    >>> name_parts(["a.b.weight", "a.b.bias"])
    ['a', 'a.b', 'a.b.weight', 'a.b.bias']
    """
    pieces = [name.split(".") for name in names]
    return list(dict.fromkeys(".".join(p[:n]) for p in pieces for n in range(1, len(p) + 1)))


def _names_without_decay(network: nn.Module) -> set[str]:
    names = set()
    for name, module in network.named_modules():
        no_weight_decay = getattr(module, "no_weight_decay", None)
        if callable(no_weight_decay):
            names |= {f"{name}.{own}" if name else own for own in no_weight_decay()}
    return names
