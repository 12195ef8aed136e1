"""Windows, filter banks and transforms, computed once for each setting."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float32]
Index = npt.NDArray[np.int64]


@dataclass(frozen=True)
class MelBank:
    """Triangular mel bands, as their non-zero weights.

    Parameters
    ----------
    firsts, lengths
        (n_mels,): each band's first bin and number of bins.
    weights
        (n_mels, longest), float32: the weights, then zeros.
    """

    firsts: Index
    lengths: Index
    weights: Float


@lru_cache(maxsize=8)
def hann(n_fft: int) -> npt.NDArray[np.float64]:
    """Return the periodic Hann window, (n_fft,)."""
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft))


@lru_cache(maxsize=8)
def frequencies(sample_rate: float, n_fft: int) -> npt.NDArray[np.float64]:
    """Return the centres of bins in Hz, (n_fft // 2 + 1,)."""
    return np.fft.rfftfreq(n_fft, 1 / sample_rate).astype(np.float64)


def hz_to_mel(hz: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Convert Hz to Slaney's mel scale: linear to 1 kHz, logarithmic above (Auditory Toolbox, 1998)."""
    f = np.asarray(hz, dtype=np.float64)
    return np.where(f < 1000, f * 3 / 200, 15 + 27 * np.log(np.maximum(f, 1) / 1000) / np.log(6.4))


def mel_to_hz(mel: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Convert Slaney's mel scale to Hz: the inverse of `hz_to_mel`."""
    m = np.asarray(mel, dtype=np.float64)
    return np.where(m < 15, m * 200 / 3, 1000 * np.exp((m - 15) * np.log(6.4) / 27))


@lru_cache(maxsize=8)
def mel_bank(sample_rate: float, n_fft: int, n_mels: int, fmin: float, fmax: float) -> MelBank:
    """Return Slaney's mel bands, each of unit area: librosa's default."""
    freqs = frequencies(sample_rate, n_fft)
    edges = mel_to_hz(np.linspace(hz_to_mel(fmin), hz_to_mel(fmax), n_mels + 2))
    ramps = edges[:, None] - freqs
    rising = -ramps[:-2] / np.diff(edges)[:-1, None]
    falling = ramps[2:] / np.diff(edges)[1:, None]
    dense = np.maximum(0, np.minimum(rising, falling)) * (2 / (edges[2:] - edges[:-2]))[:, None]
    firsts = np.argmax(dense > 0, axis=1)
    lengths = np.count_nonzero(dense > 0, axis=1)
    weights = np.zeros((n_mels, max(1, lengths.max())), dtype=np.float32)
    for band, (first, length) in enumerate(zip(firsts, lengths, strict=True)):
        weights[band, :length] = dense[band, first : first + length]
    return MelBank(firsts, lengths, weights)


def mel_matrix(sample_rate: float, n_fft: int, n_mels: int, fmin: float, fmax: float) -> Float:
    """Return the bands of `mel_bank` as a matrix, (n_mels, n_fft // 2 + 1)."""
    bank = mel_bank(sample_rate, n_fft, n_mels, fmin, fmax)
    dense = np.zeros((n_mels, n_fft // 2 + 1), dtype=np.float32)
    for band, (first, length) in enumerate(zip(bank.firsts, bank.lengths, strict=True)):
        dense[band, first : first + length] = bank.weights[band, :length]
    return dense


@lru_cache(maxsize=8)
def dct_matrix(n_mels: int, n_mfcc: int) -> Float:
    """Return the orthonormal DCT-II from log-mel bands to cepstra, (n_mfcc, n_mels)."""
    k, n = np.arange(n_mfcc)[:, None], np.arange(n_mels)
    matrix = np.cos(np.pi * k * (n + 0.5) / n_mels) * np.sqrt(2 / n_mels)
    matrix[0] /= np.sqrt(2)
    return np.ascontiguousarray(matrix, dtype=np.float32)


@lru_cache(maxsize=8)
def chroma_bank(sample_rate: float, n_fft: int) -> Float:
    """Return weights from power bins to the twelve pitch classes from C, (12, n_bins).

    As librosa.filters.chroma (after D. Ellis, "Chroma feature analysis and synthesis", 2007), tuned to A440:
    a Gaussian around each pitch class; octaves far from the fifth have smaller weights.
    """
    n_chroma = 12
    bins = n_chroma * np.log2(np.linspace(0, sample_rate, n_fft, endpoint=False)[1:] / (440 / 16))
    bins = np.concatenate([[bins[0] - 1.5 * n_chroma], bins])
    widths = np.concatenate([np.maximum(np.diff(bins), 1.0), [1.0]])
    distance = bins - np.arange(n_chroma)[:, None]
    half = round(n_chroma / 2)
    distance = np.remainder(distance + half + 10 * n_chroma, n_chroma) - half
    weights = np.exp(-0.5 * (2 * distance / widths) ** 2)
    weights /= np.sqrt(np.sum(weights**2, axis=0))
    weights *= np.exp(-0.5 * ((bins / n_chroma - 5) / 2) ** 2)
    from_c = np.roll(weights, -3, axis=0)
    return np.ascontiguousarray(from_c[:, : n_fft // 2 + 1], dtype=np.float32)


@lru_cache(maxsize=1)
def tonnetz_basis() -> Float:
    """Return the basis from pitch classes to the tonal centroid, (6, 12): fifths, minor thirds, major thirds.

    C. Harte, M. Sandler, M. Gasser, "Detecting harmonic change in musical audio", 2006.
    """
    angle = np.array([7 / 6, 7 / 6, 3 / 2, 3 / 2, 2 / 3, 2 / 3])[:, None] * np.linspace(
        0, 12, 12, endpoint=False
    )
    angle[::2] -= 0.5
    radius = np.array([1, 1, 1, 1, 0.5, 0.5])[:, None]
    return np.ascontiguousarray(radius * np.cos(np.pi * angle), dtype=np.float32)


@dataclass(frozen=True)
class ContrastBands:
    """The octave bands of spectral contrast: bins [first, last), and the count of bins for the extremes."""

    firsts: Index
    lasts: Index
    counts: Index


@lru_cache(maxsize=8)
def contrast_bands(
    sample_rate: float, n_fft: int, bins: int | None = None, quantile: float = 0.02
) -> ContrastBands:
    """Return bands 0-200, 200-400 ... Hz, up to six octaves, of the first ``bins`` bins.

    The edges are librosa's: each band includes the bin below it; all except the last lose their top bin.
    """
    freqs = frequencies(sample_rate, n_fft)[:bins]
    edges = [0.0] + [200.0 * 2**k for k in range(7)]
    while len(edges) > 3 and edges[-2] >= freqs[-1]:
        edges.pop()
    firsts, lasts, counts = [], [], []
    for band, (low, high) in enumerate(pairwise(edges)):
        inside = np.flatnonzero((freqs >= low) & (freqs <= high))
        final = band == len(edges) - 2
        first = max(0, int(inside[0]) - (1 if band > 0 else 0))
        stop = len(freqs) if final else int(inside[-1]) + 1
        counts.append(max(1, round(quantile * (stop - first))))
        firsts.append(first)
        lasts.append(stop if final else max(first + 1, stop - 1))
    return ContrastBands(np.array(firsts), np.array(lasts), np.array(counts))
