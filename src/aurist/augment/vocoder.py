"""Time stretching and pitch shifting by a phase vocoder.

M. Dolson, "The phase vocoder: a tutorial", 1986; the interpolation of frames is from D. Ellis, "A phase vocoder
in Matlab", 2002, as in librosa. The results agree with those of librosa.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from aurist.augment.base import Wave

N_FFT = 2048
HOP = N_FFT // 4
#: output frames per block: their spectra fit in the cache of a core
_BLOCK = 48


@lru_cache(maxsize=1)
def _window() -> Wave:
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N_FFT) / N_FFT), dtype=np.float32)


def time_stretch(y: Wave, rate: float) -> Wave:
    """Change the speed by the factor ``rate``, and keep the pitch.

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
    # two frames of silence follow the last one: the last steps read them
    padded = np.zeros((n_in + 3) * HOP + 2 * N_FFT, np.float32)
    padded[N_FFT // 2 : N_FFT // 2 + len(y)] = y
    framed = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[::HOP]
    out = np.zeros((len(steps) - 1) * HOP + N_FFT, np.float32)
    phase: tuple[Wave, Wave] | None = None
    for block_start in range(0, len(steps), _BLOCK):
        block_steps = steps[block_start : block_start + _BLOCK]
        first, last = int(block_steps[0]), int(block_steps[-1]) + 2
        spectrum = scipy.fft.rfft(framed[first:last] * window, axis=1)
        spectrum[max(0, n_in - first) :] = 0
        magnitude, real, imag = np.empty((3, *spectrum.shape), np.float32)
        _kernels.magnitudes_and_phasors(spectrum.view(np.float32), magnitude, real, imag)
        phase = phase or (real[0].copy(), imag[0].copy())
        changed = np.empty((len(block_steps), spectrum.shape[1]), np.complex64)
        _kernels.vocode(magnitude, real, imag, block_steps, first, *phase, changed.view(np.float32))
        frames = scipy.fft.irfft(changed, n=N_FFT, axis=1, overwrite_x=True)
        _kernels.overlap_add(frames, window, HOP, block_start * HOP, out)
    return _centred(out, len(steps), length)


def pitch_shift(y: Wave, sample_rate: int, semitones: float) -> Wave:
    """Shift the pitch by ``semitones`` and keep the length: stretch in time, then resample.

    Parameters
    ----------
    y
        (n_samples,), float32.
    sample_rate
        In Hz.
    semitones
        12 are an octave up; may be negative or fractional.

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
    """Crop to a length, or add zeros at the end; return a new array."""
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
    # away from the ends the sum of the squared windows is constant
    window_sum = np.full(len(out), ends[len(ends) // 2], np.float32)
    window_sum[:N_FFT], window_sum[-N_FFT:] = ends[:N_FFT], ends[-N_FFT:]
    if n_frames == few:
        window_sum = ends
    np.divide(out, window_sum, out=out, where=window_sum > np.finfo(np.float32).tiny)
    return fitted(out[N_FFT // 2 :], length)
