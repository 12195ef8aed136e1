"""The layers of a body, from its input to its output, to learn at different rates or not at all."""

from __future__ import annotations

import re

from torch import nn

#: Numbered layers in transformers and in most other networks.
_NUMBERED = re.compile(r"(?:^|\.)(?:layers?|blocks?|stages?)\.(\d+)(?:\.|$)")


def layer_numbers(body: nn.Module) -> dict[str, int]:
    """Number the parameters of a body by layer, from 0 at its input.

    Layers are those that timm names for a network; in others the numbered ones (``encoder.layer.3``), with what comes
    before and after them; else its parts in order.

    Examples
    --------
    >>> body = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    >>> layer_numbers(body)
    {'0.weight': 0, '0.bias': 0, '1.weight': 1, '1.bias': 1}
    """
    names = [name for name, _ in body.named_parameters()]
    matcher = getattr(body, "group_matcher", None)
    if callable(matcher):
        from timm.models import group_parameters

        groups = group_parameters(body, matcher(coarse=False))
        return _without_gaps({name: number for number, of_group in groups.items() for name in of_group})
    numbered = {name: int(match[1]) + 1 for name in names if (match := _NUMBERED.search(name))}
    if not numbered:
        parts = [name.split(".")[0] for name in names]
        return _without_gaps(dict(zip(names, map(parts.index, parts), strict=True)))
    first, last = names.index(next(iter(numbered))), max(numbered.values()) + 1
    outside = {name: 0 if position < first else last for position, name in enumerate(names)}
    return _without_gaps(outside | numbered)


def _without_gaps(numbers: dict[str, int]) -> dict[str, int]:
    order = sorted(set(numbers.values()))
    return {name: order.index(number) for name, number in numbers.items()}


def freeze_layers(body: nn.Module, last: int | None) -> None:
    """Let only the last layers of a body learn.

    Parameters
    ----------
    body
        A network, in place.
    last
        The number of layers that learn; None: all.

    Examples
    --------
    >>> body = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    >>> freeze_layers(body, 1)
    >>> [name for name, parameter in body.named_parameters() if parameter.requires_grad]
    ['1.weight', '1.bias']
    """
    numbers = layer_numbers(body)
    first = 0 if last is None else max(numbers.values(), default=0) + 1 - last
    for name, parameter in body.named_parameters():
        parameter.requires_grad_(numbers[name] >= first)


def keep_frozen(body: nn.Module) -> None:
    """Set the parts of a body that do not learn to evaluation: the statistics of their norms stay as they are."""
    for module in body.modules():
        parameters = list(module.parameters())
        if parameters and not any(parameter.requires_grad for parameter in parameters):
            module.eval()


def rates_by_layer(network: nn.Module, layer_rate: float) -> dict[str, float]:
    """Return the share of the learning rate for each parameter of a network with a ``body``.

    The head, and all of a network without a body, learn at the full rate; each layer of the body at ``layer_rate``
    times the rate of the layer after it.

    Source: J. Howard, S. Ruder, "Universal language model fine-tuning for text classification", 2018.
    """
    shares = dict.fromkeys((name for name, _ in network.named_parameters()), 1.0)
    body = getattr(network, "body", None)
    if layer_rate == 1 or not isinstance(body, nn.Module):
        return shares
    numbers = layer_numbers(body)
    depth = max(numbers.values()) + 1
    return shares | {f"body.{name}": layer_rate ** (depth - number) for name, number in numbers.items()}
