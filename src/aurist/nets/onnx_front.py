"""The front end of networks as ONNX: from the samples of windows to images, with a convolution as Fourier transform."""

from __future__ import annotations

import math
from io import BytesIO

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from aurist.features import filters
from aurist.features.spectrogram import Spectrogram
from aurist.features.spectrogram_config import SpectrogramConfig
from aurist.nets.onnx_file import IMAGE, OPSET, quiet

#: Names of the inputs.
SAMPLES, FILTERS = "samples", "filters"
#: As in `aurist.features.spectrogram`, where they are explained.
_GAIN, _BIAS, _EPS, _PCEN_SCALE = 0.98, 2.0, 1e-6, 2.0**31


class OnnxSpectrogram(Spectrogram):
    """The spectrogram in operations that ONNX has: the Fourier transform is a convolution with `fourier_filters`."""

    used: Tensor

    def __init__(self, config: SpectrogramConfig) -> None:
        super().__init__(config)
        first, last = used_bins(config)
        self.register_buffer("used", self.bank[:, first:last].contiguous(), persistent=False)
        self._filters = torch.zeros(0)

    def forward(self, y: Tensor, kernels: Tensor | None = None) -> Tensor:
        """Convert (batch, n_samples) to (batch, channels, rows, frames)."""
        if kernels is None:
            kernels = torch.from_numpy(fourier_filters(self.config))
        self._filters = kernels
        return self._image(self._power(y), None)

    def _offset(self, y: Tensor) -> Tensor:
        # engines sum one sample after the other, and single precision would round too much
        return y.double().mean(dim=-1, keepdim=True).float()

    def _transformed(self, padded: Tensor) -> Tensor:
        both = functional.conv1d(padded[:, None], self._filters, stride=self.config.hop_length)
        real, imaginary = both[:, : self.used.shape[1]], both[:, self.used.shape[1] :]
        return real * real + imaginary * imaginary

    def _bands(self, spectrum: Tensor, bank: Tensor | None) -> Tensor:
        return torch.matmul(self.used if bank is None else bank, spectrum)

    def _pcen(self, bands: Tensor) -> Tensor:
        # (x / smoothed^gain + bias)^(1/2) - bias^(1/2), without expm1 and log1p, which ONNX does not have
        bands = bands * _PCEN_SCALE
        z = bands * torch.exp(-_GAIN * torch.log(self._smoothed(bands) + _EPS)) / _BIAS
        return math.sqrt(_BIAS) * z / (torch.sqrt(1 + z) + 1)


def used_bins(config: SpectrogramConfig) -> tuple[int, int]:
    """Return the first bin of the spectrum that a mel band uses, and the one after the last."""
    bank = filters.mel_bank(config.sample_rate, config.n_fft, config.n_mels, config.fmin, config.highest)
    return int(bank.firsts.min()), int((bank.firsts + bank.lengths).max())


def fourier_filters(config: SpectrogramConfig) -> npt.NDArray[np.float32]:
    """Return the windowed cosines and sines of the used bins, (2 * n_bins, 1, n_fft)."""
    bins = np.arange(*used_bins(config))[:, None]
    angles = 2 * np.pi / config.n_fft * (bins * np.arange(config.n_fft) % config.n_fft)
    both = np.concatenate([np.cos(angles), np.sin(angles)]) * filters.hann(config.n_fft)
    return both[:, None].astype(np.float32)


def front_end_file(config: SpectrogramConfig, n_samples: int) -> bytes:
    """Return the front end for windows of one length as the content of an ONNX file.

    Its inputs are ``samples``, (batch, n_samples) for any batch, and ``filters``, those of `fourier_filters`; its
    output is ``image``, (batch, channels, rows, frames).
    """
    file = BytesIO()
    kernels = torch.from_numpy(fourier_filters(config))
    with quiet(), torch.inference_mode():
        torch.onnx.export(
            OnnxSpectrogram(config).eval(),
            (torch.zeros(2, n_samples), kernels),
            file,  # type: ignore[arg-type]
            dynamo=False,
            input_names=[SAMPLES, FILTERS],
            output_names=[IMAGE],
            dynamic_axes={SAMPLES: {0: "batch"}, IMAGE: {0: "batch"}},
            opset_version=OPSET,
        )
    return file.getvalue()
