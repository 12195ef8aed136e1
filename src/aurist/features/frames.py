"""Compute features of every frame of a clip, all from one short-time Fourier transform."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from aurist.features import filters
from aurist.loops import compiles_features

Float = npt.NDArray[np.float32]

PERCENTS = (0.25, 0.5, 0.85, 0.95)
_AMIN = 1e-10
_TOP_DB = 80.0
_TINY = np.finfo(np.float32).tiny
#: Frames to transform at a time: the spectrum of a block fits in a core's cache.
_BLOCK = 64


@dataclass(frozen=True)
class Frames:
    """Features of every frame; (n_frames, width) or (n_frames,), float32.

    Parameters
    ----------
    mel_db
        Log-mel bands in dB, floored 80 dB below the clip's maximum.
    mel
        The same bands as power.
    mfcc
        Cepstral coefficients from the 0th.
    chroma
        Pitch classes from C; the strongest of each frame is 1.
    tonnetz
        Tonal centroid of ``chroma``.
    contrast
        Peak minus valley of octave bands, in dB.
    centroid, bandwidth
        In Hz, of the magnitude spectrum.
    rolloff
        In Hz, a column for each of `PERCENTS`.
    flatness
        Geometric over arithmetic mean of the power spectrum.
    entropy
        Entropy of the mel bands as a distribution, in nats: low for a tone, high for noise.
    flux
        Root mean square change of the log-mel bands since the frame before, in dB.
    rms, zcr
        Level, and sign changes per sample.
    onset
        Mean increase of the log-mel bands: librosa's onset strength.
    frame_rate
        Frames per second.
    """

    mel_db: Float
    mel: Float
    mfcc: Float
    chroma: Float
    tonnetz: Float
    contrast: Float
    centroid: Float
    bandwidth: Float
    rolloff: Float
    flatness: Float
    entropy: Float
    flux: Float
    rms: Float
    zcr: Float
    onset: Float
    frame_rate: float

    def __len__(self) -> int:
        return len(self.rms)


def analyse(
    y: Float,
    sample_rate: float,
    *,
    n_fft: int,
    hop_length: int,
    n_mels: int,
    n_mfcc: int,
    fmin: float,
    fmax: float,
    spectrum_share: float = 1.0,
) -> Frames:
    """Compute the features of every frame: centred, Hann window, zeros beyond the ends, as in librosa.

    Parameters
    ----------
    y
        (n_samples,), float32, finite, at least one sample.
    sample_rate
        In Hz.
    n_fft, hop_length
        Frame length and step, in samples.
    n_mels, n_mfcc
        Mel bands from ``fmin`` to ``fmax`` Hz, and their cepstral coefficients.
    spectrum_share
        Share of the bins to use, from 0 Hz; no mel band may reach above.
    """
    loops = feature_loops(len(y) / sample_rate)
    n = 1 + len(y) // hop_length
    bank = filters.mel_bank(sample_rate, n_fft, n_mels, fmin, fmax)
    bins = round(spectrum_share * (n_fft // 2)) + 1
    chroma_bank = np.ascontiguousarray(filters.chroma_bank(sample_rate, n_fft)[:, :bins])
    freqs = filters.frequencies(sample_rate, n_fft)[:bins]
    bands = filters.contrast_bands(sample_rate, n_fft, bins)
    percents = np.array(PERCENTS)

    mel = np.empty((n, n_mels), np.float32)
    chroma = np.empty((n, 12), np.float32)
    shape = np.empty((n, 3), np.float32)
    rolloff = np.empty((n, len(PERCENTS)), np.float32)
    valley = np.empty((n, len(bands.counts)), np.float32)
    peak = np.empty_like(valley)
    rms, zcr = np.empty(n, np.float32), np.empty(n, np.float32)
    power = np.empty((min(n, _BLOCK), len(freqs)), np.float32)
    magnitude = np.empty_like(power)

    for rows, spectrum in _spectra(y, n, n_fft, hop_length):
        p, m = power[: len(spectrum)], magnitude[: len(spectrum)]
        loops.power_and_mel(spectrum, bank.firsts, bank.lengths, bank.weights, p, mel[rows])
        loops.spectral_shape(p, freqs, percents, m, shape[rows], rolloff[rows])
        loops.band_extremes(m, bands.firsts, bands.lasts, bands.counts, valley[rows], peak[rows])
        loops.project(p, chroma_bank, chroma[rows])
    loops.rms_and_zero_crossings(y, n_fft, hop_length, rms, zcr)

    mel_db = decibels(mel)
    chroma = _normalised(chroma, np.abs(chroma).max(axis=1))
    tonnetz = np.empty((n, 6), np.float32)
    loops.project(_normalised(chroma, np.abs(chroma).sum(axis=1)), filters.tonnetz_basis(), tonnetz)
    mfcc = np.empty((n, n_mfcc), np.float32)
    loops.project(mel_db, filters.dct_matrix(n_mels, n_mfcc), mfcc)
    return Frames(
        mel_db=mel_db,
        mel=mel,
        mfcc=mfcc,
        chroma=chroma,
        tonnetz=tonnetz,
        contrast=decibels(peak) - decibels(valley),
        centroid=shape[:, 0],
        bandwidth=shape[:, 1],
        rolloff=rolloff,
        flatness=shape[:, 2],
        entropy=_entropy(mel),
        flux=_flux(mel_db),
        rms=rms,
        zcr=zcr,
        onset=onset_strength(mel_db, n_fft, hop_length),
        frame_rate=sample_rate / hop_length,
    )


def feature_loops(seconds: float = 0.0) -> Any:
    """Return the module of loops for a clip of this length: compiled, or with numpy."""
    if compiles_features(seconds):
        from aurist.features import _kernels

        return _kernels
    from aurist.features import plain

    return plain


def _spectra(
    y: Float, n: int, n_fft: int, hop_length: int
) -> Iterator[tuple[slice, npt.NDArray[np.complex128]]]:
    """Yield the spectra of centred frames, some frames at a time.

    Double precision takes a seventh more time in all. In single precision, rounding would hide faint sound, and
    spectral contrast uses it.
    """
    import scipy.fft

    padded = np.pad(y, n_fft // 2)
    window = filters.hann(n_fft)
    framed = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[::hop_length]
    buffer = np.empty((min(n, _BLOCK), n_fft))
    for first in range(0, n, _BLOCK):
        rows = slice(first, min(first + _BLOCK, n))
        windowed = np.multiply(framed[rows], window, out=buffer[: rows.stop - first])
        yield rows, scipy.fft.rfft(windowed, axis=1)


def decibels(power: Float) -> Float:
    """Return 10 log10 of a power, floored at 1e-10 and at 80 dB below the maximum: librosa.power_to_db."""
    db = np.maximum(power, np.float32(_AMIN))
    np.log10(db, out=db)
    db *= np.float32(10)
    np.maximum(db, db.max() - np.float32(_TOP_DB), out=db)
    return db


def onset_strength(mel_db: Float, n_fft: int, hop_length: int) -> Float:
    """Return the mean rise of log-mel bands from frame to frame, (n_frames,), moved to the frame's centre.

    S. Böck, G. Widmer, "Maximum filter vibrato suppression for onset detection", 2013, with a filter of one band:
    librosa's default.
    """
    strength = np.zeros(len(mel_db), np.float32)
    first = 1 + n_fft // (2 * hop_length)
    rise = np.maximum(np.diff(mel_db, axis=0), 0).mean(axis=1)
    strength[first:] = rise[: max(0, len(strength) - first)]
    return strength


def _entropy(mel: Float) -> Float:
    share = _normalised(mel, mel.sum(axis=1))
    entropy: Float = -np.einsum("ij,ij->i", share, np.log(np.maximum(share, _TINY)))
    return np.maximum(entropy, 0)


def _flux(mel_db: Float) -> Float:
    change = np.diff(mel_db, axis=0, prepend=mel_db[:1])
    flux: Float = np.sqrt(np.einsum("ij,ij->i", change, change) / np.float32(mel_db.shape[1]))
    return flux


def delta(x: Float, order: int = 1, width: int = 9) -> Float:
    """Return the slope (or curvature) of a line (or parabola) fitted to ``width`` frames, along axis 0.

    A Savitzky-Golay filter; the ends use the fit of the outermost frames: librosa.feature.delta. Clips of fewer frames
    use the longest odd width that fits, and are 0 below three frames.
    """
    n = len(x)
    width = min(width, n - 1 + n % 2)
    if width < 3:
        return np.zeros_like(x)
    half = width // 2
    at = np.arange(-half, half + 1, dtype=np.float64)
    # least squares of a polynomial with the degree of the derivative
    fit = np.linalg.pinv(np.vander(at, order + 1, increasing=True))
    middle = (fit[order] * (1 if order == 1 else 2)).astype(np.float32)
    out = np.empty_like(x)
    central = out[half : n - half]
    np.multiply(x[half : n - half], middle[half], out=central)
    for k in range(1, half + 1):
        later, earlier = x[half + k : n - half + k], x[half - k : n - half - k]
        central += middle[half + k] * (later - earlier if order == 1 else later + earlier)
    out[:half] = central[0]
    out[n - half :] = central[-1]
    return out


def mean_tempogram(onset: Float, frame_rate: float, seconds: float = 8.0) -> Float:
    """Return the autocorrelation of the onset strength in windows of 8 s, averaged over frames, by lag in frames.

    The mean over time of librosa.feature.tempogram (P. Grosche, M. Müller, F. Kurth, "Cyclic tempogram", 2010). Each
    window is scaled by its own energy. The mean is computed before the inverse transform.
    """
    import scipy.fft

    n, length = len(onset), int(seconds * frame_rate)
    padded = np.pad(onset, length // 2, mode="linear_ramp", end_values=0)
    framed = np.lib.stride_tricks.sliding_window_view(padded, length)[:n]
    window = filters.hann(length).astype(np.float32)
    size = scipy.fft.next_fast_len(2 * length - 1, real=True)
    total = np.zeros(size // 2 + 1)
    for first in range(0, n, 256):
        windowed = framed[first : first + 256] * window
        energy = np.einsum("ij,ij->i", windowed, windowed)
        spectrum = scipy.fft.rfft(windowed, n=size, axis=1)
        power = spectrum.real**2 + spectrum.imag**2
        total += (power / np.where(energy > _TINY, energy, 1)[:, None]).sum(axis=0)
    return (scipy.fft.irfft(total, n=size)[:length] / n).astype(np.float32)


def tempo(tempogram: Float, frame_rate: float) -> float:
    """Return beats per minute at the strongest lag, with a log-normal prior around 120: librosa.feature.tempo."""
    bpm = 60.0 * frame_rate / np.arange(1, len(tempogram))
    prior = np.where(bpm < 320, -0.5 * np.log2(bpm / 120.0) ** 2, -np.inf)
    return float(bpm[np.argmax(np.log1p(1e6 * tempogram[1:].astype(np.float64)) + prior)])


def _normalised(x: Float, norms: Float) -> Float:
    divisors = np.where(norms < _TINY, 1, norms).astype(np.float32)
    return x / divisors[:, None]
