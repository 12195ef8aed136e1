"""Compute spectrograms as images for networks. Training, validation, prediction and export all use it."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from aurist.features import filters
from aurist.features.level import ROUNDING, SILENT
from aurist.features.spectrogram_config import SpectrogramConfig, n_frames, shape

__all__ = ["Spectrogram", "SpectrogramConfig", "mel_matrix", "n_frames", "shape"]

_AMIN = 1e-10  # librosa's floor of a power; its square root is the floor of an amplitude
#: librosa.pcen's defaults
_GAIN, _BIAS, _ROOT, _TIME_CONSTANT, _EPS = 0.98, 2.0, 0.5, 0.4, 1e-6
#: scale of float samples to the range of 32-bit integers, as librosa's documentation of PCEN asks for
_PCEN_SCALE = 2.0**31
#: bands multiplied at a time on a CPU: a block of neighbours spans few of the bins
_BLOCK = 16
#: frames smoothed by one triangular matrix
_CHUNK = 64


def mel_matrix(config: SpectrogramConfig) -> Tensor:
    """Return the mel bank of the settings, (n_mels, n_fft // 2 + 1), float32."""
    bank = filters.mel_matrix(config.sample_rate, config.n_fft, config.n_mels, config.fmin, config.highest)
    return torch.from_numpy(bank)


class Spectrogram(torch.nn.Module):
    """Converts clips to images, always in single precision.

    ``forward`` is `power`, then `to_image`; augmentation of the spectrum comes between them. On a CPU one clip is
    computed at a time, which fits in the cache (a batch of 32 at once took more than twice as long). On a GPU, and in
    an exported graph, a batch is computed at once. It has no parameters, and nothing is in the state dict.

    Bands equal librosa's to 1e-3 dB, except for bands 80 dB or more below the strongest of their frame (one in two
    million of ESC-10's log-mel bands, by up to 2e-3 dB), as single precision rounds there.

    Parameters
    ----------
    config
        The settings.

    Examples
    --------
    >>> Spectrogram(SpectrogramConfig(image=(64, 100)))(torch.zeros(2, 22050)).shape
    torch.Size([2, 1, 64, 100])
    """

    window: Tensor
    bank: Tensor
    dct: Tensor
    smoothing: Tensor
    decay: Tensor
    coordinate: Tensor

    def __init__(self, config: SpectrogramConfig) -> None:
        super().__init__()
        self.config = config
        rows = shape(config, config.n_fft)[1]
        buffers = {
            "window": torch.from_numpy(filters.hann(config.n_fft)).float(),
            "bank": mel_matrix(config),
            "dct": torch.from_numpy(filters.dct_matrix(config.n_mels, config.n_mfcc).copy()),
            **_smoothing(config),
            "coordinate": torch.linspace(-1, 1, rows)[:, None],
        }
        for name, value in buffers.items():
            self.register_buffer(name, value, persistent=False)
        self._blocks = _blocks(self.bank)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Spectrogram:
        """Move to a device with the network, but keep single precision."""
        super()._apply(lambda buffer: buffer.to(fn(buffer).device), recurse)  # type: ignore[no-untyped-call]
        return self

    def forward(self, y: Tensor) -> Tensor:
        """Convert (batch, n_samples), finite samples in [-1, 1], to (batch, channels, rows, frames), float32."""
        return _by_clip(lambda clip: self._image(self._power(clip), None), y)

    def power(self, y: Tensor) -> Tensor:
        """Convert (batch, n_samples) to the spectrum, (batch, n_fft // 2 + 1, frames): magnitudes to the ``power``."""
        return _by_clip(self._power, y)

    def to_image(self, spectrum: Tensor, bank: Tensor | None = None) -> Tensor:
        """Convert a spectrum to an image.

        Parameters
        ----------
        spectrum
            (batch, n_fft // 2 + 1, frames), the result of `power`.
        bank
            Replaces the mel bank of the settings: (n_mels, n_fft // 2 + 1) for all clips, or (batch, n_mels, n_fft //
            2 + 1), one for each clip.

        Returns
        -------
        torch.Tensor
            (batch, channels, rows, frames), float32.
        """
        if bank is not None and bank.dim() == 3:
            return _by_clip(self._image, spectrum, bank)
        return _by_clip(lambda clip: self._image(clip, bank), spectrum)

    def _power(self, y: Tensor) -> Tensor:
        config = self.config
        margin = config.margin
        behind = max(margin, config.n_fft - margin - y.shape[-1])
        with _single_precision(y):
            samples = y.float() if config.level == "keep" else self._levelled(y.float())
            power = self._transformed(functional.pad(samples, (margin, behind)))
            return power if config.power == 2 else power.sqrt()

    def _levelled(self, y: Tensor) -> Tensor:
        """Remove the offset and scale the loudest sample to 1. Silence and constants become zeros."""
        offset = self._offset(y)
        moved = y - offset
        peak = moved.abs().amax(dim=-1, keepdim=True)
        return moved * torch.where(peak > SILENT + ROUNDING * offset.abs(), 1 / peak, 0.0)

    def _offset(self, y: Tensor) -> Tensor:
        return y.mean(dim=-1, keepdim=True)

    def _transformed(self, padded: Tensor) -> Tensor:
        """Return the power spectrum of padded samples, (batch, n_fft // 2 + 1, frames)."""
        spectrum = torch.stft(
            padded,
            self.config.n_fft,
            self.config.hop_length,
            window=self.window,
            center=False,
            return_complex=True,
        )
        # real and imaginary parts separately: abs() takes twice as long
        return torch.addcmul(spectrum.real.square(), spectrum.imag, spectrum.imag)

    def _image(self, spectrum: Tensor, bank: Tensor | None) -> Tensor:
        config = self.config
        with _single_precision(spectrum):
            image = self._bands(spectrum.float(), bank)
            if config.kind == "pcen":
                image = self._pcen(image)
            elif config.kind != "mel":
                image = _logarithm(image, config)
            if config.kind == "mfcc":
                image = torch.matmul(self.dct, image)
            image = _scaled(image, config)[:, None]
            if config.image is not None:
                image = functional.interpolate(image, config.image, mode="bilinear", align_corners=False)
            if config.frequency_channel:
                image = torch.cat([image, self.coordinate.expand_as(image)], dim=1)
            return image

    def _bands(self, spectrum: Tensor, bank: Tensor | None) -> Tensor:
        """Apply the mel bank, (batch, n_mels, frames). On a CPU, zeros of a shared bank are skipped."""
        given = self.bank if bank is None else bank.float()
        if given.dim() == 3 and len(given) == 1:
            given = given[0]
        if given.dim() == 3 or not _on_cpu(spectrum):
            return torch.matmul(given, spectrum)
        blocks = self._blocks if bank is None else _blocks(given)
        bands = [torch.matmul(given[rows, bins], spectrum[:, bins]) for rows, bins in blocks]
        return torch.cat(bands, dim=1)

    def _pcen(self, bands: Tensor) -> Tensor:
        """Per-channel energy normalisation (V. Lostanlen et al., "PCEN: why and how", 2019)."""
        bands = bands * _PCEN_SCALE
        smooth = torch.exp(-_GAIN * (math.log(_EPS) + torch.log1p(self._smoothed(bands) / _EPS)))
        return torch.expm1(_ROOT * torch.log1p(bands * smooth / _BIAS)) * math.pow(_BIAS, _ROOT)

    def _smoothed(self, bands: Tensor) -> Tensor:
        """Compute the first-order recursion of PCEN from a state of 1, as librosa; each chunk is one product."""
        chunks: list[Tensor] = []
        for first in range(0, bands.shape[-1], _CHUNK):
            chunk = bands[..., first : first + _CHUNK]
            n = chunk.shape[-1]
            state = self.decay[:n] if not chunks else chunks[-1][..., -1:] * self.decay[:n]
            chunks.append(torch.matmul(chunk, self.smoothing[:n, :n]) + state)
        return torch.cat(chunks, dim=-1)


def _on_cpu(x: Tensor) -> bool:
    """Tell whether to use the computation for CPUs; an exported graph uses the general one."""
    return x.device.type == "cpu" and not torch.compiler.is_compiling()


def _by_clip(step: Callable[..., Tensor], *batched: Tensor) -> Tensor:
    if not _on_cpu(batched[0]) or len(batched[0]) < 2:
        return step(*batched)
    return torch.cat([step(*clip) for clip in zip(*(torch.split(x, 1) for x in batched), strict=True)])


def _single_precision(x: Tensor) -> contextlib.AbstractContextManager[object]:
    """Switch autocast off, as the logarithm of a bfloat16 has steps of a whole dB."""
    if torch.is_autocast_enabled(x.device.type):
        return torch.autocast(x.device.type, enabled=False)
    return contextlib.nullcontext()


def _blocks(bank: Tensor) -> list[tuple[slice, slice]]:
    """Return blocks of rows of the bank, with the bins that they span."""
    used = (bank != 0).numpy()
    blocks = []
    for first in range(0, len(bank), _BLOCK):
        bins = np.flatnonzero(used[first : first + _BLOCK].any(axis=0))
        span = slice(int(bins[0]), int(bins[-1]) + 1) if len(bins) else slice(0, 1)
        blocks.append((slice(first, first + _BLOCK), span))
    return blocks


def _smoothing(config: SpectrogramConfig) -> dict[str, Tensor]:
    """Return the weights of inputs and state in PCEN's recursion m[t] = (1 - b) m[t - 1] + b x[t]."""
    frames = _TIME_CONSTANT * config.sample_rate / config.hop_length
    b = (math.sqrt(1 + 4 * frames**2) - 1) / (2 * frames**2)
    step = torch.arange(_CHUNK, dtype=torch.float64)
    distance = step - step[:, None]
    return {
        "smoothing": torch.where(distance >= 0, b * (1 - b) ** distance.clamp(min=0), 0.0).float(),
        "decay": ((1 - b) ** (step + 1)).float(),
    }


def _logarithm(bands: Tensor, config: SpectrogramConfig) -> Tensor:
    """Apply librosa's power_to_db or amplitude_to_db with a reference of 1, or the natural logarithm."""
    bands = bands.clamp(min=math.sqrt(_AMIN) if config.of_amplitude else _AMIN)
    if not config.decibel:
        return bands.log()
    decibels = (20.0 if config.of_amplitude else 10.0) * bands.log10()
    if config.top_db is None:
        return decibels
    return decibels.maximum(decibels.amax(dim=(-2, -1), keepdim=True) - config.top_db)


def _scaled(image: Tensor, config: SpectrogramConfig) -> Tensor:
    if config.scale == "none":
        return image
    if config.scale == "fixed":
        return (image - config.mean) / config.std
    low, high = image.amin(dim=(-2, -1), keepdim=True), image.amax(dim=(-2, -1), keepdim=True)
    span = high - low
    # differences of rounding count as constant
    constant = span <= 1e-6 * high.abs().maximum(low.abs())
    image = torch.where(constant, 0.0, (image - low) / torch.where(constant, 1.0, span))
    if config.scale == "minmax":
        return image
    # between 0 and 1, squares and the mean cannot overflow or cancel
    image = image - image.mean(dim=(-2, -1), keepdim=True)
    deviation = image.square().mean(dim=(-2, -1), keepdim=True).sqrt()
    return image / torch.where(constant, 1.0, deviation)
