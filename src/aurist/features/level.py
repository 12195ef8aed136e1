"""A clip as all features hear it: without its offset, at one level, over a faint floor of noise.

The gain of a recorder, its distance and its offset say nothing of what was recorded; so that they decide no answer,
they are taken away before anything is measured.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float32]

#: Root mean square of a clip at the common level: 20 dB below full scale, as recordings of music and speech have it.
COMMON_RMS = 0.1
#: dB of the floor below the clip's root mean square. Silence to the last bit, what rounding leaves of it and an offset
#: in it are then one and the same; below it no bands are looked at anyhow.
FLOOR_DB = -90.0
#: What varies less than this share of the offset is the rounding of single precision.
_ROUNDING = 1e-6
_SILENT = 1e-30
_NOISE_SAMPLES = 1 << 16

COLUMNS = ("clip_rms_db", "clip_peak_db")
_LEAST_DB = -120.0


class Levelled(NamedTuple):
    """A clip at the common level, and the level that it had.

    Parameters
    ----------
    y
        (n_samples,), float32; zeros where the clip is silent.
    rms, peak
        Of the clip as it was, without its offset.
    """

    y: Float
    rms: float
    peak: float


def levelled(y: Float) -> Levelled:
    """Take the offset off a clip and bring it to `COMMON_RMS`, over a floor of white noise 90 dB below.

    The noise is the same for every clip, so that the same clip has the same features.

    Parameters
    ----------
    y
        (n_samples,), float32, finite, at least one sample.

    Examples
    --------
    >>> y = np.sin(np.arange(22050) / 10).astype(np.float32)
    >>> loud, faint = levelled(y), levelled(np.float32(0.01) * y + np.float32(0.2))
    >>> bool(np.abs(loud.y - faint.y).max() < 1e-5), round(float(20 * np.log10(faint.rms / loud.rms)), 2)
    (True, -40.0)
    """
    offset = float(y.mean(dtype=np.float64))
    moved = np.subtract(y, offset, dtype=np.float64).astype(np.float32)
    peak = float(np.abs(moved).max())
    if peak <= max(_SILENT, _ROUNDING * abs(offset)):
        return Levelled(np.zeros_like(y), 0.0, 0.0)
    moved /= np.float32(peak)
    # not by a BLAS, which would start threads beneath those that share out the clips
    rms = float(np.sqrt(np.einsum("i,i->", moved, moved, dtype=np.float64) / len(moved)))
    moved *= np.float32(COMMON_RMS / rms)
    moved += np.resize(_floor(), len(moved))
    return Levelled(moved, peak * rms, peak)


def decibels_of(clip: Levelled) -> Float:
    """The numbers of `COLUMNS`: dB below full scale, -120 at the least."""
    levels = np.array([clip.rms, clip.peak])
    found: Float = (20 * np.log10(np.maximum(levels, 10 ** (_LEAST_DB / 20)))).astype(np.float32)
    return found


@functools.cache
def _floor() -> Float:
    noise = np.random.default_rng(0).standard_normal(_NOISE_SAMPLES).astype(np.float32)
    return noise * np.float32(COMMON_RMS * 10 ** (FLOOR_DB / 20))
