"""Time stretching and pitch shifting by a phase vocoder.

M. Dolson, "The phase vocoder: a tutorial", 1986; the interpolation of frames is that of D. Ellis, "A phase vocoder
in Matlab", 2002, as in librosa, with whose sound this agrees.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from aurist.augment.base import Wave

N_FFT = 2048
HOP = N_FFT // 4
#: output frames at a time: their spectra stay in the cache of a core
_BLOCK = 48


@lru_cache(maxsize=1)
def _window() -> Wave:
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N_FFT) / N_FFT), dtype=np.float32)


def time_stretch(y: Wave, rate: float) -> Wave:
    """Play at ``rate`` times the speed and at the same pitch.

    Parameters
    ----------
    y
        (n_samples,), float32.
    rate
        Above 0; 2 is twice as fast.

    Returns
    -------
    (round(n_samples / rate),), float32

    Examples
    --------
    >>> time_stretch(np.zeros(48000, np.float32), 0.8).shape
    (60000,)
    """
    import scipy.fft

    from aurist.augment import _kernels

    length = round(len(y) / rate)
    n_in = 1 + len(y) // HOP
    steps = np.arange(0, n_in, rate, dtype=np.float64)
    window = _window()
    # beyond the last frame lie two of silence, which the last steps look into
    padded = np.zeros((n_in + 3) * HOP + 2 * N_FFT, np.float32)
    padded[N_FFT // 2 : N_FFT // 2 + len(y)] = y
    framed = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[::HOP]
    out = np.zeros((len(steps) - 1) * HOP + N_FFT, np.float32)
    phase: tuple[Wave, Wave] | None = None
    for at in range(0, len(steps), _BLOCK):
        some = steps[at : at + _BLOCK]
        first, last = int(some[0]), int(some[-1]) + 2
        spectrum = scipy.fft.rfft(framed[first:last] * window, axis=1)
        spectrum[max(0, n_in - first) :] = 0
        magnitude, real, imag = np.empty((3, *spectrum.shape), np.float32)
        _kernels.magnitudes_and_phasors(spectrum.view(np.float32), magnitude, real, imag)
        phase = phase or (real[0].copy(), imag[0].copy())
        changed = np.empty((len(some), spectrum.shape[1]), np.complex64)
        _kernels.vocode(magnitude, real, imag, some, first, *phase, changed.view(np.float32))
        frames = scipy.fft.irfft(changed, n=N_FFT, axis=1, overwrite_x=True)
        _kernels.overlap_add(frames, window, HOP, at * HOP, out)
    return _centred(out, len(steps), length)


def pitch_shift(y: Wave, sample_rate: int, semitones: float) -> Wave:
    """Move the pitch by ``semitones`` and keep the length: stretched in time, then resampled back.

    Parameters
    ----------
    y
        (n_samples,), float32.
    sample_rate
        In Hz.
    semitones
        Twelve are an octave up; may be negative and need not be whole.

    Returns
    -------
    (n_samples,), float32

    Examples
    --------
    >>> pitch_shift(np.zeros(48000, np.float32), 48000, -3.5).shape
    (48000,)
    """
    import soxr

    if semitones == 0:
        return y.copy()
    rate = 2.0 ** (-semitones / 12)
    stretched = time_stretch(y, rate)
    shifted = soxr.resample(stretched, sample_rate / rate, sample_rate, quality="HQ")
    return fitted(shifted, len(y))


def fitted(y: Wave, n_samples: int) -> Wave:
    """Cropped, or with zeros added at the end, to a length; a new array."""
    out = np.zeros(n_samples, np.float32)
    n = min(n_samples, len(y))
    out[:n] = y[:n]
    return out


def _centred(out: Wave, n_frames: int, length: int) -> Wave:
    """Undo the sum of the squared windows, and the padding by half a frame at the start."""
    from aurist.augment import _kernels

    window = _window()
    few = min(n_frames, 2 * N_FFT // HOP)
    ends = np.zeros((few - 1) * HOP + N_FFT, np.float32)
    _kernels.overlap_add(np.tile(window, (few, 1)), window, HOP, 0, ends)
    # away from the ends the squared windows add up to the same everywhere
    around = np.full(len(out), ends[len(ends) // 2], np.float32)
    around[:N_FFT], around[-N_FFT:] = ends[:N_FFT], ends[-N_FFT:]
    if n_frames == few:
        around = ends
    np.divide(out, around, out=out, where=around > np.finfo(np.float32).tiny)
    return fitted(out[N_FFT // 2 :], length)
