"""Compute a fingerprint of a sound that survives re-encoding, level changes, trimming and resampling.

Every 8 ms, 64 bits tell whether the difference in energy between neighbouring bands grew or fell since 32 ms ago
(Haitsma and Kalker, "A Highly Robust Audio Fingerprinting System", ISMIR 2002), here on 65 mel-spaced bands up to 7.6
kHz. Unlike theirs, each bit has a second bit that tells whether it is reliable: bits from digital silence, from above
the Nyquist frequency or from differences too small to survive a codec are not compared. Unrelated sounds then differ in
about half of the bits, even stationary ones (rain, hum), and altered copies in a few percent.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

RATE = 16_000
N_FFT = 1024
HOP = 128
LAG = 4
N_BANDS = 65
LOW_HZ, HIGH_HZ = 150.0, 7_600.0
#: A band further below the loudest moment of the clip holds remains of a codec, not sound.
FLOOR_DB = 75.0
#: A band below the rounding noise of 16-bit samples holds no sound (power of a band; a full-scale sine has 48 dB).
ROUNDING_DB = -62.0
#: A difference smaller than this may change its sign in a copy.
WEAK_DB = 1.5
#: From this sample rate on a recording is ultrasound and is slowed down ten times, as bat workers do.
ULTRASOUND_RATE = 128_000
#: Samples at `RATE` to compute at once: few samples of a low rate become many.
_AT_ONCE = 1 << 21
#: Part of the cache key of fingerprints; raise it if the bits change.
VERSION = 3

Bits = npt.NDArray[np.uint64]
Samples = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Fingerprint:
    """Two 64-bit words per frame.

    Parameters
    ----------
    code : (n_frames,), uint64
        The bits.
    reliable : (n_frames,), uint64
        Mask of the reliable bits.
    hop : float
        Seconds from one frame to the next.
    """

    code: Bits
    reliable: Bits
    hop: float = HOP / RATE

    def __len__(self) -> int:
        return len(self.code)


def processing_rate(sample_rate: float) -> float:
    """Return the sample rate to use, in Hz: the file's own, or a tenth of it for ultrasound."""
    return sample_rate / 10 if sample_rate >= ULTRASOUND_RATE else sample_rate


def fingerprint(y: Samples, sample_rate: float) -> Fingerprint:
    """Compute the fingerprint of one sound.

    Parameters
    ----------
    y : (n_samples,), float32 in [-1, 1]
        The sound, one channel.
    sample_rate
        Its sample rate in Hz. Any rate is allowed; the fingerprint is computed at 16 kHz.

    Returns
    -------
    Fingerprint
        One frame every 8 ms; no frame if the sound is shorter than 96 ms.

    Examples
    --------
    >>> import numpy as np
    >>> noise = np.random.default_rng(0).normal(0, 0.1, 16_000).astype(np.float32)
    >>> a, b = fingerprint(noise, 16_000), fingerprint(noise * 0.5, 16_000)
    >>> len(a), bool((a.code == b.code).all())
    (114, True)
    """
    return fingerprint_blocks([y], sample_rate)


def fingerprint_blocks(blocks: Iterable[Samples], sample_rate: float) -> Fingerprint:
    """Compute the fingerprint of a sound in blocks. Memory grows by 32 kB per second of sound.

    Parameters
    ----------
    blocks
        Consecutive pieces, each (n_samples,), float32.
    sample_rate
        Their sample rate in Hz.
    """
    energies: list[npt.NDArray[np.float32]] = []
    rest = np.empty(0, dtype=np.float32)
    for block in _resampled(blocks, processing_rate(sample_rate)):
        y = np.concatenate([rest, block])
        if len(y) < N_FFT:
            rest = y
            continue
        n = 1 + (len(y) - N_FFT) // HOP
        energies.append(_band_energies(y, n))
        rest = y[n * HOP :]
    hop = HOP / RATE * processing_rate(sample_rate) / sample_rate
    if not energies:
        return Fingerprint(np.empty(0, np.uint64), np.empty(0, np.uint64), hop)
    return _bits(np.concatenate(energies), processing_rate(sample_rate), hop)


def _resampled(blocks: Iterable[Samples], sample_rate: float) -> Iterable[Samples]:
    if sample_rate == RATE:
        yield from blocks
        return
    import soxr

    stream = soxr.ResampleStream(sample_rate, RATE, 1, dtype="float32", quality="MQ")
    step = max(1, int(_AT_ONCE * sample_rate / RATE))
    for block in blocks:
        for begin in range(0, len(block), step):
            yield stream.resample_chunk(np.ascontiguousarray(block[begin : begin + step], dtype=np.float32))
    yield stream.resample_chunk(np.empty(0, dtype=np.float32), last=True)


def band_edges() -> npt.NDArray[np.intp]:
    """Return the 66 FFT bins at the edges of the bands, evenly spaced in mel (HTK's formula)."""
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (LOW_HZ, HIGH_HZ))
    hz = 700 * (10 ** (np.linspace(low, high, N_BANDS + 1) / 2595) - 1)
    return np.round(hz / RATE * N_FFT).astype(np.intp)


def _band_energies(y: Samples, n: int) -> npt.NDArray[np.float32]:
    """Return the energy in dB of every band of ``n`` frames, (n, 65)."""
    from scipy.fft import rfft

    window = np.hanning(N_FFT + 1)[:-1].astype(np.float32)
    edges = band_edges()
    frames = np.lib.stride_tricks.sliding_window_view(y, N_FFT)[::HOP]
    out = np.empty((n, N_BANDS), dtype=np.float32)
    for begin in range(0, n, 512):
        spectrum = rfft(frames[begin : begin + 512] * window, axis=1)
        power = spectrum.real**2 + spectrum.imag**2
        out[begin : begin + 512] = np.add.reduceat(power[:, : edges[-1]], edges[:-1], axis=1)
    return np.asarray(10 * np.log10(out + np.float32(1e-12)), dtype=np.float32)


def _bits(level: npt.NDArray[np.float32], sample_rate: float, hop: float) -> Fingerprint:
    audible = level > max(float(level.max()) - FLOOR_DB, ROUNDING_DB)
    # resamplers and codecs fade out below the Nyquist frequency
    audible[:, band_edges()[1:] * (RATE / N_FFT) > 0.95 * sample_rate / 2] = False
    slope = level[:, :-1] - level[:, 1:]
    both = audible[:, :-1] & audible[:, 1:]
    change = slope[LAG:] - slope[:-LAG]
    reliable = both[LAG:] & both[:-LAG] & (np.abs(change) > WEAK_DB)
    return Fingerprint(_packed(change > 0), _packed(reliable), hop)


def _packed(bits: npt.NDArray[np.bool_]) -> Bits:
    return np.packbits(bits, axis=1, bitorder="little").view(np.dtype("<u8")).ravel().astype(np.uint64)
