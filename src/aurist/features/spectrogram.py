"""Spectrograms as images for networks: the one front end of training, validation, prediction and export."""

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

_AMIN = 1e-10  # librosa's floor of a power; its square root is that of an amplitude
#: librosa.pcen's defaults
_GAIN, _BIAS, _ROOT, _TIME_CONSTANT, _EPS = 0.98, 2.0, 0.5, 0.4, 1e-6
#: float samples to the range of 32-bit integers, which librosa's documentation of PCEN asks for
_PCEN_SCALE = 2.0**31
#: bands multiplied at a time on a CPU: a block of neighbours spans few of the bins
_BLOCK = 16
#: frames smoothed by one triangular matrix
_CHUNK = 64


def mel_matrix(config: SpectrogramConfig) -> Tensor:
    """The mel bank of the settings, (n_mels, n_fft // 2 + 1), float32."""
    bank = filters.mel_bank(config.sample_rate, config.n_fft, config.n_mels, config.fmin, config.highest)
    dense = np.zeros((config.n_mels, config.n_fft // 2 + 1), dtype=np.float32)
    for band, (first, length) in enumerate(zip(bank.firsts, bank.lengths, strict=True)):
        dense[band, first : first + length] = bank.weights[band, :length]
    return torch.from_numpy(dense)


class Spectrogram(torch.nn.Module):
    """Clips to images, in single precision whatever surrounds it.

    ``forward`` is `power`, then `write_results`; augmentation of the spectrum comes between. On a CPU one clip is
    computed at a time, which keeps it in the cache (a batch of 32 at once took more than twice as long); on a GPU, and
    in a graph that is exported, a batch at once. Nothing is learned and nothing is in the state dict.

    Bands are as librosa's to 1e-3 dB, but for those some 80 dB and more below the strongest of their frame (one
    in two million of ESC-10's log-mel bands, by up to 2e-3 dB): there single precision rounds.

    Parameters
    ----------
    config
        How.

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
        """Follows the network to a device, but not to another precision."""
        super()._apply(lambda buffer: buffer.to(fn(buffer).device), recurse)  # type: ignore[no-untyped-call]
        return self

    def forward(self, y: Tensor) -> Tensor:
        """(batch, n_samples), finite samples in [-1, 1], to (batch, channels, rows, frames), float32."""
        return _by_clip(lambda clip: self._finish(self._power(clip), None), y)

    def power(self, y: Tensor) -> Tensor:
        """(batch, n_samples) to the spectrum, (batch, n_fft // 2 + 1, frames): magnitudes to the ``power``."""
        return _by_clip(self._power, y)

    def write_results(self, spectrum: Tensor, bank: Tensor | None = None) -> Tensor:
        """The image of a spectrum.

        Parameters
        ----------
        spectrum
            (batch, n_fft // 2 + 1, frames), as `power` gives it.
        bank
            Instead of the mel bank of the settings: (n_mels, n_fft // 2 + 1) for all clips, or one for each
            clip, (batch, n_mels, n_fft // 2 + 1).

        Returns
        -------
        torch.Tensor
            (batch, channels, rows, frames), float32.
        """
        if bank is not None and bank.dim() == 3:
            return _by_clip(self._finish, spectrum, bank)
        return _by_clip(lambda clip: self._finish(clip, bank), spectrum)

    def _power(self, y: Tensor) -> Tensor:
        config = self.config
        margin = config.margin
        behind = max(margin, config.n_fft - margin - y.shape[-1])
        with _single_precision(y):
            samples = y.float() if config.level == "keep" else _levelled(y.float())
            spectrum = torch.stft(
                functional.pad(samples, (margin, behind)),
                config.n_fft,
                config.hop_length,
                window=self.window,
                center=False,
                return_complex=True,
            )
            # real and imaginary apart: abs() takes twice as long
            found = torch.addcmul(spectrum.real.square(), spectrum.imag, spectrum.imag)
            return found if config.power == 2 else found.sqrt()

    def _finish(self, spectrum: Tensor, bank: Tensor | None) -> Tensor:
        config = self.config
        with _single_precision(spectrum):
            found = self._bands(spectrum.float(), bank)
            if config.kind == "pcen":
                found = self._pcen(found)
            elif config.kind != "mel":
                found = _logarithm(found, config)
            if config.kind == "mfcc":
                found = torch.matmul(self.dct, found)
            found = _scaled(found, config)[:, None]
            if config.image is not None:
                found = functional.interpolate(found, config.image, mode="bilinear", align_corners=False)
            if config.frequency_channel:
                found = torch.cat([found, self.coordinate.expand_as(found)], dim=1)
            return found

    def _bands(self, spectrum: Tensor, bank: Tensor | None) -> Tensor:
        """(batch, n_mels, frames); on a CPU the zeros of a mel bank for all clips are not multiplied."""
        given = self.bank if bank is None else bank.float()
        if given.dim() == 3 and len(given) == 1:
            given = given[0]
        if given.dim() == 3 or not _on_cpu(spectrum):
            return torch.matmul(given, spectrum)
        blocks = self._blocks if bank is None else _blocks(given)
        parts = [torch.matmul(given[rows, bins], spectrum[:, bins]) for rows, bins in blocks]
        return torch.cat(parts, dim=1)

    def _pcen(self, bands: Tensor) -> Tensor:
        """Per-channel energy normalisation (V. Lostanlen et al., "PCEN: why and how", 2019)."""
        bands = bands * _PCEN_SCALE
        smooth = torch.exp(-_GAIN * (math.log(_EPS) + torch.log1p(self._smoothed(bands) / _EPS)))
        return torch.expm1(_ROOT * torch.log1p(bands * smooth / _BIAS)) * math.pow(_BIAS, _ROOT)

    def _smoothed(self, bands: Tensor) -> Tensor:
        """The first-order recursion of PCEN from a state of 1, as librosa's; a chunk is one product."""
        state = torch.ones_like(bands[..., :1])
        chunks = []
        for chunk in torch.split(bands, _CHUNK, dim=-1):
            n = chunk.shape[-1]
            chunks.append(torch.matmul(chunk, self.smoothing[:n, :n]) + state * self.decay[:n])
            state = chunks[-1][..., -1:]
        return torch.cat(chunks, dim=-1)


def _levelled(y: Tensor) -> Tensor:
    """Without offset, the loudest sample 1; silence, and what rounding leaves of a constant, becomes zeros."""
    offset = y.mean(dim=-1, keepdim=True)
    moved = y - offset
    peak = moved.abs().amax(dim=-1, keepdim=True)
    return moved * torch.where(peak > SILENT + ROUNDING * offset.abs(), 1 / peak, 0.0)


def _on_cpu(x: Tensor) -> bool:
    """Whether to compute as a CPU likes it; a graph that is exported holds the general way."""
    return x.device.type == "cpu" and not torch.compiler.is_compiling()


def _by_clip(step: Callable[..., Tensor], *batched: Tensor) -> Tensor:
    if not _on_cpu(batched[0]) or len(batched[0]) < 2:
        return step(*batched)
    return torch.cat([step(*clip) for clip in zip(*(torch.split(x, 1) for x in batched), strict=True)])


def _single_precision(x: Tensor) -> contextlib.AbstractContextManager[object]:
    """Out of autocast: the logarithm of a bfloat16 has steps of a whole dB."""
    if torch.is_autocast_enabled(x.device.type):
        return torch.autocast(x.device.type, enabled=False)
    return contextlib.nullcontext()


def _blocks(bank: Tensor) -> list[tuple[slice, slice]]:
    """Rows of the bank, some at a time, and the bins that they span."""
    used = (bank != 0).numpy()
    blocks = []
    for first in range(0, len(bank), _BLOCK):
        bins = np.flatnonzero(used[first : first + _BLOCK].any(axis=0))
        span = slice(int(bins[0]), int(bins[-1]) + 1) if len(bins) else slice(0, 1)
        blocks.append((slice(first, first + _BLOCK), span))
    return blocks


def _smoothing(config: SpectrogramConfig) -> dict[str, Tensor]:
    """Of PCEN's recursion m[t] = (1 - b) m[t - 1] + b x[t]: the weights of the inputs, and of the state."""
    frames = _TIME_CONSTANT * config.sample_rate / config.hop_length
    b = (math.sqrt(1 + 4 * frames**2) - 1) / (2 * frames**2)
    step = torch.arange(_CHUNK, dtype=torch.float64)
    apart = step - step[:, None]
    return {
        "smoothing": torch.where(apart >= 0, b * (1 - b) ** apart.clamp(min=0), 0.0).float(),
        "decay": ((1 - b) ** (step + 1)).float(),
    }


def _logarithm(bands: Tensor, config: SpectrogramConfig) -> Tensor:
    """As librosa's power_to_db or amplitude_to_db with a reference of 1, or the natural logarithm."""
    bands = bands.clamp(min=math.sqrt(_AMIN) if config.of_amplitude else _AMIN)
    if not config.decibel:
        return bands.log()
    found = (20.0 if config.of_amplitude else 10.0) * bands.log10()
    if config.top_db is None:
        return found
    return found.maximum(found.amax(dim=(-2, -1), keepdim=True) - config.top_db)


def _scaled(image: Tensor, config: SpectrogramConfig) -> Tensor:
    if config.scale == "none":
        return image
    if config.scale == "fixed":
        return (image - config.mean) / config.std
    low, high = image.amin(dim=(-2, -1), keepdim=True), image.amax(dim=(-2, -1), keepdim=True)
    span = high - low
    # what differs by rounding alone is constant
    constant = span <= 1e-6 * high.abs().maximum(low.abs())
    image = torch.where(constant, 0.0, (image - low) / torch.where(constant, 1.0, span))
    if config.scale == "minmax":
        return image
    # within 0 to 1 neither squares nor the mean can overflow or cancel
    image = image - image.mean(dim=(-2, -1), keepdim=True)
    deviation = image.square().mean(dim=(-2, -1), keepdim=True).sqrt()
    return image / torch.where(constant, 1.0, deviation)
