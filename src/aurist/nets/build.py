"""Build networks from settings: a body that turns an image into a map, and a head that predicts."""

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
from aurist.nets.layers import keep_frozen
from aurist.nets.mel_cnn import MelCnn
from aurist.nets.parameters import initialise
from aurist.nets.transformer import TransformerNetwork
from aurist.nets.vgg_mfcc import MfccCnn


class ImageNetwork(nn.Module):
    """A body, such as a backbone of timm without its classifier, and a head.

    Parameters
    ----------
    body
        Turns (batch, channels, rows, frames) into a smaller map with more channels.
    head
        Turns that map into logits.
    frozen
        True: the weights of the body and the statistics of its norms do not change.
    """

    def __init__(self, body: nn.Module, head: nn.Module, *, frozen: bool = False) -> None:
        super().__init__()
        self.body = body.requires_grad_(not frozen)
        self.head = head

    def train(self, mode: bool = True) -> ImageNetwork:
        """Set the mode, as in torch; frozen layers of the body stay in evaluation mode."""
        super().train(mode)
        keep_frozen(self.body)
        return self

    def forward(self, x: Tensor) -> Tensor:
        """Turn (batch, channels, rows, frames) into logits, (batch, n_classes)."""
        logits: Tensor = self.head(self.body(x))
        return logits

    def with_frames(self, x: Tensor) -> Tensor:
        """Turn (batch, channels, rows, frames) into the logits of the clip and of its frames.

        Returns
        -------
        (batch, 1 + n_frames, n_classes)

        Raises
        ------
        ConfigError
            If the head pools over time.
        """
        image_map = self.body(x)
        return torch.cat([self.head(image_map)[:, None], framewise(self.head, image_map)], dim=1)

    def embed(self, x: Tensor) -> Tensor:
        """Turn (batch, channels, rows, frames) into the mean of the body's map, (batch, features)."""
        embedding: Tensor = self.body(x).mean((2, 3))
        return embedding


def build_network(
    config: NetworkConfig,
    image: tuple[int, int, int] | None,
    n_classes: int,
    *,
    sample_rate: int,
    load_weights: bool = True,
    architecture: Mapping[str, Any] | None = None,
) -> nn.Module:
    """Build a network. Its first weights come from torch's global generator.

    Parameters
    ----------
    config
        The settings of the network.
    image
        The shape of its images, (channels, rows, frames); None for networks that take waves.
    n_classes
        The number of classes.
    sample_rate
        The sample rate of the sound, in Hz.
    load_weights
        False if the weights are loaded later: nothing is downloaded, and no file is read.
    architecture
        With ``load_weights=False``, for transformers: the result of `TransformerNetwork.architecture`.

    Raises
    ------
    ConfigError
        If there is no such network, its weights cannot be loaded, or the images are too small for it.

    Examples
    --------
    >>> network = build_network(NetworkConfig("resnet18"), (1, 64, 216), 10, sample_rate=44100)
    >>> network(torch.zeros(2, 1, 64, 216)).shape
    torch.Size([2, 10])
    """
    if config.transformer is not None:
        return TransformerNetwork(config, n_classes, sample_rate, architecture)
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
            + (f"Similar names: {', '.join(near)}." if near else "`timm.list_models()` lists all names.")
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
            f"{config.backbone} cannot be built with {settings} for images: {error}. Use another backbone, such as "
            "resnet18, densenet121 or efficientnet_b0."
        ) from error
    except (OSError, RuntimeError) as error:
        if not pretrained:
            raise
        raise ConfigError(
            f"The pretrained weights of {config.backbone} cannot be loaded: {_first_line(error)} Without a "
            "connection, give a file: network.weights = PATH, with pretrained = false."
        ) from error
    if hasattr(body, "pre_logits"):  # VGG's two layers of 4,096 units belong to its classifier
        body.pre_logits = nn.Identity()
    return body


def _channels(body: nn.Module, name: str, image: tuple[int, int, int]) -> int:
    """Return the channels of the body's map, by running it on an empty image."""
    training = body.training
    body.eval()
    try:
        with torch.inference_mode():
            image_map = body(torch.zeros(1, *image))
    except (RuntimeError, AssertionError, ValueError) as error:
        raise ConfigError(
            f"{name} cannot use images of {image[1]} rows and {image[2]} frames: {_first_line(error)} "
            "Make them larger: a larger front.n_mels, a longer window, a smaller front.hop_length, "
            "or front.image to stretch them"
            + (" (Inception-ResNet-v2 needs 75 of each)." if name.startswith("inception") else ".")
        ) from error
    body.train(training)
    if image_map.dim() != 4:
        raise ConfigError(
            f"{name} makes no map of an image, but {tuple(image_map.shape[1:])}: use a convolutional network, such as "
            "resnet18 or densenet121."
        )
    return int(image_map.shape[1])


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(".") + "."


def count_parameters(network: nn.Module) -> int:
    """Count the parameters of a network, also frozen ones.

    Examples
    --------
    >>> count_parameters(nn.Linear(3, 4))
    16
    """
    return sum(p.numel() for p in network.parameters())
