"""Summary features: one row of numbers per clip, for tabular models."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from aurist.errors import DataError
from aurist.features import rhythm
from aurist.features.frames import PERCENTS, Frames, analyse, delta, feature_loops
from aurist.features.level import LEVEL, normalise_level, remove_level, restore_level
from aurist.features.summary_config import MEL_GROUPS, SummaryConfig

__all__ = ["VERSION", "SummaryConfig", "measure", "measure_both", "summary", "summary_columns"]

Float = npt.NDArray[np.float32]

#: Part of the key of cached features; raise it if the computation changes.
VERSION = 2

_ALL = ("mean", "std", "min", "median", "max", "skew", "kurtosis", "change")
# the mean of a derivative only depends on the first and last frames
_DERIVATIVE = ("std", "max", "kurtosis")
_DISTRIBUTION = ("mean", "std", "max", "skew")
_LOUDEST = 1e12


def summary(y: Float, config: SummaryConfig) -> Float:
    """Compute the summary features of a clip, without offset, and without level unless ``config`` keeps it.

    All numbers are finite, also for silence and for a single sample: a clip without rhythm has tempo 0, a clip of fewer
    than three frames has derivatives 0, a constant has skewness and kurtosis 0.

    Parameters
    ----------
    y
        (n_samples,), float32 at ``config.sample_rate``.
    config
        The settings.

    Returns
    -------
    (n_features,), float32
        In the order of `summary_columns`.

    Raises
    ------
    DataError
        If there are no samples, or some are not finite.

    Examples
    --------
    >>> y = np.sin(2 * np.pi * 440 * np.arange(22050) / 22050).astype(np.float32)
    >>> named = dict(zip(summary_columns(SummaryConfig()), summary(y, SummaryConfig())))
    >>> round(float(named["centroid_median"]), -1), int(np.argmax([named[f"chroma_{i:02d}_mean"] for i in range(12)]))
    (440.0, 9)
    """
    features, level = measure(y, config)
    if config.level == "relative":
        return features
    return at_recorded_level(features[None], np.array([level], np.float32), config).ravel()


def measure(y: Float, config: SummaryConfig) -> tuple[Float, float]:
    """Compute the features of a clip without its level, and the level.

    Returns
    -------
    features : (n_features,), float32
        As from `summary` with ``config.level`` "relative".
    level : float
        In dB.
    """
    _check(y)
    clip, peak_db = normalise_level(np.ascontiguousarray(y, dtype=np.float32))
    frames, frame_level = remove_level(_analysed(clip, config))
    statistics = [_statistics(track.values, track.statistics) for track in _tracks(frames)]
    features = np.concatenate([*statistics, rhythm.describe(frames)]).astype(np.float32)
    # this feature is the level itself; only rounding is left of it
    features[_columns(config).index("mfcc_00_mean")] = 0
    return features, peak_db + frame_level


def measure_both(y: Float, config: SummaryConfig) -> Float:
    """Compute the features of a clip without its level, and the level behind them, (n_features + 1,), float32.

    They suit both settings of the level; see `aurist.features.store.table_of_vectors`.
    """
    features, level = measure(y, replace(config, level="relative"))
    return np.append(features, np.float32(level))


def at_recorded_level(features: Float, level: Float, config: SummaryConfig) -> Float:
    """Return the features of clips at their recorded level, and the level, as with ``level="keep"``.

    Parameters
    ----------
    features, level
        (n_clips, n_features) and (n_clips,), the results of `measure`.
    """
    moved = restore_level(features, _columns(config), config.n_mels, level)
    return np.concatenate([moved, level[:, None]], axis=1).astype(np.float32)


def summary_columns(config: SummaryConfig) -> tuple[str, ...]:
    """Return the names of the features, such as ``mfcc_03_mean``."""
    return (*_columns(config), LEVEL) if config.level == "keep" else _columns(config)


@functools.lru_cache(maxsize=8)
def _columns(config: SummaryConfig) -> tuple[str, ...]:
    # every clip has the same layout, so silence is enough to find it
    silence = _analysed(np.zeros(1, np.float32), config)
    names = [
        f"{name}_{statistic}"
        for track in _tracks(silence)
        for name in track.names()
        for statistic in track.statistics
    ]
    return (*names, *rhythm.COLUMNS)


def _analysed(y: Float, config: SummaryConfig) -> Frames:
    """Compute the frames of a clip at its slowed speed."""
    return analyse(
        y,
        config.sample_rate / config.slowed,
        n_fft=config.n_fft,
        hop_length=config.hop_length,
        n_mels=config.n_mels,
        n_mfcc=config.n_mfcc,
        fmin=config.fmin / config.slowed,
        fmax=config.highest / config.slowed,
        spectrum_share=config.spectrum_share,
    )


@dataclass(frozen=True)
class _Track:
    """Features over time, (n_frames, width), with the statistics to compute."""

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
    grouped = frames.mel_db.reshape(len(frames), MEL_GROUPS, -1).mean(axis=2)
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


def _statistics(values: Float, names: tuple[str, ...]) -> Float:
    """Compute statistics over time of each column, column by column."""
    rows = np.ascontiguousarray(values.T)
    moments = np.empty((len(rows), 7), np.float32)
    feature_loops().moments(rows, moments)
    columns = dict(zip(("mean", "std", "min", "max", "skew", "kurtosis", "change"), moments.T, strict=True))
    if "median" in names:
        columns["median"] = np.median(rows, axis=1)
    return np.stack([columns[name] for name in names], axis=1).ravel()


def _check(y: Float) -> None:
    if y.ndim != 1 or not len(y):
        raise DataError(f"Summary features need a clip of (n_samples,), but got one of shape {y.shape}.")
    bad = int(np.count_nonzero(~np.isfinite(y)))
    if bad:
        raise DataError(
            f"{bad} of {len(y)} samples are not finite: the file is damaged: repair it or leave it out."
        )
    loudest = float(np.abs(y).max())
    if loudest > _LOUDEST:
        raise DataError(f"A sample is {loudest:.3g}, but sound lies in [-1, 1]: the file is damaged.")
