"""Compiled loops over frames, where numpy would need a copy of the spectrogram."""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

# sums may be reordered (this vectorises them), but NaN and infinity keep their meaning
_FAST = {"reassoc", "contract", "nsz", "arcp"}
_TINY = 1.1754944e-38
_AMIN = 1e-10
_STRETCH = 32


@numba.njit(nogil=True, cache=True, fastmath=_FAST)
def power_and_mel(spec: Any, firsts: Any, lengths: Any, weights: Any, power: Any, mel: Any) -> None:
    """Compute |X|^2 of each frame, and its mel bands through the non-zero weights only.

    ``spec`` (n, bins or more) complex; band ``m`` is ``lengths[m]`` weights of ``weights[m]`` from bin ``firsts[m]``;
    ``power`` (n, bins) and ``mel`` (n, bands) are written.
    """
    for t in range(spec.shape[0]):
        row = power[t]
        for k in range(power.shape[1]):
            re = spec[t, k].real
            im = spec[t, k].imag
            row[k] = re * re + im * im
        for m in range(firsts.size):
            total = np.float32(0.0)
            first = firsts[m]
            for j in range(lengths[m]):
                total += weights[m, j] * row[first + j]
            mel[t, m] = total


@numba.njit(nogil=True, cache=True, fastmath=_FAST)
def spectral_shape(power: Any, freqs: Any, percents: Any, mag: Any, shape: Any, rolloff: Any) -> None:
    """Compute centroid, bandwidth, flatness (``shape``, 3 columns) and rolloffs of each frame.

    ``power`` (n, bins); ``mag``, its square root, is also written; ``percents`` ascend.
    """
    bins = power.shape[1]
    for t in range(power.shape[0]):
        row = power[t]
        mags = mag[t]
        total = 0.0
        first = 0.0
        second = 0.0
        energy = 0.0
        for k in range(bins):
            m = math.sqrt(row[k])
            mags[k] = m
            total += m
            first += m * freqs[k]
            second += m * freqs[k] * freqs[k]
            energy += max(row[k], _AMIN)
        # logarithms of products of eight: far fewer logarithms, and no overflow in double precision
        logs = 0.0
        for start in range(0, bins, 8):
            product = 1.0
            for k in range(start, min(start + 8, bins)):
                product *= max(row[k], _AMIN)
            logs += math.log(product)
        centroid = first / total if total > _TINY else 0.0
        variance = second / total - centroid * centroid if total > _TINY else 0.0
        shape[t, 0] = centroid
        shape[t, 1] = math.sqrt(max(variance, 0.0))
        shape[t, 2] = math.exp(logs / bins) / (energy / bins)
        running = 0.0
        k = -1
        for p in range(percents.size):
            threshold = percents[p] * total
            while k < 0 or (running < threshold and k < bins - 1):
                k += 1
                running += mags[k]
            rolloff[t, p] = freqs[k]


# full fastmath: minimum and maximum are only vectorised if NaN can be ignored
@numba.njit(nogil=True, cache=True, fastmath=True, inline="never")
def _extent(row: Any, first: int, last: int) -> Any:
    least = row[first]
    most = row[first]
    for k in range(first + 1, last):
        least = min(least, row[k])
        most = max(most, row[k])
    return least, most


@numba.njit(nogil=True, cache=True)
def _insert(smallest: Any, n: int, row: Any, start: int, stop: int) -> None:
    """Insert the values of a stretch into the ascending list of the ``n`` smallest so far."""
    for k in range(start, stop):
        value = row[k]
        if value < smallest[n - 1]:
            i = n - 1
            while i > 0 and smallest[i - 1] > value:
                smallest[i] = smallest[i - 1]
                i -= 1
            smallest[i] = value


@numba.njit(nogil=True, cache=True)
def band_extremes(mag: Any, firsts: Any, lasts: Any, counts: Any, valley: Any, peak: Any) -> None:
    """Compute the mean of the ``counts[b]`` smallest and largest magnitudes of each band, by partial selection."""
    low = np.empty(counts.max(), np.float32)
    high = np.empty(counts.max(), np.float32)
    negative = np.empty(mag.shape[1], np.float32)
    for t in range(mag.shape[0]):
        row = mag[t]
        negative[:] = -row
        for b in range(firsts.size):
            n = counts[b]
            low[:n] = np.inf
            high[:n] = np.inf
            for start in range(firsts[b], lasts[b], _STRETCH):
                stop = min(start + _STRETCH, lasts[b])
                least, largest = _extent(row, start, stop)
                # most stretches have no new extreme and are skipped here
                if least < low[n - 1]:
                    _insert(low, n, row, start, stop)
                if -largest < high[n - 1]:
                    _insert(high, n, negative, start, stop)
            valley[t, b] = low[:n].mean()
            peak[t, b] = -high[:n].mean()


@numba.njit(nogil=True, cache=True, fastmath=_FAST)
def project(x: Any, rows: Any, out: Any) -> None:
    """Write the product of ``x`` (n, width) and the transpose of ``rows`` (m, width) into ``out`` (n, m).

    A BLAS would start its own threads inside the threads over clips.
    """
    for t in range(x.shape[0]):
        for r in range(rows.shape[0]):
            total = np.float32(0.0)
            for k in range(x.shape[1]):
                total += x[t, k] * rows[r, k]
            out[t, r] = total


@numba.njit(nogil=True, cache=True, fastmath=_FAST)
def rms_and_zero_crossings(y: Any, frame_length: int, hop_length: int, rms: Any, zcr: Any) -> None:
    """Compute root mean square and zero-crossing rate of centred frames of ``y`` (n_samples,).

    Beyond the ends ``y`` is zero for the first and its edge value for the second, as in librosa.
    """
    n = y.size
    half = frame_length // 2
    # frames overlap: each shared stretch is summed once
    size = math.gcd(hop_length, half)
    blocks = (n + size - 1) // size
    energy = np.empty(blocks, np.float64)
    crossings = np.empty(blocks, np.int32)
    for b in range(blocks):
        total = 0.0
        count = 0
        for i in range(b * size, min((b + 1) * size, n)):
            total += np.float64(y[i]) * y[i]
        for i in range(max(b * size, 1), min((b + 1) * size, n)):
            count += (y[i] < -_AMIN) != (y[i - 1] < -_AMIN)
        energy[b] = total
        crossings[b] = count
    for t in range(rms.size):
        start = t * hop_length - half
        first = max(start // size, 0)
        last = min((start + frame_length) // size, blocks)
        rms[t] = math.sqrt(energy[first:last].sum() / frame_length)
        count = crossings[first:last].sum()
        # a crossing just before the frame's first sample is not in the frame
        if start > 0:
            count -= (y[start] < -_AMIN) != (y[start - 1] < -_AMIN)
        zcr[t] = count / frame_length


@numba.njit(nogil=True, cache=True, fastmath=_FAST)
def moments(x: Any, out: Any) -> None:
    """Compute mean, deviation, minimum, maximum, skewness, excess kurtosis and mean absolute change of each row.

    ``x`` (rows, n) float32, ``out`` (rows, 7). A row that is constant except for rounding has skewness and kurtosis 0.
    """
    n = x.shape[1]
    for r in range(x.shape[0]):
        row = x[r]
        total = 0.0
        least = row[0]
        most = row[0]
        change = 0.0
        for i in range(n):
            total += row[i]
            least = min(least, row[i])
            most = max(most, row[i])
        for i in range(1, n):
            change += abs(row[i] - row[i - 1])
        mean = total / n
        second = 0.0
        third = 0.0
        fourth = 0.0
        for i in range(n):
            d = row[i] - mean
            second += d * d
            third += d * d * d
            fourth += d * d * d * d
        second /= n
        std = math.sqrt(second)
        out[r, 0] = mean
        out[r, 1] = std
        out[r, 2] = least
        out[r, 3] = most
        out[r, 6] = change / max(n - 1, 1)
        if std > 1e-6 * max(abs(least), abs(most)) + 1e-12:
            out[r, 4] = third / n / (second * std)
            out[r, 5] = fourth / n / (second * second) - 3.0
        else:
            out[r, 4] = 0.0
            out[r, 5] = 0.0
