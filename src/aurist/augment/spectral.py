"""Augmentation of spectra: what transforms of sound do, done to the power spectrum at a small part of the cost.

The settings and the draws are those of the transforms of sound (`aurist.augment.settings.SPECTRUM`); the result is
close to, not the same as, the spectrum of the changed sound. Pitch is moved by a mel bank whose bands lie elsewhere:
the spectrum stays as it is, so that noise added to it moves with the pitch. Noise keeps its level, of which a phase
vocoder loses 3 to 5 dB.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from aurist.augment.base import Drawn, Transform
from aurist.augment.compose import Compose, OneOf
from aurist.augment.level import Gain, Volume, volume_curve
from aurist.augment.masks import FrequencyMask, TimeMask, bounds
from aurist.augment.noise import GaussianNoise, Noise, PinkNoise, pink, white
from aurist.augment.pitch import PitchShift
from aurist.augment.shift import Shift, TimeShift
from aurist.errors import ConfigError
from aurist.features import filters
from aurist.features.spectrogram_config import SpectrogramConfig

#: Mel banks are made for pitches this far apart, in semitones: an eighth of a semitone is 0.7 % in frequency.
PITCH_STEP = 0.25
_EULER = 0.5772156649


def augment_spectrum(
    spectrum: Tensor,
    compose: Compose,
    drawn: Sequence[list[Drawn]],
    config: SpectrogramConfig,
    *,
    peaks: Tensor | None = None,
) -> tuple[Tensor, Tensor | None]:
    """Apply what was drawn for each clip of a batch to its spectrum.

    Parameters
    ----------
    spectrum
        (batch, n_fft // 2 + 1, frames), as `Spectrogram.power` gives it; it stays as it is.
    compose
        Of the stage "spectrum".
    drawn
        What ``compose.draw`` gave, a list for each clip.
    config
        How the spectrum was made.
    peaks
        (batch,), the highest absolute sample of each clip: needed where a noise is drawn by ``snr_of="peak"``.

    Returns
    -------
    spectrum
        (batch, n_fft // 2 + 1, frames).
    bank
        (batch, n_mels, n_fft // 2 + 1) for `Spectrogram.finish`; None where no pitch is moved.

    Raises
    ------
    ConfigError
        Where a transform is none that can be done to a spectrum, or peaks are needed and not given.
    """
    found, shifts = [], []
    for i, (clip, draws) in enumerate(zip(spectrum, drawn, strict=True)):
        semitones = 0.0
        crest = None if peaks is None else peaks[i] / _level(clip, config)
        for transform, params in _resolved(compose, draws):
            if isinstance(transform, PitchShift):
                semitones += params.semitones
            else:
                clip = _changed(clip, transform, params, config, crest)
        found.append(clip)
        shifts.append(round(semitones / PITCH_STEP))
    bank = torch.stack([warped_bank(config, step * PITCH_STEP) for step in shifts]) if any(shifts) else None
    return torch.stack(found), None if bank is None else bank.to(spectrum.device)


def augment_image(image: Tensor, compose: Compose, drawn: Sequence[list[Drawn]]) -> Tensor:
    """Apply what was drawn for each clip of a batch to its image: the masks of SpecAugment.

    Parameters
    ----------
    image
        (batch, channels, rows, frames); the first channel is changed, in a copy.
    compose
        Of the stage "image".
    drawn
        What ``compose.draw`` gave, a list for each clip.

    Raises
    ------
    ConfigError
        Where a transform is none that can be done to an image.
    """
    out = image.clone()
    means = image[:, 0].mean(dim=(-2, -1))
    for i, draws in enumerate(drawn):
        for transform, spans in _resolved(compose, draws):
            if not isinstance(transform, FrequencyMask | TimeMask):
                raise ConfigError(
                    f"{type(transform).__name__} cannot be applied to an image, only masks can."
                )
            axis = 0 if isinstance(transform, FrequencyMask) else 1
            for first, last in bounds(spans, image.shape[2 + axis]):
                out[i, 0].narrow(axis, first, last - first).copy_(means[i])
    return out


@lru_cache(maxsize=256)
def warped_bank(config: SpectrogramConfig, semitones: float) -> Tensor:
    """The mel bank that sees a spectrum as if its pitch were ``semitones`` higher, (n_mels, n_fft // 2 + 1).

    Power is kept: a tone stays as strong, and noise thins out over the wider range. Up to an octave and more down,
    the bands are evaluated at the frequencies that the bins move to. Upwards that would step over narrow bands;
    there the spectrum is interpolated linearly instead.
    """
    ratio = 2 ** (semitones / 12)
    freqs = filters.frequencies(config.sample_rate, config.n_fft)
    if ratio <= 1:
        return torch.from_numpy(_triangles(config, freqs * ratio).astype(np.float32))
    bank = _triangles(config, freqs) / ratio
    place = np.arange(len(freqs)) / ratio
    below = place.astype(np.int64)
    share = place - below
    dense = np.zeros_like(bank)
    np.add.at(dense.T, below, (bank * (1 - share)).T)
    np.add.at(dense.T, below + 1, (bank * share).T)
    return torch.from_numpy(dense.astype(np.float32))


def _triangles(config: SpectrogramConfig, freqs: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The settings' mel bands at frequencies of any kind, (n_mels, n); see `filters.mel_bank`."""
    mels = np.linspace(filters.hz_to_mel(config.fmin), filters.hz_to_mel(config.highest), config.n_mels + 2)
    edges = filters.mel_to_hz(mels)[:, None]
    rising = (freqs - edges[:-2]) / np.diff(edges, axis=0)[:-1]
    falling = (edges[2:] - freqs) / np.diff(edges, axis=0)[1:]
    return np.asarray(np.maximum(0, np.minimum(rising, falling)) * 2 / (edges[2:] - edges[:-2]))


def _resolved(compose: Compose, draws: list[Drawn]) -> Iterator[tuple[Transform[Any], Any]]:
    """The transforms that were drawn and their parameters, those within others taken out."""
    for step, params in draws:
        transform = compose.transforms[step]
        while isinstance(transform, OneOf):
            transform, params = transform.of[params.step], params.params
        if isinstance(transform, Compose):
            yield from _resolved(transform, params)
        else:
            yield transform, params


def _changed(
    clip: Tensor, transform: Transform[Any], params: Any, config: SpectrogramConfig, crest: Tensor | None
) -> Tensor:
    """One transform of one clip, (n_fft // 2 + 1, frames)."""
    if isinstance(transform, TimeShift):
        return _shifted(clip, transform, params, config)
    if isinstance(transform, GaussianNoise | PinkNoise):
        return _noisy(clip, transform, params, config, crest)
    if isinstance(transform, Gain):
        return clip * float(10 ** (params.db / 20 * config.power))
    if isinstance(transform, Volume):
        curve = volume_curve(transform.curve, clip.shape[-1]).astype(np.float64)
        gain = (10 ** (params.db / 20 * config.power * curve)).astype(np.float32)
        return clip * torch.from_numpy(gain).to(clip.device)
    raise ConfigError(f"{type(transform).__name__} cannot be applied to a spectrum: apply it to the sound.")


def _shifted(clip: Tensor, transform: TimeShift, params: Shift, config: SpectrogramConfig) -> Tensor:
    frames = round(params.seconds * config.sample_rate / config.hop_length)
    out = torch.roll(clip, frames, dims=-1)
    if transform.fill == "zero" and frames:
        gap = out[..., :frames] if frames > 0 else out[..., frames:]
        gap.zero_()
    return out


def _noisy(
    clip: Tensor,
    transform: GaussianNoise | PinkNoise,
    params: Noise,
    config: SpectrogramConfig,
    crest: Tensor | None,
) -> Tensor:
    """Noise of the ratio added as power, as it adds up on average: its phase is not known."""
    frames = clip.shape[-1]
    made_of = 1 << max(11, (2 * frames).bit_length())
    pool = _noise_pool(isinstance(transform, PinkNoise), config, made_of, str(clip.device))
    first = int(np.random.default_rng(params.seed).integers(made_of - frames))
    noise = pool[:, first : first + frames]
    scale = _mean_power(clip, config) / _mean_power(noise, config) * 10 ** (-params.snr_db / 10)
    if transform.snr_of == "peak":
        if crest is None:
            raise ConfigError(
                "The ratio of signal and noise is of peaks, which a spectrum does not hold: give peaks."
            )
        scale = scale * (crest / _expected_crest(frames * config.hop_length)) ** 2
    if config.power == 1:
        return torch.hypot(clip, noise * scale.sqrt())
    return torch.addcmul(clip, noise, scale)


@lru_cache(maxsize=4)
def _noise_pool(is_pink: bool, config: SpectrogramConfig, frames: int, device: str) -> Tensor:
    """The spectrum of noise far longer than clips, to cut from: neighbouring frames overlap as in sound."""
    n = (frames - 1) * config.hop_length + config.n_fft
    made = torch.from_numpy((pink if is_pink else white)(n, 0))
    window = torch.from_numpy(filters.hann(config.n_fft)).float()
    # without centring every frame is full
    found = torch.stft(
        made, config.n_fft, config.hop_length, window=window, center=False, return_complex=True
    )
    power = torch.addcmul(found.real.square(), found.imag, found.imag)
    return (power if config.power == 2 else power.sqrt()).contiguous().to(device)


def _mean_power(spectrum: Tensor, config: SpectrogramConfig) -> Tensor:
    """Over all bins, those of negative frequencies too, and all frames."""
    bins = spectrum.mean(dim=-1) if config.power == 2 else spectrum.square().mean(dim=-1)
    edges = bins[0] if config.n_fft % 2 else bins[0] + bins[-1]
    return (2 * bins.sum() - edges) / config.n_fft


def _level(spectrum: Tensor, config: SpectrogramConfig) -> Tensor:
    """The root mean square of the sound, by Parseval's theorem; a little above 0 for silence."""
    window_power = float((filters.hann(config.n_fft) ** 2).sum())
    return (_mean_power(spectrum, config) / window_power).sqrt().clamp(min=1e-15)


def _expected_crest(n_samples: int) -> float:
    """The highest absolute value to expect of ``n_samples`` of Gaussian noise, over its deviation.

    The mean of the extreme value distribution that it tends to; H. Cramér, Mathematical Methods of Statistics, 1946.
    """
    log = math.log(2 * max(8, n_samples))
    root = math.sqrt(2 * log)
    return root - (math.log(log) + math.log(4 * math.pi) - 2 * _EULER) / (2 * root)
