"""Summary features: one row of numbers a clip, for tabular models."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aurist.errors import ConfigError, DataError
from aurist.features import rhythm
from aurist.features.frames import PERCENTS, Frames, analyse, delta

Float = npt.NDArray[np.float32]

#: Goes into the key of stored features: to be raised with every change of what is computed.
VERSION = 1

_ALL = ("mean", "std", "min", "median", "max", "skew", "kurtosis", "change")
# the mean of a derivative says only where a clip began and ended
_DERIVATIVE = ("std", "max", "kurtosis")
_DISTRIBUTION = ("mean", "std", "max", "skew")
_MEL_GROUPS = 32
_LOUDEST = 1e12


@dataclass(frozen=True)
class SummaryConfig:
    """How summary features are computed.

    Parameters
    ----------
    sample_rate
        Clips are resampled to this rate, in Hz: what is above half of it is not heard. 22,050 does for
        music, environmental sounds and most animals; bats need their recorder's own rate.
    n_fft, hop_length
        Frame length and step, in samples.
    n_mels
        Mel bands, a multiple of 32.
    n_mfcc
        Cepstral coefficients made of the mel bands.
    fmin, fmax
        Range of the mel bands in Hz; ``fmax=None`` is half the sample rate.

    Raises
    ------
    ConfigError
        Where a setting is out of its range.

    Examples
    --------
    >>> len(summary_columns(SummaryConfig())) > 100
    True
    """

    sample_rate: int = 22050
    n_fft: int = 2048
    hop_length: int = 512
    n_mels: int = 128
    n_mfcc: int = 20
    fmin: float = 0.0
    fmax: float | None = None

    def __post_init__(self) -> None:
        wrong = [
            f"{name} is {value}, but must be {expected}"
            for name, value, expected, good in (
                ("sample_rate", self.sample_rate, "at least 2000 Hz", self.sample_rate >= 2000),
                ("n_fft", self.n_fft, "an even number from 256", self.n_fft >= 256 and self.n_fft % 2 == 0),
                ("hop_length", self.hop_length, "from 1 to n_fft", 1 <= self.hop_length <= self.n_fft),
                (
                    "n_mels",
                    self.n_mels,
                    "a multiple of 32",
                    self.n_mels > 0 and self.n_mels % _MEL_GROUPS == 0,
                ),
                ("n_mfcc", self.n_mfcc, "from 1 to n_mels", 1 <= self.n_mfcc <= self.n_mels),
                ("fmax", self.fmax, "half the sample rate at most", self.highest <= self.sample_rate / 2),
                ("fmin", self.fmin, "from 0 to below fmax", 0 <= self.fmin < self.highest),
            )
            if not good
        ]
        if wrong:
            raise ConfigError("Summary features: " + "; ".join(wrong) + ".")

    @property
    def highest(self) -> float:
        """Upper end of the mel bands, in Hz."""
        return self.sample_rate / 2 if self.fmax is None else self.fmax


def summary(y: Float, config: SummaryConfig) -> Float:
    """Summarise a clip.

    Every number is finite, for silence and for a single sample too: a clip with no rhythm has tempo 0, one
    of fewer than three frames has derivatives 0, a constant has skewness and kurtosis 0.

    Parameters
    ----------
    y
        (n_samples,), float32 at ``config.sample_rate``.
    config
        How.

    Returns
    -------
    (n_features,), float32
        In the order of `summary_columns`.

    Raises
    ------
    DataError
        Where there are no samples, or not all of them are finite.

    Examples
    --------
    >>> y = np.sin(2 * np.pi * 440 * np.arange(22050) / 22050).astype(np.float32)
    >>> found = dict(zip(summary_columns(SummaryConfig()), summary(y, SummaryConfig())))
    >>> round(float(found["centroid_median"]), -1), int(np.argmax([found[f"chroma_{i:02d}_mean"] for i in range(12)]))
    (440.0, 9)
    """
    _check(y)
    frames = analyse(
        np.ascontiguousarray(y, dtype=np.float32),
        config.sample_rate,
        n_fft=config.n_fft,
        hop_length=config.hop_length,
        n_mels=config.n_mels,
        n_mfcc=config.n_mfcc,
        fmin=config.fmin,
        fmax=config.highest,
    )
    parts = [_statistics(track.values, track.statistics) for track in _tracks(frames)]
    return np.concatenate([*parts, rhythm.describe(frames)]).astype(np.float32)


@functools.lru_cache(maxsize=8)
def summary_columns(config: SummaryConfig) -> tuple[str, ...]:
    """The names of the features, such as ``mfcc_03_mean``."""
    # the layout is that of a clip: one of silence is enough to learn it
    silence = analyse(
        np.zeros(1, np.float32),
        config.sample_rate,
        n_fft=config.n_fft,
        hop_length=config.hop_length,
        n_mels=config.n_mels,
        n_mfcc=config.n_mfcc,
        fmin=config.fmin,
        fmax=config.highest,
    )
    names = [
        f"{name}_{statistic}"
        for track in _tracks(silence)
        for name in track.names()
        for statistic in track.statistics
    ]
    return (*names, *rhythm.COLUMNS)


@dataclass(frozen=True)
class _Track:
    """Some features over time, (n_frames, width), and the statistics wanted of each."""

    name: str
    values: Float
    statistics: tuple[str, ...] = _ALL
    suffixes: tuple[str, ...] | None = None

    def names(self) -> list[str]:
        if self.suffixes is not None:
            return [f"{self.name}_{suffix}" for suffix in self.suffixes]
        width = self.values.shape[1]
        return [self.name] if width == 1 else [f"{self.name}_{i:02d}" for i in range(width)]


def _tracks(frames: Frames) -> list[_Track]:
    single = {
        "centroid": frames.centroid,
        "bandwidth": frames.bandwidth,
        "flatness": frames.flatness,
        "entropy": frames.entropy,
        "flux": frames.flux,
        "rms": frames.rms,
        "level": 20 * np.log10(np.maximum(frames.rms, np.float32(1e-5))),
        "zcr": frames.zcr,
        "onset": frames.onset,
    }
    grouped = frames.mel_db.reshape(len(frames), _MEL_GROUPS, -1).mean(axis=2)
    return [
        _Track("mfcc", frames.mfcc),
        _Track("mfcc_delta", delta(frames.mfcc), _DERIVATIVE),
        _Track("mfcc_delta2", delta(frames.mfcc, order=2), _DERIVATIVE),
        _Track("chroma", frames.chroma, _DISTRIBUTION),
        _Track("tonnetz", frames.tonnetz, _DISTRIBUTION),
        _Track("contrast", frames.contrast),
        _Track("rolloff", frames.rolloff, suffixes=tuple(f"{p * 100:.0f}" for p in PERCENTS)),
        *(_Track(name, values[:, None]) for name, values in single.items()),
        _Track("mel", grouped, _DISTRIBUTION),
    ]


def _statistics(values: Float, wanted: tuple[str, ...]) -> Float:
    """Statistics over time of each column, column by column."""
    from aurist.features import _kernels

    rows = np.ascontiguousarray(values.T)
    found = np.empty((len(rows), 7), np.float32)
    _kernels.moments(rows, found)
    columns = dict(zip(("mean", "std", "min", "max", "skew", "kurtosis", "change"), found.T, strict=True))
    if "median" in wanted:
        columns["median"] = np.median(rows, axis=1)
    return np.stack([columns[name] for name in wanted], axis=1).ravel()


def _check(y: Float) -> None:
    if y.ndim != 1 or not len(y):
        raise DataError(f"Summary features need a clip of (n_samples,), but got one of shape {y.shape}.")
    bad = int(np.count_nonzero(~np.isfinite(y)))
    if bad:
        raise DataError(
            f"{bad} of {len(y)} samples are not finite: the file is damaged; mend or leave it out."
        )
    loudest = float(np.abs(y).max())
    if loudest > _LOUDEST:
        raise DataError(f"A sample is {loudest:.3g}, but sound lies in [-1, 1]: the file is damaged.")
