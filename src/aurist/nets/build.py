"""Networks from their settings: a body that makes a map of an image, and a head that answers."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from aurist.errors import ConfigError
from aurist.nets.config import MEL_CNN, MFCC_CNN, NetworkConfig
from aurist.nets.files import load_body
from aurist.nets.heads import build_head, framewise
from aurist.nets.mel_cnn import MelCnn
from aurist.nets.parameters import initialise
from aurist.nets.transformer import TransformerNetwork
from aurist.nets.vgg_mfcc import MfccCnn


class ImageNetwork(nn.Module):
    """A body, such as a backbone of timm's without its classifier, and a head.

    Parameters
    ----------
    body
        (batch, channels, rows, frames) to a smaller map of more channels.
    head
        That map to logits.
    frozen
        The body keeps its weights, and the statistics of its norms.
    """

    def __init__(self, body: nn.Module, head: nn.Module, *, frozen: bool = False) -> None:
        super().__init__()
        self.body = body.requires_grad_(not frozen)
        self.head = head
        self.frozen = frozen

    def train(self, mode: bool = True) -> ImageNetwork:
        """As torch has it, but a frozen body stays as it predicts."""
        super().train(mode)
        if self.frozen:
            self.body.eval()
        return self

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, rows, frames) to logits, (batch, n_classes)."""
        found: Tensor = self.head(self.body(x))
        return found

    def with_frames(self, x: Tensor) -> Tensor:
        """(batch, channels, rows, frames) to the logits of the clip and then of its frames.

        Returns
        -------
        (batch, 1 + n_frames, n_classes)

        Raises
        ------
        ConfigError
            Where the head pools time away.
        """
        seen = self.body(x)
        return torch.cat([self.head(seen)[:, None], framewise(self.head, seen)], dim=1)

    def embed(self, x: Tensor) -> Tensor:
        """(batch, channels, rows, frames) to the mean of the body's map, (batch, features)."""
        found: Tensor = self.body(x).mean((2, 3))
        return found


def build_network(
    config: NetworkConfig,
    image: tuple[int, int, int] | None,
    n_classes: int,
    *,
    sample_rate: int,
    load_weights: bool = True,
    described: Mapping[str, Any] | None = None,
) -> nn.Module:
    """A network whose first weights are drawn from torch's own generator.

    Parameters
    ----------
    config
        Which.
    image
        (channels, rows, frames) that it will be shown; None for networks that take waves.
    n_classes
        Of the answer.
    sample_rate
        Of the sound, in Hz.
    load_weights
        False for a network whose weights are read from elsewhere: nothing is downloaded, no file is read.
    described
        With that, for transformers: what `TransformerNetwork.described` gave.

    Raises
    ------
    ConfigError
        Where there is no such network, its weights cannot be had, or it cannot see images as small as these.

    Examples
    --------
    >>> network = build_network(NetworkConfig("resnet18"), (1, 64, 216), 10, sample_rate=44100)
    >>> network(torch.zeros(2, 1, 64, 216)).shape
    torch.Size([2, 10])
    """
    if config.transformer is not None:
        return TransformerNetwork(config, n_classes, sample_rate, described)
    assert image is not None
    if config.backbone == MFCC_CNN:
        return MfccCnn(image[0], image[1:], n_classes, config.dropout or 0.0, config.init)
    body = MelCnn(image[0]) if config.backbone == MEL_CNN else _timm_body(config, image[0], load_weights)
    if config.weights is not None and load_weights:
        load_body(config.weights, body, image[0])
    channels = _channels(body, config.backbone, image)
    head = build_head(config.head, channels, n_classes, config.pool, config.dropout)
    initialise(head, config.init)
    if not (config.pretrained or config.weights):
        initialise(body, config.init)
    return ImageNetwork(body, head, frozen=config.frozen)


def _timm_body(config: NetworkConfig, in_channels: int, load: bool) -> nn.Module:
    import timm

    if not timm.is_model(config.backbone):
        near = difflib.get_close_matches(config.backbone, timm.list_models(), n=3)
        raise ConfigError(
            f"timm has no network {config.backbone!r}. "
            + (f"Near it: {', '.join(near)}." if near else "`timm.list_models()` names them all.")
        )
    settings: dict[str, Any] = {"drop_path_rate": config.drop_path} if config.drop_path else {}
    pretrained = config.pretrained and load
    try:
        body: nn.Module = timm.create_model(
            config.backbone,
            pretrained=pretrained,
            in_chans=in_channels,
            num_classes=0,
            global_pool="",
            **settings,
        )
    except TypeError as error:
        raise ConfigError(
            f"{config.backbone} cannot be built with {settings} for images: {error}. Take another backbone, such as "
            "resnet18, densenet121 or efficientnet_b0."
        ) from error
    except (OSError, RuntimeError) as error:
        if not pretrained:
            raise
        raise ConfigError(
            f"The pretrained weights of {config.backbone} cannot be had: {_first_line(error)} Where there is no "
            "connection, give a file: network.weights = PATH, with pretrained = false."
        ) from error
    if hasattr(body, "pre_logits"):  # VGG's 4,096 units twice, which belong to its classifier
        body.pre_logits = nn.Identity()
    return body


def _channels(body: nn.Module, name: str, image: tuple[int, int, int]) -> int:
    """Channels of the body's map, by showing it an image of nothing."""
    training = body.training
    body.eval()
    try:
        with torch.inference_mode():
            found = body(torch.zeros(1, *image))
    except (RuntimeError, AssertionError, ValueError) as error:
        raise ConfigError(
            f"{name} cannot see images of {image[1]} rows and {image[2]} frames: {_first_line(error)} Give it more: "
            "a larger front.n_mels, a longer window, a smaller front.hop_length, or front.image to stretch them"
            + (" (Inception-ResNet-v2 needs 75 of each)." if name.startswith("inception") else ".")
        ) from error
    body.train(training)
    if found.dim() != 4:
        raise ConfigError(
            f"{name} makes no map of an image, but {tuple(found.shape[1:])}: take a convolutional network, such as "
            "resnet18 or densenet121."
        )
    return int(found.shape[1])


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(".") + "."


def count_parameters(network: nn.Module) -> int:
    """Numbers of a network, those that are frozen too.

    Examples
    --------
    >>> count_parameters(nn.Linear(3, 4))
    16
    """
    return sum(p.numel() for p in network.parameters())
