"""Augmentation of power spectra, at a small part of the cost of changing the sound.

The settings and the draws are those of the transforms of sound (`aurist.augment.settings.SPECTRUM`). The result is
close to the spectrum of the changed sound, not equal. The pitch is shifted by a mel bank with shifted bands: the
spectrum does not change, so added noise is shifted, too. Noise keeps its level; a phase vocoder loses 3 to 5 dB of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from aurist.augment.base import Drawn, Transform
from aurist.augment.compose import Compose, OneOf
from aurist.augment.filtering import Equalizer, HighPass, Kind, LowPass, cutoff_gain, equalizer_gain
from aurist.augment.level import Gain, Volume, volume_curve
from aurist.augment.masks import FrequencyMask, TimeMask, bounds
from aurist.augment.noise import GaussianNoise, Noise, PinkNoise, pink, white
from aurist.augment.pitch import PitchShift
from aurist.augment.shift import TimeShift
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
    """Apply the drawn transforms to the spectrum of each clip of a batch.

    Parameters
    ----------
    spectrum
        (batch, n_fft // 2 + 1, frames), from `Spectrogram.power`; it does not change.
    compose
        The transforms of the stage "spectrum".
    drawn
        The results of ``compose.draw``, a list for each clip.
    config
        The settings of the spectrum.
    peaks
        (batch,), the highest absolute sample of each clip: needed for noise with ``snr_of="peak"``.

    Returns
    -------
    spectrum
        (batch, n_fft // 2 + 1, frames).
    bank
        (batch, n_mels, n_fft // 2 + 1) for `Spectrogram.to_image`; None if no pitch is shifted.

    Raises
    ------
    ConfigError
        If a transform cannot be applied to a spectrum, or peaks are needed and not given.
    """
    out = torch.empty_like(spectrum)
    steps = []
    for i, draws in enumerate(drawn):
        clip = spectrum[i] if config.power == 2 else spectrum[i].square()
        plan = _Plan(clip, config, None if peaks is None else peaks[i])
        for transform, params in _flattened(compose, draws):
            plan.add(transform, params)
        plan.write_to(out[i])
        steps.append(round(plan.semitones / PITCH_STEP))
    if config.power == 1:
        out.sqrt_()
    if not any(steps):
        return out, None
    return out, torch.stack([warped_bank(config, step * PITCH_STEP) for step in steps]).to(spectrum.device)


def augment_image(image: Tensor, compose: Compose, drawn: Sequence[list[Drawn]]) -> Tensor:
    """Apply the drawn masks of SpecAugment to the image of each clip of a batch.

    Parameters
    ----------
    image
        (batch, channels, rows, frames); the first channel is changed, in a copy.
    compose
        The transforms of the stage "image".
    drawn
        The results of ``compose.draw``, a list for each clip.

    Raises
    ------
    ConfigError
        If a transform cannot be applied to an image.
    """
    out = image.clone()
    means = image[:, 0].mean(dim=(-2, -1))
    for i, draws in enumerate(drawn):
        for transform, spans in _flattened(compose, draws):
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
    """Return a mel bank that shifts the pitch of a spectrum up by ``semitones``, (n_mels, n_fft // 2 + 1).

    The power does not change: a tone keeps its level, and noise is spread over a wider range. Downwards, the bands are
    evaluated at the shifted frequencies of the bins. Upwards that would miss narrow bands, so the spectrum is
    interpolated linearly.
    """
    ratio = 2 ** (semitones / 12)
    freqs = filters.frequencies(config.sample_rate, config.n_fft)
    if ratio <= 1:
        return torch.from_numpy(_triangles(config, freqs * ratio).astype(np.float32))
    bank = _triangles(config, freqs) / ratio
    position = np.arange(len(freqs)) / ratio
    lower = position.astype(np.int64)
    share = position - lower
    dense = np.zeros_like(bank)
    np.add.at(dense.T, lower, (bank * (1 - share)).T)
    np.add.at(dense.T, lower + 1, (bank * share).T)
    return torch.from_numpy(dense.astype(np.float32))


def _triangles(config: SpectrogramConfig, freqs: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the mel bands at any frequencies, (n_mels, n); see `filters.mel_bank`."""
    mels = np.linspace(filters.hz_to_mel(config.fmin), filters.hz_to_mel(config.highest), config.n_mels + 2)
    edges = filters.mel_to_hz(mels)[:, None]
    rising = (freqs - edges[:-2]) / np.diff(edges, axis=0)[:-1]
    falling = (edges[2:] - freqs) / np.diff(edges, axis=0)[1:]
    return np.asarray(np.maximum(0, np.minimum(rising, falling)) * 2 / (edges[2:] - edges[:-2]))


def _flattened(compose: Compose, draws: list[Drawn]) -> Iterator[tuple[Transform[Any], Any]]:
    """Yield the drawn transforms with their parameters, also those inside others."""
    for step, params in draws:
        transform = compose.transforms[step]
        while isinstance(transform, OneOf):
            transform, params = transform.of[params.step], params.params
        if isinstance(transform, Compose):
            yield from _flattened(transform, params)
        else:
            yield transform, params


class _Plan:
    """The changes of one clip's power spectrum, (n_freq, frames), collected to be applied at once.

    Except for pitch and filters, the steps treat all frequencies alike: every frame is moved and multiplied by a
    gain, and noise is added with its gains. A filter applies to everything, also to the noise, at any position in the
    list.
    """

    def __init__(self, clip: Tensor, config: SpectrogramConfig, peak: Tensor | None) -> None:
        self.clip = clip
        self.config = config
        self.semitones = 0.0
        self.shift = 0
        self.gain = torch.ones(clip.shape[-1], device=clip.device)
        self.colour: Tensor | None = None
        self.noises: list[tuple[_Noise, Tensor]] = []
        self._level = _power_of_frames(clip, config)
        self._crest = None if peak is None else _crest(peak, self._level, config)

    def add(self, transform: Transform[Any], params: Any) -> None:
        if isinstance(transform, PitchShift):
            self.semitones += params.semitones
        elif isinstance(transform, TimeShift):
            self._move(
                round(params.seconds * self.config.sample_rate / self.config.hop_length), transform.fill
            )
        elif isinstance(transform, Gain):
            self._amplify(torch.tensor(10 ** (params.db / 10), device=self.clip.device))
        elif isinstance(transform, Equalizer):
            self._colour(equalizer_gain(self._freqs(), self.config.sample_rate, params))
        elif isinstance(transform, LowPass | HighPass):
            kind: Kind = "low" if isinstance(transform, LowPass) else "high"
            self._colour(cutoff_gain(self._freqs(), self.config.sample_rate, kind, params.hz))
        elif isinstance(transform, Volume):
            curve = volume_curve(transform.curve, self.clip.shape[-1])
            self._amplify((10 ** torch.from_numpy(curve * np.float32(params.db / 10))).to(self.clip.device))
        elif isinstance(transform, GaussianNoise | PinkNoise):
            self._add_noise(isinstance(transform, PinkNoise), transform.snr_of, params)
        else:
            raise ConfigError(
                f"{type(transform).__name__} cannot be applied to a spectrum: apply it to the sound."
            )

    def write_to(self, out: Tensor) -> None:
        n, shift = self.clip.shape[-1], self.shift
        torch.mul(self.clip[:, : n - shift], self.gain[shift:], out=out[:, shift:])
        if shift:
            torch.mul(self.clip[:, n - shift :], self.gain[:shift], out=out[:, :shift])
        for noise, gain in self.noises:
            # |sqrt(out) + noise|^2: with opposite phases the sum is less than either
            root = out.sqrt().addcmul_(noise.real, gain.sqrt())
            torch.mul(root, root, out=out).addcmul_(noise.imag_squared, gain)
        if self.colour is not None:
            out.mul_(self.colour[:, None])

    def _freqs(self) -> npt.NDArray[np.float64]:
        return filters.frequencies(self.config.sample_rate, self.config.n_fft)

    def _colour(self, gain: npt.NDArray[np.float32]) -> None:
        power = torch.from_numpy(gain**2).to(self.clip.device)
        self.colour = power if self.colour is None else self.colour * power

    def _move(self, frames: int, fill: str) -> None:
        """Shift the frames. Noise is stationary, so only its gain is shifted."""
        n = self.clip.shape[-1]
        keep = torch.ones_like(self.gain)
        if fill == "zero":
            gap = slice(0, max(0, frames)) if frames > 0 else slice(max(0, n + frames), n)
            keep[gap] = 0
        self.shift = (self.shift + frames) % n
        self._level, self.gain = self._level.roll(frames) * keep, self.gain.roll(frames) * keep
        self.noises = [(noise, gain.roll(frames) * keep) for noise, gain in self.noises]

    def _amplify(self, gain: Tensor) -> None:
        self._level, self.gain = self._level * gain, self.gain * gain
        self.noises = [(noise, before * gain) for noise, before in self.noises]

    def _add_noise(self, is_pink: bool, snr_of: str, params: Noise) -> None:
        """Add noise from the pool: its phase relative to the sound is arbitrary."""
        frames = self.clip.shape[-1]
        pool_frames = 1 << max(11, (2 * frames).bit_length())
        pool = _noise_pool(is_pink, self.config, pool_frames, str(self.clip.device))
        first = int(np.random.default_rng(params.seed).integers(pool_frames - frames))
        noise = _Noise(*(part[..., first : first + frames] for part in pool))
        scale = self._level.mean() / noise.level.mean() * 10 ** (-params.snr_db / 10)
        if snr_of == "peak":
            if self._crest is None:
                raise ConfigError(
                    "The signal-to-noise ratio is of peaks, but a spectrum has no peaks: give the peaks."
                )
            scale = scale * (self._crest / _expected_crest(frames * self.config.hop_length)) ** 2
        self.noises.append((noise, scale.expand(frames)))
        self._level = self._level + noise.level * scale


class _Noise(NamedTuple):
    """The spectrum of noise, (n_freq, frames) each, and the mean power of its frames, (frames,)."""

    real: Tensor
    imag_squared: Tensor
    level: Tensor


@lru_cache(maxsize=4)
def _noise_pool(is_pink: bool, config: SpectrogramConfig, frames: int, device: str) -> _Noise:
    """Return noise much longer than clips, to cut from: its frames overlap as in sound."""
    n = (frames - 1) * config.hop_length + config.n_fft
    wave = torch.from_numpy((pink if is_pink else white)(n, 0))
    window = torch.from_numpy(filters.hann(config.n_fft)).float()
    # without centring every frame is complete
    transform = torch.stft(
        wave, config.n_fft, config.hop_length, window=window, center=False, return_complex=True
    )
    # frame by frame in memory, like the spectra: adding another layout is twenty times slower
    real, imag = (part.T.contiguous().T.to(device) for part in (transform.real, transform.imag))
    return _Noise(real, imag.square(), _power_of_frames(real.square() + imag.square(), config))


def _power_of_frames(spectrum: Tensor, config: SpectrogramConfig) -> Tensor:
    """Average over all bins, with negative frequencies, (frames,)."""
    edges = spectrum[0] if config.n_fft % 2 else spectrum[0] + spectrum[-1]
    return (2 * spectrum.sum(dim=0) - edges) / config.n_fft


def _crest(peak: Tensor, level: Tensor, config: SpectrogramConfig) -> Tensor:
    """Return the peak over the root mean square, which follows from Parseval's theorem; 0 for silence."""
    window_power = float((filters.hann(config.n_fft) ** 2).sum())
    return peak / (level.mean() / window_power).sqrt().clamp(min=1e-15)


def _expected_crest(n_samples: int) -> float:
    """Return the expected highest absolute value of ``n_samples`` of Gaussian noise, over its deviation.

    It is the mean of the limiting extreme value distribution; H. Cramér, Mathematical Methods of Statistics, 1946.
    """
    log = math.log(2 * max(8, n_samples))
    root = math.sqrt(2 * log)
    return root - (math.log(log) + math.log(4 * math.pi) - 2 * _EULER) / (2 * root)
