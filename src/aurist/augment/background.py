"""Other recordings in the background."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from aurist.audio import probe, read
from aurist.augment.base import Range, Wave, check_p, check_range, uniform
from aurist.augment.noise import SNR_OF, mixed
from aurist.clips.suffixes import is_audio
from aurist.errors import ConfigError, check_one_of


class Background(NamedTuple):
    """Which recording, from where in it (0 its start, 1 as late as it lasts long enough), and how loud."""

    file: str
    place: float
    snr_db: float


@dataclass(frozen=True)
class BackgroundMix:
    """Mix in a stretch of another recording: rain, wind, engines, people.

    Parameters
    ----------
    files
        Recordings to choose from.
    folder
        A folder to take recordings from, those in its folders, too; beside or instead of ``files``.
    snr_db
        The clip over the background in dB, from and to; drawn uniformly.
    snr_of
        As for `aurist.augment.GaussianNoise`.
    p
        Probability.

    Notes
    -----
    Background that also is in test data, or comes with labels of its own, tells on the data: keep to recordings that
    hold none of the classes.
    """

    files: tuple[str, ...] = ()
    folder: str = ""
    snr_db: Range = (3.0, 20.0)
    snr_of: str = "power"
    p: float = 0.5

    def __post_init__(self) -> None:
        check_p(self.p)
        check_range("snr_db", self.snr_db, -60, 120)
        check_one_of("snr_of", self.snr_of, SNR_OF)
        if not isinstance(self.files, tuple) or not all(isinstance(file, str) for file in self.files):
            raise ConfigError(f"files is {self.files!r}, but must be a list of recordings' paths.")
        if not isinstance(self.folder, str):
            raise ConfigError(f"folder is {self.folder!r}, but must be the path of a folder of recordings.")
        if not self.files and not self.folder:
            raise ConfigError("There is no background to mix in: give files = [...] or folder = '...'.")
        missing = [file for file in self.files if not Path(file).is_file()]
        if missing:
            raise ConfigError(f"{missing[0]} is to be background, but there is no such file. Check the path.")
        if self.folder and not _recordings(self.folder):
            raise ConfigError(f"{self.folder} is to hold background, but there are no recordings in it.")

    def draw(self, rng: np.random.Generator, n_samples: int, sample_rate: int) -> Background:
        known = self.files + (_recordings(self.folder) if self.folder else ())
        return Background(known[rng.integers(len(known))], float(rng.random()), uniform(rng, self.snr_db))

    def apply(self, y: Wave, sample_rate: int, params: Background) -> Wave:
        seconds = len(y) / sample_rate
        spare = max(0.0, probe(params.file).duration - seconds)
        start = params.place * spare
        # a little more than is needed, as the ends of a span are rounded
        sound, _ = read(params.file, sample_rate, start=start, end=start + seconds + 0.01)
        return mixed(y, np.resize(sound, len(y)), params.snr_db, self.snr_of)


@lru_cache(maxsize=8)
def _recordings(folder: str) -> tuple[str, ...]:
    """In the order of their names, so that a seed chooses the same on every machine."""
    return tuple(sorted(path.as_posix() for path in Path(folder).rglob("*") if is_audio(path.name)))
