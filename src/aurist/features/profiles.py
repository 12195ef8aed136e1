"""The sound of recordings as a whole: the highest frequency with sound, the level, and the background by octave."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from aurist.audio import probe, read
from aurist.errors import DataError

Float = npt.NDArray[np.float64]

#: The middles of the octaves, in Hz; ultrasound is in the last ones.
OCTAVES: Float = 125.0 * np.exp2(np.arange(11, dtype=np.float64))
#: The most recordings to measure, the seconds in the middle of each, and the most frames of these.
_MOST, _SECONDS, _FRAMES = 40, 30.0, 400
#: Width of a bin of the spectrum in Hz, at most.
_BIN = 25.0
#: The spectrum is divided into so many cells; all of those above the highest frequency with sound are so much fainter
#: than the three below it, in dB. Wind and rain fall by less; codecs and converters of sample rates by more.
_CELLS, _DROP = 50, 20.0
_SILENCE = 1e-12


class Profile(NamedTuple):
    """A recording: its highest frequency with sound in Hz, its level in dB, its background by octave in dB."""

    reach: float
    level: float
    octaves: Float


@dataclass(frozen=True)
class Profiles:
    """The sound of n recordings as a whole.

    Parameters
    ----------
    reach
        (n,): the highest frequency with sound, in Hz.
    level
        (n,): the level in dB of full scale.
    octaves
        (n, 11): the background around each of `OCTAVES`, in dB above the mean of the octaves; NaN above ``reach``.
    """

    reach: Float
    level: Float
    octaves: Float

    def __len__(self) -> int:
        return len(self.reach)


def profiles_of(files: Sequence[Path]) -> Profiles:
    """Measure recordings, or some of them that are evenly spaced if there are many; unreadable ones are passed over."""
    chosen = files if len(files) <= _MOST else [files[i * len(files) // _MOST] for i in range(_MOST)]
    measured = list(_measured(chosen))
    return Profiles(
        np.array([one.reach for one in measured]),
        np.array([one.level for one in measured]),
        np.array([one.octaves for one in measured]).reshape(len(measured), len(OCTAVES)),
    )


def _measured(files: Sequence[Path]) -> Iterator[Profile]:
    for file in files:
        try:
            seconds = probe(file).duration
            start = max(0.0, (seconds - _SECONDS) / 2)
            y, rate = read(file, start=start, end=start + _SECONDS)
        except (DataError, OSError):  # reported where it is scored
            continue
        if len(y):
            yield profile(y, rate)


def profile(y: npt.NDArray[np.float32], sample_rate: int) -> Profile:
    """Measure a recording.

    The background is the median over frames, so that calls which sound less than half of the time do not count.

    Parameters
    ----------
    y
        (n_samples,), float32 in [-1, 1].
    sample_rate
        In Hz.

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(0, 0.1, 160_000).astype(np.float32)
    >>> one = profile(noise, 16_000)
    >>> one.reach, round(one.level), bool(np.nanmax(np.abs(one.octaves)) < 1)
    (8000.0, -20, True)
    """
    hz, spectrum = _background(y.astype(np.float64), sample_rate)
    level = 10 * math.log10(max(float(np.mean(np.square(y, dtype=np.float64))), _SILENCE))
    reach = _reach(spectrum, sample_rate / 2)
    octaves = np.full(len(OCTAVES), np.nan)
    for i, middle in enumerate(OCTAVES):
        inside = (hz >= middle / math.sqrt(2)) & (hz < middle * math.sqrt(2))
        if middle * math.sqrt(2) <= 1.1 * reach and inside.any():
            octaves[i] = spectrum[inside].mean()
    if np.isfinite(octaves).any():
        octaves -= np.nanmean(octaves)
    return Profile(reach, level, octaves)


def _background(y: Float, sample_rate: int) -> tuple[Float, Float]:
    """Compute the median spectrum in dB, and its frequencies; both (n_bins,)."""
    n_fft = min(len(y), 1 << math.ceil(math.log2(max(16.0, sample_rate / _BIN))))
    starts = np.linspace(0, len(y) - n_fft, min(_FRAMES, max(1, 2 * len(y) // n_fft - 1))).astype(np.intp)
    frames = np.stack([y[start : start + n_fft] for start in starts])
    frames -= frames.mean(axis=1, keepdims=True)
    power = np.abs(np.fft.rfft(frames * np.hanning(n_fft), axis=1)) ** 2 / max(1, n_fft)
    hz = np.fft.rfftfreq(n_fft, 1 / sample_rate)
    return np.asarray(hz), np.asarray(10 * np.log10(np.maximum(np.median(power, axis=0), _SILENCE)))


def _reach(spectrum: Float, highest: float) -> float:
    """Find the frequency above which the spectrum falls off as no sound does; without one, the highest frequency."""
    cells = np.array([cell.mean() for cell in np.array_split(spectrum[1:], _CELLS) if len(cell)])
    if len(cells) < _CELLS:
        return highest
    edges = range(5, _CELLS - 1)
    drops = np.array([cells[edge - 3 : edge].mean() - cells[edge + 1 :].max() for edge in edges])
    if drops.max() < _DROP:
        return highest
    # the first of the drops that are nearly the largest: after it there is little
    first = int(np.flatnonzero(drops >= max(_DROP, drops.max() - 3))[0])
    return highest * edges[first] / _CELLS
