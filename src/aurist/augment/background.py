"""Mix in other recordings as background."""

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
    """A recording, the position of the stretch in it (0 first, 1 last possible), and its level."""

    file: str
    position: float
    snr_db: float


@dataclass(frozen=True)
class BackgroundMix:
    """Mix in a stretch of another recording: rain, wind, engines, people.

    Parameters
    ----------
    files
        Recordings to choose from.
    folder
        A folder of recordings, with its subfolders; in addition to ``files`` or in their place.
    snr_db
        The level of the clip over the background in dB, from and to; drawn uniformly.
    snr_of
        As for `aurist.augment.GaussianNoise`.
    p
        Probability.

    Notes
    -----
    Background from test data, or with a class in it, leaks labels: use only recordings without any of the classes.
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
            raise ConfigError(f"files is {self.files!r}, but must be a list of paths of recordings.")
        if not isinstance(self.folder, str):
            raise ConfigError(f"folder is {self.folder!r}, but must be the path of a folder of recordings.")
        if not self.files and not self.folder:
            raise ConfigError("There is no background to mix in: give files = [...] or folder = '...'.")
        missing = [file for file in self.files if not Path(file).is_file()]
        if missing:
            raise ConfigError(
                f"{missing[0]} is given as background, but there is no such file. Check the path."
            )
        if self.folder and not _recordings(self.folder):
            raise ConfigError(f"{self.folder} is given as background, but there are no recordings in it.")

    def draw(self, rng: np.random.Generator, n_samples: int, sample_rate: int) -> Background:
        files = self.files + (_recordings(self.folder) if self.folder else ())
        return Background(files[rng.integers(len(files))], float(rng.random()), uniform(rng, self.snr_db))

    def apply(self, y: Wave, sample_rate: int, params: Background) -> Wave:
        seconds = len(y) / sample_rate
        spare = max(0.0, probe(params.file).duration - seconds)
        start = params.position * spare
        # a little longer, because the ends of a span are rounded
        sound, _ = read(params.file, sample_rate, start=start, end=start + seconds + 0.01)
        return mixed(y, np.resize(sound, len(y)), params.snr_db, self.snr_of)


@lru_cache(maxsize=8)
def _recordings(folder: str) -> tuple[str, ...]:
    """List recordings in the order of their names: a seed chooses the same on every machine."""
    return tuple(sorted(path.as_posix() for path in Path(folder).rglob("*") if is_audio(path.name)))
