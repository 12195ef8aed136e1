"""Turn clips into images for networks, one at a time, without torch."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from aurist.features import filters
from aurist.features.level import ROUNDING, SILENT
from aurist.features.spectrogram_config import SpectrogramConfig, n_frames, shape

Float = npt.NDArray[np.float32]
Index = npt.NDArray[np.int64]
Complex = npt.NDArray[np.complex64]

_AMIN = 1e-10  # librosa's floor of a power; its square root is the floor of an amplitude
#: librosa.pcen's defaults, and the scale of float samples to the range of 32-bit integers
_GAIN, _BIAS, _TIME_CONSTANT, _EPS, _PCEN_SCALE = 0.98, 2.0, 0.4, 1e-6, 2.0**31
#: Frames transformed at a time: they and their spectra fit in the cache of a core.
_CHUNK = 32


class ImageMaker:
    """Turns clips into the images of `aurist.features.spectrogram.Spectrogram`, up to rounding.

    Threads may share it; each call runs on one core, mostly without the interpreter's lock.

    Parameters
    ----------
    config
        The settings.

    Examples
    --------
    >>> ImageMaker(SpectrogramConfig(image=(64, 100)))(np.zeros((2, 22050), np.float32)).shape
    (2, 1, 64, 100)
    """

    def __init__(self, config: SpectrogramConfig) -> None:
        self.config = config
        self._window = filters.hann(config.n_fft).astype(np.float32)
        self.bank = filters.mel_bank(
            config.sample_rate, config.n_fft, config.n_mels, config.fmin, config.highest
        )
        self._dct = filters.dct_matrix(config.n_mels, config.n_mfcc) if config.kind == "mfcc" else None

    def __call__(self, clips: Float) -> Float:
        """Turn (batch, n_samples), finite samples in [-1, 1], into (batch, channels, rows, frames)."""
        out = np.empty((len(clips), *shape(self.config, clips.shape[1])), dtype=np.float32)
        for clip, image in zip(clips, out, strict=True):
            self.make(clip, image)
        return out

    def make(self, y: Float, out: Float) -> None:
        """Write the image of a clip (n_samples,), contiguous, into ``out`` (channels, rows, frames)."""
        offset, gain = self.level(y)
        bands = np.empty((n_frames(self.config, len(y)), self.config.n_mels), dtype=np.float32)
        self.bands(y, offset, gain, 0, bands)
        self.finish(bands, out)

    def finish(self, bands: Float, out: Float) -> None:
        """Write the image of the bands of a clip, (frames, n_mels), which change, into ``out``."""
        from aurist.features.images._kernels import resize

        config = self.config
        if config.kind == "pcen":
            bands = self._pcen(bands)
        elif config.kind != "mel":
            bands = _logarithm(bands, config)
        if self._dct is not None:
            bands = _cepstra(bands, self._dct)
        bands = _scaled(bands, config)
        if config.image is None:
            out[0] = bands.T
        else:
            resize(
                bands, *_between(bands.shape[1], out.shape[1]), *_between(len(bands), out.shape[2]), out[0]
            )
        if config.frequency_channel:
            out[1] = np.linspace(-1, 1, out.shape[1], dtype=np.float32)[:, None]

    def level(self, y: Float) -> tuple[np.float32, np.float32]:
        """Return the offset that a clip loses, and the factor that it is scaled by."""
        return (np.float32(0), np.float32(1)) if self.config.level == "keep" else _level(y)

    def bands(
        self,
        y: Float,
        offset: np.float32,
        gain: np.float32,
        first: int,
        out: Float,
        lowest: Complex | None = None,
    ) -> None:
        """Write the mel bands of the frames from the ``first`` on into ``out``, (frames, n_mels).

        With ``lowest``, (frames, 2), the two lowest bins are written there and are not in the bands.
        """
        from scipy.fft import rfft

        from aurist.features.images._kernels import cut_frames, sum_bands

        config, bank = self.config, self.bank
        for at in range(0, len(out), _CHUNK):
            part = out[at : at + _CHUNK]
            frames = np.empty((len(part), config.n_fft), dtype=np.float32)
            cut_frames(y, offset, gain, self._window, config.hop_length, config.margin, first + at, frames)
            spectrum = rfft(frames, axis=1, overwrite_x=True)
            if lowest is not None:
                lowest[at : at + _CHUNK] = spectrum[:, :2]
                spectrum[:, :2] = 0
            sum_bands(spectrum, config.power == 1, bank.firsts, bank.lengths, bank.weights, part)

    def _pcen(self, bands: Float) -> Float:
        """Per-channel energy normalisation (V. Lostanlen et al., "PCEN: why and how", 2019), with a root of 1/2."""
        from aurist.features.images._kernels import smooth

        frames = _TIME_CONSTANT * self.config.sample_rate / self.config.hop_length
        bands *= np.float32(_PCEN_SCALE)
        smoothed = np.empty_like(bands)
        smooth(bands, (math.sqrt(1 + 4 * frames**2) - 1) / (2 * frames**2), smoothed)
        # (x / smoothed^gain + bias)^(1/2) - bias^(1/2), without cancellation for small x
        z = bands * np.exp(np.float32(-_GAIN) * np.log(smoothed + np.float32(_EPS))) / np.float32(_BIAS)
        return np.asarray(np.float32(math.sqrt(_BIAS)) * z / (np.sqrt(1 + z) + 1), dtype=np.float32)


def _level(y: Float) -> tuple[np.float32, np.float32]:
    """Return the offset of a clip, and the factor that makes its loudest sample 1; 0 for silence and constants."""
    from aurist.features.images._kernels import extent

    offset, least, most = extent(y)
    peak = max(most - offset, offset - least)
    return np.float32(offset), np.float32(1 / peak if peak > SILENT + ROUNDING * abs(offset) else 0)


def _logarithm(bands: Float, config: SpectrogramConfig) -> Float:
    """Apply librosa's power_to_db or amplitude_to_db with a reference of 1, or the natural logarithm."""
    floor = math.sqrt(_AMIN) if config.of_amplitude else _AMIN
    np.log(np.maximum(bands, np.float32(floor), out=bands), out=bands)
    if not config.decibel:
        return bands
    bands *= np.float32((20.0 if config.of_amplitude else 10.0) / math.log(10))
    if config.top_db is not None:
        np.maximum(bands, bands.max() - np.float32(config.top_db), out=bands)
    return bands


def _cepstra(bands: Float, dct: Float) -> Float:
    from aurist.features._kernels import project

    out = np.empty((len(bands), len(dct)), dtype=np.float32)
    project(bands, dct, out)  # a product of BLAS would start its own threads
    return out


def _scaled(bands: Float, config: SpectrogramConfig) -> Float:
    if config.scale == "none":
        return bands
    if config.scale == "fixed":
        return (bands - np.float32(config.mean)) / np.float32(config.std)
    low, high = float(bands.min()), float(bands.max())
    span = high - low
    # differences of rounding count as constant
    if span <= 1e-6 * max(abs(high), abs(low)):
        return np.zeros_like(bands)
    bands = (bands - np.float32(low)) / np.float32(span)
    if config.scale == "minmax":
        return bands
    # between 0 and 1, squares and the mean cannot overflow or cancel
    bands -= bands.mean()
    bands /= np.sqrt(np.mean(np.square(bands)))
    return bands


def _between(n_from: int, n_to: int) -> tuple[Index, Float]:
    """Return for each of ``n_to`` points the point of ``n_from`` below it, and the share of the next one.

    Points are the centres of equal cells, as in torch with ``align_corners=False``.
    """
    position = np.maximum((np.arange(n_to) + 0.5) * (n_from / n_to) - 0.5, 0)
    below = np.minimum(position.astype(np.int64), n_from - 1)
    return below, (position - below).astype(np.float32)
