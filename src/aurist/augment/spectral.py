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
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from aurist.augment.base import Drawn, Transform
from aurist.augment.compose import Compose, OneOf
from aurist.augment.filtering import Equalizer, equalizer_gain
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
        (batch, n_mels, n_fft // 2 + 1) for `Spectrogram.to_image`; None where no pitch is moved.

    Raises
    ------
    ConfigError
        Where a transform is none that can be done to a spectrum, or peaks are needed and not given.
    """
    found = torch.empty_like(spectrum)
    steps = []
    for i, draws in enumerate(drawn):
        clip = spectrum[i] if config.power == 2 else spectrum[i].square()
        plan = _Plan(clip, config, None if peaks is None else peaks[i])
        for transform, params in _resolved(compose, draws):
            plan.add(transform, params)
        plan.carry_out(found[i])
        steps.append(round(plan.semitones / PITCH_STEP))
    if config.power == 1:
        found.sqrt_()
    if not any(steps):
        return found, None
    return found, torch.stack([warped_bank(config, step * PITCH_STEP) for step in steps]).to(spectrum.device)


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


class _Plan:
    """What is to happen to the power spectrum of one clip, (n_freq, frames), added up to be done at once.

    But for pitch and colour the steps treat all frequencies alike: in the end every frame comes from another place,
    times a gain, and stretches of noise are added, times their gains. An equaliser colours all of it, the noise too,
    wherever in the list it stands.
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
            freqs = filters.frequencies(self.config.sample_rate, self.config.n_fft)
            gain = equalizer_gain(freqs, self.config.sample_rate, params)
            power = torch.from_numpy(gain**2).to(self.clip.device)
            self.colour = power if self.colour is None else self.colour * power
        elif isinstance(transform, Volume):
            curve = volume_curve(transform.curve, self.clip.shape[-1])
            self._amplify((10 ** torch.from_numpy(curve * np.float32(params.db / 10))).to(self.clip.device))
        elif isinstance(transform, GaussianNoise | PinkNoise):
            self._add_noise(isinstance(transform, PinkNoise), transform.snr_of, params)
        else:
            raise ConfigError(
                f"{type(transform).__name__} cannot be applied to a spectrum: apply it to the sound."
            )

    def carry_out(self, out: Tensor) -> None:
        n, shift = self.clip.shape[-1], self.shift
        torch.mul(self.clip[:, : n - shift], self.gain[shift:], out=out[:, shift:])
        if shift:
            torch.mul(self.clip[:, n - shift :], self.gain[:shift], out=out[:, :shift])
        for noise, gain in self.noises:
            # |sqrt(out) + noise|^2: where the noise happens to point the other way the sum is less than either
            root = out.sqrt().addcmul_(noise.real, gain.sqrt())
            torch.mul(root, root, out=out).addcmul_(noise.imag_squared, gain)
        if self.colour is not None:
            out.mul_(self.colour[:, None])

    def _move(self, frames: int, fill: str) -> None:
        """Noise that is there already may stay where it is, as it is the same everywhere; its gain moves."""
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
        """The phase of noise to the sound is anything, so that of noise in store will do."""
        frames = self.clip.shape[-1]
        made_of = 1 << max(11, (2 * frames).bit_length())
        pool = _noise_pool(is_pink, self.config, made_of, str(self.clip.device))
        first = int(np.random.default_rng(params.seed).integers(made_of - frames))
        noise = _Noise(*(part[..., first : first + frames] for part in pool))
        scale = self._level.mean() / noise.level.mean() * 10 ** (-params.snr_db / 10)
        if snr_of == "peak":
            if self._crest is None:
                raise ConfigError(
                    "The ratio of signal and noise is of peaks, which a spectrum does not hold: give peaks."
                )
            scale = scale * (self._crest / _expected_crest(frames * self.config.hop_length)) ** 2
        self.noises.append((noise, scale.expand(frames)))
        self._level = self._level + noise.level * scale


class _Noise(NamedTuple):
    """The spectrum of noise: (n_freq, frames) twice, and the mean power of its frames, (frames,)."""

    real: Tensor
    imag_squared: Tensor
    level: Tensor


@lru_cache(maxsize=4)
def _noise_pool(is_pink: bool, config: SpectrogramConfig, frames: int, device: str) -> _Noise:
    """Noise far longer than clips, to cut from: neighbouring frames overlap as in sound."""
    n = (frames - 1) * config.hop_length + config.n_fft
    made = torch.from_numpy((pink if is_pink else white)(n, 0))
    window = torch.from_numpy(filters.hann(config.n_fft)).float()
    # without centring every frame is full
    found = torch.stft(
        made, config.n_fft, config.hop_length, window=window, center=False, return_complex=True
    )
    # frame by frame in memory, as spectra come from the transform: adding across is twenty times slower
    real, imag = (part.T.contiguous().T.to(device) for part in (found.real, found.imag))
    return _Noise(real, imag.square(), _power_of_frames(real.square() + imag.square(), config))


def _power_of_frames(spectrum: Tensor, config: SpectrogramConfig) -> Tensor:
    """The mean over all bins, those of negative frequencies too, (frames,)."""
    edges = spectrum[0] if config.n_fft % 2 else spectrum[0] + spectrum[-1]
    return (2 * spectrum.sum(dim=0) - edges) / config.n_fft


def _crest(peak: Tensor, level: Tensor, config: SpectrogramConfig) -> Tensor:
    """The peak over the root mean square, which Parseval's theorem gives; of silence, 0 over very little."""
    window_power = float((filters.hann(config.n_fft) ** 2).sum())
    return peak / (level.mean() / window_power).sqrt().clamp(min=1e-15)


def _expected_crest(n_samples: int) -> float:
    """The highest absolute value to expect of ``n_samples`` of Gaussian noise, over its deviation.

    The mean of the extreme value distribution that it tends to; H. Cramér, Mathematical Methods of Statistics, 1946.
    """
    log = math.log(2 * max(8, n_samples))
    root = math.sqrt(2 * log)
    return root - (math.log(log) + math.log(4 * math.pi) - 2 * _EULER) / (2 * root)
