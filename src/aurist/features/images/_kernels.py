"""Compiled loops from samples to images. They run without the interpreter's lock, so threads run side by side."""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

# sums may be reordered (this vectorises them), but NaN and infinity keep their meaning
_FAST = {"reassoc", "contract", "nsz", "arcp"}


@numba.njit(nogil=True, cache=True, fastmath=True)
def extent(y: Any) -> Any:
    """Return the mean, the minimum and the maximum of finite samples."""
    total = 0.0
    least = y[0]
    most = y[0]
    for i in range(y.size):
        total += np.float64(y[i])
        least = min(least, y[i])
        most = max(most, y[i])
    return total / y.size, least, most


@numba.njit(nogil=True, cache=True, fastmath=_FAST)
def cut_frames(
    y: Any, offset: Any, gain: Any, window: Any, hop: int, margin: int, first: int, frames: Any
) -> None:
    """Write windowed frames from the ``first`` on; ``y`` loses its offset and is scaled, and is 0 beyond its ends.

    ``frames`` (n, n_fft) float32 is written. Frame t begins at sample ``t * hop - margin``.
    """
    n_fft = window.size
    for t in range(frames.shape[0]):
        row = frames[t]
        start = (first + t) * hop - margin
        low = min(max(0, -start), n_fft)
        high = max(low, min(n_fft, y.size - start))
        row[:low] = 0.0
        row[high:] = 0.0
        # slices, as only loops from 0 are vectorised
        inside = row[low:high]
        samples = y[start + low : start + high]
        weights = window[low:high]
        for i in range(inside.size):
            inside[i] = (samples[i] - offset) * gain * weights[i]


@numba.njit(nogil=True, cache=True, fastmath=_FAST)
def sum_bands(spectrum: Any, magnitudes: bool, firsts: Any, lengths: Any, weights: Any, bands: Any) -> None:
    """Sum the power, or the magnitudes, of each frame to mel bands, through the non-zero weights only.

    ``spectrum`` (n, n_bins) complex64; band ``m`` has ``lengths[m]`` weights of ``weights[m]`` from bin
    ``firsts[m]`` on; ``bands`` (n, n_bands) float32 is written.
    """
    row = np.empty(spectrum.shape[1], np.float32)
    for t in range(spectrum.shape[0]):
        for k in range(row.size):
            re = spectrum[t, k].real
            im = spectrum[t, k].imag
            row[k] = re * re + im * im
        if magnitudes:
            for k in range(row.size):
                row[k] = math.sqrt(row[k])
        for m in range(firsts.size):
            total = np.float32(0.0)
            power = row[firsts[m] : firsts[m] + lengths[m]]
            for j in range(power.size):
                total += weights[m, j] * power[j]
            bands[t, m] = total


@numba.njit(nogil=True, cache=True, fastmath=_FAST)
def smooth(bands: Any, b: float, out: Any) -> None:
    """Compute the recursion ``m[t] = (1 - b) m[t - 1] + b x[t]`` over the frames of each band, from a state of 1."""
    state = np.ones(bands.shape[1], np.float32)
    for t in range(bands.shape[0]):
        for m in range(bands.shape[1]):
            state[m] += np.float32(b) * (bands[t, m] - state[m])
            out[t, m] = state[m]


@numba.njit(nogil=True, cache=True, fastmath=_FAST)
def resize(image: Any, row: Any, row_share: Any, frame: Any, frame_share: Any, out: Any) -> None:
    """Write ``out`` (n_rows, n_frames) from ``image`` (frames, rows), bilinearly.

    Row r of the result lies between the rows ``row[r]`` and the next, by ``row_share[r]`` from 0 to 1; frames likewise.
    """
    last_row = image.shape[1] - 1
    last_frame = image.shape[0] - 1
    width = out.shape[1]
    high = np.empty((2, width), np.float32)
    line = np.empty(image.shape[0], np.float32)
    in_buffer = np.full(2, -1)
    for r in range(out.shape[0]):
        for side in range(2):
            source = min(row[r] + side, last_row)
            slot = source % 2 if last_row > 0 else 0
            if in_buffer[slot] != source:
                in_buffer[slot] = source
                for t in range(line.size):
                    line[t] = image[t, source]
                for t in range(width):
                    a = line[frame[t]]
                    high[slot, t] = a + frame_share[t] * (line[min(frame[t] + 1, last_frame)] - a)
        low = high[row[r] % 2 if last_row > 0 else 0]
        up = high[min(row[r] + 1, last_row) % 2 if last_row > 0 else 0]
        share = row_share[r]
        for t in range(width):
            out[r, t] = low[t] + share * (up[t] - low[t])
