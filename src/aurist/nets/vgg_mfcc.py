"""The convolutional network for MFCCs: six blocks like those of VGG."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from aurist.errors import ConfigError
from aurist.nets.parameters import initialise

#: of both convolutions of a block
FILTERS = (64, 160, 128, 128, 128, 128)
UNITS = 64
#: the published recipe has an L2 penalty on these blocks alone; see `aurist.nets.parameters`
PENALISED = ("block2", "block4")


class MfccCnn(nn.Module):
    """Six blocks of two 3 x 3 convolutions and a 2 x 2 max-pool, 64 dense units, the classes.

    The poolings round up: 20 coefficients cannot be halved six times (20, 10, 5, 3, 2, 1, 1). Weights are
    Xavier's, uniform; biases are 0. The dense layer takes the whole map, so all images must have one size.

    Parameters
    ----------
    in_channels
        The channels of the images.
    image
        (rows, frames).
    n_classes
        The number of classes.
    dropout
        Dropout before the classifier.
    init
        "default" and "xavier" are the same here.

    Examples
    --------
    >>> network = MfccCnn(1, (20, 1231), 10)
    >>> network(torch.zeros(2, 1, 20, 1231)).shape
    torch.Size([2, 10])
    """

    takes = "image"

    def __init__(
        self,
        in_channels: int,
        image: tuple[int, int],
        n_classes: int,
        dropout: float = 0.0,
        init: str = "default",
    ) -> None:
        super().__init__()
        self.image = image
        rows, frames = image
        channels = in_channels
        for block, filters in enumerate(FILTERS, start=1):
            self.add_module(f"block{block}", _block(channels, filters))
            channels = filters
            rows, frames = (rows + 1) // 2, (frames + 1) // 2
        self.dense = nn.Linear(channels * rows * frames, UNITS)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(UNITS, n_classes)
        initialise(self, "xavier" if init == "default" else init)

    def forward(self, x: Tensor) -> Tensor:
        """Turn (batch, in_channels, rows, frames) into logits, (batch, n_classes)."""
        logits: Tensor = self.classifier(self.dropout(self.embed(x)))
        return logits

    def embed(self, x: Tensor) -> Tensor:
        """Turn (batch, in_channels, rows, frames) into the dense layer, (batch, 64)."""
        if tuple(x.shape[-2:]) != self.image:
            rows, frames = x.shape[-2:]
            raise ConfigError(
                f"mfcc_cnn was built for images of {self.image[0]} rows and {self.image[1]} frames, but got "
                f"{rows} and {frames}: its dense layer needs clips of one length."
            )
        for block in range(1, len(FILTERS) + 1):
            x = self.get_submodule(f"block{block}")(x)
        return torch.relu(self.dense(x.flatten(1)))


def _block(in_channels: int, filters: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, filters, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(filters, filters, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2, ceil_mode=True),
    )
