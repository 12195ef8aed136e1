"""What is done to the parameters of any network: first values, and weight decay by layer."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from aurist.errors import ConfigError


def initialise(network: nn.Module, kind: str) -> None:
    """Draw the weights of all convolutions and linear layers anew, from torch's global generator; biases are 0.

    Parameters
    ----------
    network
        Changed in place.
    kind
        "xavier": uniform (X. Glorot, Y. Bengio, 2010, Keras's default); "he": normal, by the inputs of a unit
        (K. He et al., 2015); "default": left as it is.
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


def parameter_groups(network: nn.Module, weight_decay: float | Mapping[str, float]) -> list[dict[str, Any]]:
    """Parameters for a torch optimiser, grouped by their weight decay.

    Biases, the parameters of norms, and what a timm network asks to be spared (positions) have none, but where
    they are named in full. Parameters that do not require gradients are left out.

    Keras's penalty ``l2(c)`` adds c times the squares to the loss: with torch's SGD and Adam that is a decay
    of 2 c; for AdamW's decay, which is apart from the gradient, there is no equal.

    Parameters
    ----------
    network
        Any.
    weight_decay
        For all layers, or by the beginning of names ("block2", "body.layer4"), the longest that fits; "" fits all;
        layers that fit none have no decay.

    Returns
    -------
    list of dict
        ``params``, ``weight_decay``.

    Raises
    ------
    ConfigError
        Where a name fits no parameter, or a value is negative.

    Examples
    --------
    >>> network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    >>> [(group["weight_decay"], len(group["params"])) for group in parameter_groups(network, {"0": 1e-3})]
    [(0.001, 1), (0.0, 5)]
    """
    decays = {"": weight_decay} if isinstance(weight_decay, int | float) else dict(weight_decay)
    parameters = {name: p for name, p in network.named_parameters() if p.requires_grad}
    _check_table(decays, list(parameters))
    spared = _spared(network)
    groups: dict[float, list[Tensor]] = {}
    for name, parameter in parameters.items():
        plain = parameter.dim() < 2 or name in spared
        decay = decays.get(name, 0.0) if plain else _longest(decays, name)
        groups.setdefault(decay, []).append(parameter)
    return [{"params": group, "weight_decay": decay} for decay, group in groups.items()]


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
                f"weight_decay names {prefix!r}, but no layer of the network is called so. Near it: {', '.join(near)}."
            )


def name_parts(names: list[str]) -> list[str]:
    """All beginnings of dotted names, without repeats.

    Examples
    --------
    >>> name_parts(["a.b.weight", "a.b.bias"])
    ['a', 'a.b', 'a.b.weight', 'a.b.bias']
    """
    pieces = [name.split(".") for name in names]
    return list(dict.fromkeys(".".join(p[:n]) for p in pieces for n in range(1, len(p) + 1)))


def _spared(network: nn.Module) -> set[str]:
    found = set()
    for name, module in network.named_modules():
        base_models = getattr(module, "no_weight_decay", None)
        if callable(base_models):
            found |= {f"{name}.{own}" if name else own for own in base_models()}
    return found
