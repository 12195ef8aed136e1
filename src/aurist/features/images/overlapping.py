"""Images of windows of one stretch of sound: the frames that windows have in common are transformed once."""

from __future__ import annotations

import numpy as np

from aurist.features.images.maker import Complex, Float, ImageMaker, Index
from aurist.features.spectrogram_config import n_frames, shape

#: A window whose mean differs by more than this share of its peak from that of the stretch is computed by itself: its
#: bands would have the rounding of a large offset.
_LARGEST_OFFSET = 0.5


def overlapping_images(maker: ImageMaker, sound: Float, starts: Index, n_samples: int) -> Float:
    """Make the images of windows of a stretch of sound: those that `ImageMaker` makes of each, up to rounding.

    The spectrum is linear in the samples, so frames of the stretch serve each window whose frames begin at the same
    samples, with its own offset and gain. The frames at its ends, which reach beyond it, are its own.

    Parameters
    ----------
    maker
        Makes images.
    sound
        (n,), float32.
    starts
        (n_windows,), ascending: the first sample of each window, which ends within the stretch.
    n_samples
        Samples of a window.

    Returns
    -------
    (n_windows, channels, rows, frames), float32

    Examples
    --------
    >>> from aurist.features.spectrogram_config import SpectrogramConfig
    >>> sound = np.random.default_rng(0).standard_normal(44100).astype(np.float32)
    >>> overlapping_images(ImageMaker(SpectrogramConfig()), sound, np.array([0, 10240]), 22050).shape
    (2, 1, 128, 44)
    """
    out = np.empty((len(starts), *shape(maker.config, n_samples)), dtype=np.float32)
    frames = _shared_frames(maker, sound, starts, n_samples)
    for start, image in zip(starts, out, strict=True):
        window = sound[start : start + n_samples]
        bands = None if frames is None else frames.bands_of(int(start), window)
        if bands is None:
            maker.make(window, image)
        else:
            maker.finish(bands, image)
    return out


class _SharedFrames:
    """The bands of the frames of a stretch of sound, without its mean.

    Parameters
    ----------
    maker
        Makes images.
    sound
        The stretch.
    begin
        The first sample of the first window.
    first, last
        The first frame that lies within a window, and the one after the last.
    count
        Frames of the stretch.
    """

    def __init__(
        self, maker: ImageMaker, sound: Float, begin: int, first: int, last: int, count: int
    ) -> None:
        self._maker, self._begin, self._first, self._last = maker, begin, first, last
        config = maker.config
        used = sound[begin : begin + (first + count) * config.hop_length + config.n_fft]
        self._offset = np.float32(0 if config.level == "keep" else used.mean(dtype=np.float64))
        self._bands = np.empty((count, config.n_mels), dtype=np.float32)
        self._lowest: Complex = np.empty((count, 2), dtype=np.complex64)
        maker.bands(used, self._offset, np.float32(1), first, self._bands, self._lowest)
        n = config.n_fft
        #: the two lowest bins of the window function: the spectrum of a constant has no others
        self._constant = np.array([n / 2, -n / 4], dtype=np.float32)
        bank = maker.bank
        weights = np.zeros((2, config.n_mels), dtype=np.float32)
        for band, low in enumerate(bank.firsts):
            for bin_number in range(int(low), min(2, int(low + bank.lengths[band]))):
                weights[bin_number, band] = bank.weights[band, bin_number - low]
        self._weights = weights if weights.any() else None

    def bands_of(self, start: int, window: Float) -> Float | None:
        """Return the bands of a window, (frames, n_mels); None if it must be computed by itself."""
        maker, config = self._maker, self._maker.config
        offset, gain = maker.level(window)
        left = offset - self._offset
        if abs(left) * gain > _LARGEST_OFFSET:
            return None
        bands = np.empty((n_frames(config, len(window)), config.n_mels), dtype=np.float32)
        maker.bands(window, offset, gain, 0, bands[: self._first])
        maker.bands(window, offset, gain, self._last, bands[self._last :])
        at = (start - self._begin) // config.hop_length
        rows = slice(at, at + self._last - self._first)
        middle = bands[self._first : self._last]
        scale = gain if config.power == 1 else gain * gain
        np.multiply(self._bands[rows], scale, out=middle)
        if self._weights is not None:
            lowest = np.abs((self._lowest[rows] - left * self._constant) * gain)
            middle += (lowest if config.power == 1 else np.square(lowest)) @ self._weights
        return bands


def _shared_frames(maker: ImageMaker, sound: Float, starts: Index, n_samples: int) -> _SharedFrames | None:
    """Transform the frames that windows have in common; None if that saves nothing."""
    config = maker.config
    hop = config.hop_length
    first = -(-config.margin // hop)
    last = (n_samples + config.margin - config.n_fft) // hop + 1
    if len(starts) < 2 or last <= first or (np.diff(starts) % hop).any():
        return None
    count = int(starts[-1] - starts[0]) // hop + last - first
    own = n_frames(config, n_samples) - (last - first)
    if count + len(starts) * own >= len(starts) * (last - first + own):
        return None
    return _SharedFrames(maker, sound, int(starts[0]), first, last, count)
