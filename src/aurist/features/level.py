"""Separate the level of a clip from its features, so gain and offset of a recorder do not matter."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from aurist.features.frames import Frames

Float = npt.NDArray[np.float32]

LEVELS = ("relative", "keep")
#: The name of the feature that holds the level.
LEVEL = "clip_level_db"
#: Changes below this share of the offset are rounding of single precision; peaks below SILENT are silence.
ROUNDING, SILENT = 1e-6, 1e-30
#: Level of a floor of noise, in dB below the loudest sample. Digital silence, its rounding and an offset in it then
#: give the same features. Nothing so far below the loudest sample matters.
FLOOR_DB = -96.0
#: Peak level of silence, in dB.
_LEAST_DB = -120.0
_NOISE_SAMPLES = 1 << 16
#: Statistics that shift with an added constant, and statistics that scale with a factor.
_MOVED, _SCALED = ("mean", "min", "median", "max"), ("mean", "std", "min", "median", "max", "change")


def normalise_level(y: Float) -> tuple[Float, float]:
    """Remove a clip's offset, scale its loudest sample to 1, and add a faint floor of noise.

    The noise is the same for every clip, so equal clips have equal features.

    Parameters
    ----------
    y
        (n_samples,), float32, finite, at least one sample.

    Returns
    -------
    clip : (n_samples,), float32
        Zeros if ``y`` is silent.
    peak_db : float
        Level of the loudest sample of ``y`` without its offset, in dB of full scale; at least -120.

    Examples
    --------
    >>> y = np.sin(np.arange(22050) / 10).astype(np.float32)
    >>> (loud, loud_db), (faint, faint_db) = normalise_level(y), normalise_level(np.float32(0.01) * y + np.float32(0.2))
    >>> bool(np.abs(loud - faint).max() < 1e-4), round(faint_db - loud_db, 2)
    (True, -40.0)
    """
    offset = float(y.mean(dtype=np.float64))
    clip = np.subtract(y, offset, dtype=np.float64).astype(np.float32)
    peak = float(np.abs(clip).max())
    if peak <= SILENT + ROUNDING * abs(offset):
        return np.zeros_like(y), _LEAST_DB
    clip /= np.float32(peak)
    clip += np.resize(_floor(), len(clip))
    return clip, max(_LEAST_DB, 20 * float(np.log10(peak)))


def remove_level(frames: Frames) -> tuple[Frames, float]:
    """Bring the frames of a clip to the common level, where the mean of all log-mel bands is 0 dB.

    Returns
    -------
    frames : Frames
        The frames at this level.
    level : float
        The clip's level, in dB above the common one.
    """
    level = float(frames.mel_db.mean(dtype=np.float64))
    factor = np.float32(10 ** (-level / 20))
    mfcc = frames.mfcc.copy()
    mfcc[:, 0] -= np.float32(_first_cepstrum(frames.mel_db.shape[1]) * level)
    return (
        dataclasses.replace(
            frames,
            mel_db=frames.mel_db - np.float32(level),
            mel=frames.mel * factor**2,
            mfcc=mfcc,
            rms=frames.rms * factor,
        ),
        level,
    )


def restore_level(features: Float, columns: Sequence[str], n_mels: int, level: Float) -> Float:
    """Return the features of clips at their recorded level, from those at the common level.

    Parameters
    ----------
    features
        (n_clips, n_features), at the common level.
    columns
        The names of the features.
    n_mels
        Count of mel bands of the spectrograms.
    level
        (n_clips,), in dB.
    """
    added, scaled = _moves(tuple(columns), n_mels)
    moved = features + level[:, None] * added
    return np.where(scaled, moved * 10 ** (level[:, None] / 20), moved).astype(np.float32)


@functools.lru_cache(maxsize=8)
def _moves(columns: tuple[str, ...], n_mels: int) -> tuple[Float, npt.NDArray[np.bool_]]:
    """Return the change of each feature per dB, (n_features,), and a mask of features that are amplitudes."""
    added, scaled = np.zeros(len(columns), np.float32), np.zeros(len(columns), bool)
    for i, column in enumerate(columns):
        name, _, statistic = column.rpartition("_")
        if statistic in _MOVED and (name == "level" or name.startswith("mel_")):
            added[i] = 1
        elif statistic in _MOVED and name == "mfcc_00":
            added[i] = _first_cepstrum(n_mels)
        scaled[i] = name == "rms" and statistic in _SCALED
    return added, scaled


def _first_cepstrum(n_mels: int) -> float:
    """Return the change of the 0th cepstral coefficient per dB in all bands."""
    return float(np.sqrt(n_mels))


@functools.cache
def _floor() -> Float:
    noise = np.random.default_rng(0).standard_normal(_NOISE_SAMPLES).astype(np.float32)
    return noise * np.float32(10 ** (FLOOR_DB / 20))
