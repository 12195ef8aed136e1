"""The compiled loops of the phase vocoder; they compute no angles."""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

# sums may be reordered and contracted, but NaN and infinity keep their meaning
_FAST = {"reassoc", "contract", "nsz", "arcp"}


@numba.njit(nogil=True, cache=True, fastmath=_FAST)
def magnitudes_and_phasors(spectrum: Any, magnitude: Any, real: Any, imag: Any) -> None:
    """Split complex bins into length and direction.

    ``spectrum`` (n, 2 * bins) float32, real and imaginary parts in turn; ``magnitude``, ``real`` and ``imag``
    (n, bins) are written. The direction of a bin without energy is 1, as its angle is 0.
    """
    for t in range(magnitude.shape[0]):
        for k in range(magnitude.shape[1]):
            re = spectrum[t, 2 * k]
            im = spectrum[t, 2 * k + 1]
            length = math.sqrt(re * re + im * im)
            silent = length < np.float32(1e-18)
            inverse = np.float32(1.0) / (np.float32(1.0) if silent else length)
            magnitude[t, k] = length
            real[t, k] = np.float32(1.0) if silent else re * inverse
            imag[t, k] = np.float32(0.0) if silent else im * inverse


@numba.njit(nogil=True, cache=True, fastmath=_FAST)
def vocode(
    magnitude: Any, real: Any, imag: Any, steps: Any, first: int, phase_re: Any, phase_im: Any, out: Any
) -> None:
    """Compute frames at the positions ``steps``: interpolate magnitudes, advance phases.

    The phase advances from frame to frame by the difference of two angles, and whole turns of it change nothing. So the
    running phase is a phasor that is multiplied by one direction and divided by the other.

    ``magnitude``, ``real``, ``imag`` (n, bins) are the frames from number ``first`` on, with two of silence after the
    last; ``phase_re`` and ``phase_im`` (bins,) are the running phase, changed in place; ``out``
    (len(steps), 2 * bins) is written, real and imaginary parts in turn.
    """
    one_and_half = np.float32(1.5)
    half = np.float32(0.5)
    for t in range(steps.size):
        i = int(steps[t]) - first
        later = np.float32(steps[t] - math.floor(steps[t]))
        earlier = np.float32(1.0) - later
        for k in range(magnitude.shape[1]):
            mag = earlier * magnitude[i, k] + later * magnitude[i + 1, k]
            re = phase_re[k]
            im = phase_im[k]
            out[t, 2 * k] = mag * re
            out[t, 2 * k + 1] = mag * im
            turn_re = real[i + 1, k] * real[i, k] + imag[i + 1, k] * imag[i, k]
            turn_im = imag[i + 1, k] * real[i, k] - real[i + 1, k] * imag[i, k]
            new_re = re * turn_re - im * turn_im
            new_im = re * turn_im + im * turn_re
            # one Newton step towards length 1, so that rounding errors do not add up
            scale = one_and_half - half * (new_re * new_re + new_im * new_im)
            phase_re[k] = new_re * scale
            phase_im[k] = new_im * scale


@numba.njit(nogil=True, cache=True, fastmath=_FAST)
def overlap_add(frames: Any, window: Any, hop_length: int, start: int, out: Any) -> None:
    """Add up windowed frames from sample ``start``, as in an inverse short-time Fourier transform."""
    for t in range(frames.shape[0]):
        at = start + t * hop_length
        n = min(window.size, out.size - at)
        for i in range(n):
            out[at + i] += frames[t, i] * window[i]
