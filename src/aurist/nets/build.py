"""Networks from their settings: a body that makes a map of an image, and a head that answers."""

from __future__ import annotations

import difflib
from typing import Any

from torch import Tensor, nn

from aurist.errors import ConfigError
from aurist.nets.config import MFCC_CNN, NetworkConfig
from aurist.nets.heads import build_head
from aurist.nets.parameters import initialise
from aurist.nets.vgg_mfcc import MfccCnn


class ImageNetwork(nn.Module):
    """A backbone of timm's without its classifier, and a head."""

    def __init__(self, body: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.body = body
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, rows, frames) to logits, (batch, n_classes)."""
        found: Tensor = self.head(self.body(x))
        return found


def build_network(
    config: NetworkConfig,
    in_channels: int,
    image: tuple[int, int] | None,
    n_classes: int,
    *,
    load_weights: bool = True,
) -> nn.Module:
    """A network with first weights of torch's own generator."""
    if config.backbone == MFCC_CNN:
        assert image is not None
        return MfccCnn(in_channels, image, n_classes, config.dropout or 0.0, config.init)
    body = _body(config, in_channels, config.pretrained and load_weights)
    channels = int(body.num_features)  # type: ignore[arg-type]
    network = ImageNetwork(body, build_head(config.head, channels, n_classes, config.pool, config.dropout))
    initialise(network, config.init)
    return network


def _body(config: NetworkConfig, in_channels: int, pretrained: bool) -> nn.Module:
    import timm

    if config.backbone not in timm.list_models():
        near = difflib.get_close_matches(config.backbone, timm.list_models(), n=3)
        raise ConfigError(f"timm has no network {config.backbone!r}. Near it: {', '.join(near)}.")
    kwargs: dict[str, Any] = {"drop_path_rate": config.drop_path} if config.drop_path else {}
    body: nn.Module = timm.create_model(
        config.backbone, pretrained=pretrained, in_chans=in_channels, num_classes=0, global_pool="", **kwargs
    )
    return body


def count_parameters(network: nn.Module) -> int:
    """Numbers that are learnt."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)
