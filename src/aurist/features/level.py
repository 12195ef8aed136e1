"""The level of a clip apart from what sounds in it: a recorder's gain and offset decide no answer."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from aurist.features.frames import Frames

Float = npt.NDArray[np.float32]

LEVELS = ("relative", "keep")
#: The name of the level among the features.
LEVEL = "clip_level_db"
#: What varies less than this share of the offset is the rounding of single precision; what is below SILENT is silence.
ROUNDING, SILENT = 1e-6, 1e-30
#: dB of a floor of noise below the loudest sample. Silence to the last bit, what rounding leaves of it and an offset in
#: it are then one and the same; as far below the loudest nothing is looked at anyhow.
FLOOR_DB = -96.0
#: dB of the loudest sample of silence.
_LEAST_DB = -120.0
_NOISE_SAMPLES = 1 << 16
#: Statistics that a constant moves, and those that a factor scales.
_MOVED, _SCALED = ("mean", "min", "median", "max"), ("mean", "std", "min", "median", "max", "change")


def levelled(y: Float) -> tuple[Float, float]:
    """Take the offset off a clip and make its loudest sample 1, over a faint floor of noise.

    The noise is the same for every clip, so that the same clip has the same features.

    Parameters
    ----------
    y
        (n_samples,), float32, finite, at least one sample.

    Returns
    -------
    clip : (n_samples,), float32
        Zeros where ``y`` is silent.
    peak_db : float
        Of the loudest sample of ``y`` without its offset, in dB of full scale; -120 at the least.

    Examples
    --------
    >>> y = np.sin(np.arange(22050) / 10).astype(np.float32)
    >>> (loud, loud_db), (faint, faint_db) = levelled(y), levelled(np.float32(0.01) * y + np.float32(0.2))
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


def without_level(frames: Frames) -> tuple[Frames, float]:
    """Bring the frames of a clip to the common level: the mean of all log-mel bands is 0 dB.

    Returns
    -------
    frames : Frames
        As those of the clip at this level.
    level : float
        That the clip had, in dB above the common one.
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


def with_level(features: Float, columns: Sequence[str], n_mels: int, level: Float) -> Float:
    """The features of clips as they were recorded, from those at the common level.

    Parameters
    ----------
    features
        (n_clips, n_features), at the common level.
    columns
        Their names.
    n_mels
        Bands of the spectrograms that they were made of.
    level
        (n_clips,), in dB.
    """
    added, scaled = _moves(tuple(columns), n_mels)
    moved = features + level[:, None] * added
    return np.where(scaled, moved * 10 ** (level[:, None] / 20), moved).astype(np.float32)


@functools.lru_cache(maxsize=8)
def _moves(columns: tuple[str, ...], n_mels: int) -> tuple[Float, npt.NDArray[np.bool_]]:
    """What a dB adds to each feature, (n_features,), and which features are amplitudes."""
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
    """By which the 0th cepstral coefficient rises with a dB in all bands."""
    return float(np.sqrt(n_mels))


@functools.cache
def _floor() -> Float:
    noise = np.random.default_rng(0).standard_normal(_NOISE_SAMPLES).astype(np.float32)
    return noise * np.float32(10 ** (FLOOR_DB / 20))
