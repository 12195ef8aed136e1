"""Synthesise music-like recordings, to try aurist without own data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import numpy as np
import soundfile as sf

from aurist.synth.genres import GENRES
from aurist.synth.player import render

__all__ = ["GENRES", "DemoData", "blemish", "render", "synthesise_demo", "synthesise_music"]

FORMATS = ("wav", "wav", "flac", "ogg", "mp3")


@dataclass(frozen=True)
class DemoData:
    """The two folders of the demo, each with a folder per genre."""

    train: Path
    unseen: Path


def synthesise_demo(folder: Path, seed: int = 0) -> DemoData:
    """Write the demo's data: labelled music with common faults, and unseen tracks without faults.

    Parameters
    ----------
    folder
        The folder for ``music`` and ``unseen``; created if missing.
    seed
        The same seed gives the same sound.
    """
    data = DemoData(train=folder / "music", unseen=folder / "unseen")
    blemish(synthesise_music(data.train, seed=seed), seed=seed)
    synthesise_music(data.unseen, tracks_per_genre=4, seed=seed + 1)
    return data


def synthesise_music(
    folder: Path,
    *,
    tracks_per_genre: int = 14,
    seed: int = 0,
    sample_rate: int = 22050,
    duration: float = 8.0,
) -> list[Path]:
    """Write a folder of music-like tracks, one folder per genre, in several formats.

    Genres share instruments and tempi, and a track may take its rhythm, harmony, band or room from another genre. Each
    track has its own key, tempo, mix, noise and level, so the task is neither trivial nor impossible.

    Parameters
    ----------
    folder
        The folder to write to; created if missing.
    seed
        The same seed gives the same sound.
    sample_rate
        Sample rate of the files, in Hz; one that MP3 allows.
    duration
        Mean length of a track in seconds; each track is up to a quarter shorter or longer.

    Returns
    -------
    list of Path
        The files, by genre and number.
    """
    written = []
    formats = cycle(FORMATS)
    for index, genre in enumerate(GENRES):
        (folder / genre).mkdir(parents=True, exist_ok=True)
        for number in range(1, tracks_per_genre + 1):
            rng = np.random.default_rng([seed, index, number])
            y = render(genre, duration * rng.uniform(0.75, 1.25), sample_rate, rng)
            path = folder / genre / f"{genre}_{number:02d}.{next(formats)}"
            sf.write(path, y, sample_rate)
            written.append(path)
    return written


def blemish(tracks: Sequence[Path], seed: int = 0) -> list[Path]:
    """Add faults of real collections: copies, a track with two labels, broken files.

    Parameters
    ----------
    tracks
        The files that `synthesise_music` wrote.
    seed
        The same seed gives the same copies.

    Returns
    -------
    list of Path
        The added files: for one track in eight a copy that is quieter, cut at the start and encoded again; the first
        track again under the last genre; an empty file; a truncated file.
    """
    rng = np.random.default_rng([seed, len(tracks)])
    added = []
    for path in tracks[3::8]:
        y, sample_rate = sf.read(path)
        cut = int(rng.integers(sample_rate // 2))
        copy = path.with_name(f"{path.stem}_copy.{rng.choice(FORMATS)}")
        sf.write(copy, y[cut:] * rng.uniform(0.4, 0.9), sample_rate)
        added.append(copy)
    first, last = tracks[0].parent, tracks[-1].parent
    again = last / f"{last.name}_again.wav"
    sf.write(again, *sf.read(tracks[0]))
    empty = first / f"{first.name}_empty.wav"
    empty.touch()
    broken = last / f"{last.name}_broken.flac"
    sf.write(broken, *sf.read(tracks[-1]))
    broken.write_bytes(broken.read_bytes()[: broken.stat().st_size // 3])
    return [*added, again, empty, broken]
