"""The loops of `aurist.features._kernels` with numpy, for a few clips: loading compiled code takes over a second.

The results agree to the rounding of single precision.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float32]
Ints = npt.NDArray[np.integer]
Doubles = npt.NDArray[np.float64]

_TINY = 1.1754944e-38
_AMIN = 1e-10


def power_and_mel(
    spec: npt.NDArray[np.complex128], firsts: Ints, lengths: Ints, weights: Float, power: Float, mel: Float
) -> None:
    """Compute |X|^2 of each frame, and its mel bands."""
    used = spec[:, : power.shape[1]]
    power[:] = used.real**2 + used.imag**2
    for band, (first, length) in enumerate(zip(firsts, lengths, strict=True)):
        mel[:, band] = power[:, first : first + length] @ weights[band, :length]


def spectral_shape(
    power: Float, freqs: Doubles, percents: Doubles, mag: Float, shape: Float, rolloff: Float
) -> None:
    """Compute centroid, bandwidth, flatness and rolloffs of each frame."""
    np.sqrt(power, out=mag)
    running = np.cumsum(mag, axis=1, dtype=np.float64)
    total = running[:, -1]
    divisor = np.where(total > _TINY, total, 1.0)
    centroid = np.where(total > _TINY, np.einsum("tk,k->t", mag, freqs) / divisor, 0.0)
    second = np.where(total > _TINY, np.einsum("tk,k->t", mag, freqs**2) / divisor, 0.0)
    floored = np.maximum(power.astype(np.float64), _AMIN)
    shape[:, 0] = centroid
    shape[:, 1] = np.sqrt(np.maximum(second - centroid**2, 0.0))
    shape[:, 2] = np.exp(np.log(floored).mean(axis=1)) / floored.mean(axis=1)
    for column, percent in enumerate(percents):
        reached = np.argmax(running >= (percent * total)[:, None], axis=1)
        rolloff[:, column] = freqs[reached]


def band_extremes(mag: Float, firsts: Ints, lasts: Ints, counts: Ints, valley: Float, peak: Float) -> None:
    """Compute the mean of the ``counts[b]`` smallest and largest magnitudes of each band."""
    for band, (first, last, count) in enumerate(zip(firsts, lasts, counts, strict=True)):
        ordered = np.sort(mag[:, first:last], axis=1)
        valley[:, band] = ordered[:, :count].mean(axis=1)
        peak[:, band] = ordered[:, -count:].mean(axis=1)


def project(x: Float, rows: Float, out: Float) -> None:
    """Write the product of ``x`` and the transpose of ``rows`` into ``out``."""
    np.einsum("tk,rk->tr", x, rows, out=out)


def rms_and_zero_crossings(y: Float, frame_length: int, hop_length: int, rms: Float, zcr: Float) -> None:
    """Compute root mean square and zero-crossing rate of centred frames."""
    half = frame_length // 2
    size = math.gcd(hop_length, half)
    negative = y < -_AMIN
    crossing = np.concatenate([[False], negative[1:] != negative[:-1]])
    energy = _sums_of_frames(y.astype(np.float64) ** 2, half, frame_length, hop_length, size, len(rms))
    count = _sums_of_frames(crossing.astype(np.float64), half, frame_length, hop_length, size, len(rms))
    starts = np.arange(len(rms)) * hop_length - half
    inside = starts > 0
    # a crossing just before the frame's first sample is not in the frame
    count[inside] -= crossing[starts[inside]]
    rms[:] = np.sqrt(energy / frame_length)
    zcr[:] = count / frame_length


def _sums_of_frames(
    values: Doubles, half: int, frame_length: int, hop_length: int, size: int, n_frames: int
) -> Doubles:
    """Sum values over centred frames, by blocks of ``size``: both hop and half a frame are multiples of it."""
    blocks = -(-len(values) // size)
    sums = np.pad(values, (0, blocks * size - len(values))).reshape(blocks, size).sum(axis=1)
    width = frame_length // size
    padded = np.pad(sums, (half // size, width + n_frames * (hop_length // size)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, width)[:: hop_length // size]
    total: Doubles = frames[:n_frames].sum(axis=1)
    return total


def moments(x: Float, out: Float) -> None:
    """Compute mean, deviation, minimum, maximum, skewness, excess kurtosis and mean absolute change of each row."""
    rows = x.astype(np.float64)
    mean, least, most = rows.mean(axis=1), rows.min(axis=1), rows.max(axis=1)
    centred = rows - mean[:, None]
    second = (centred**2).mean(axis=1)
    std = np.sqrt(second)
    varies = std > 1e-6 * np.maximum(np.abs(least), np.abs(most)) + 1e-12
    divisor = np.where(varies, second, 1.0)
    out[:, 0], out[:, 1], out[:, 2], out[:, 3] = mean, std, least, most
    out[:, 4] = np.where(varies, (centred**3).mean(axis=1) / (divisor * np.where(varies, std, 1.0)), 0.0)
    out[:, 5] = np.where(varies, (centred**4).mean(axis=1) / divisor**2 - 3.0, 0.0)
    out[:, 6] = np.abs(np.diff(rows, axis=1)).sum(axis=1) / max(x.shape[1] - 1, 1)
