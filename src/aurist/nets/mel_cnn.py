"""Our body for spectrograms: small, and with a high resolution in the first blocks."""

from __future__ import annotations

from torch import Tensor, nn

#: Channels of the blocks; all but the last halve the image.
WIDTHS = (32, 64, 128, 256)
#: The first convolution halves the image, too: rows and columns.
_STEM_KERNEL, _STEM_STRIDE = 5, 2


class MelCnn(nn.Module):
    """Pairs of 3 x 3 convolutions with batch norm, as in VGG, after one of 5 x 5 that halves the image.

    ResNet18 shrinks an image by 4 before its first block and by 32 in the end: only 2 of 64 rows are left. This one
    shrinks it by 16, has a tenth of the weights, and takes a third of the time.

    Parameters
    ----------
    in_channels
        The channels of the images.
    """

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        layers = _convolution(in_channels, WIDTHS[0], _STEM_KERNEL, _STEM_STRIDE)
        before = WIDTHS[0]
        for width in WIDTHS:
            layers += [*_convolution(before, width), *_convolution(width, width)]
            if width != WIDTHS[-1]:
                layers.append(nn.MaxPool2d(2))
            before = width
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Turn (batch, in_channels, rows, frames) into (batch, 256, rows / 16, frames / 16)."""
        image_map: Tensor = self.layers(x)
        return image_map


def _convolution(before: int, width: int, kernel: int = 3, stride: int = 1) -> list[nn.Module]:
    return [
        nn.Conv2d(before, width, kernel, stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
    ]
