"""Recordings of any length with known sounds at known times, written as they are made."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

from aurist.audio import read

#: Of sounds that begin and end; rain goes on for as long as one likes.
LABELS = ("Dog bark", "Rooster", "Person sneeze", "Baby cry", "Chainsaw", "Helicopter")
#: Seconds of one sound at the most; the levels of the noise and of the peak of a sound.
SOUND, NOISE, LEVEL = 5.0, 0.002, 0.2
#: Of the ones that are written at a time.
_PIECE = 60.0


def sources(data: Path, *, test: bool, rate: int) -> list[tuple[str, np.ndarray]]:
    """Sounds of ESC-10 without the silence around them: those of its last fold to test, the others to learn."""
    table = pd.read_csv(data / "esc10" / "labels.csv")
    table = table[table["label"].isin(LABELS) & ((table["fold"] == table["fold"].max()) == test)]
    found = []
    for row in table.itertuples():
        y, _ = read(data / "esc10" / str(row.path), rate)
        loud = np.flatnonzero(np.abs(y) > 0.02 * np.abs(y).max())
        y = y[loud[0] : loud[-1] + 1][: round(SOUND * rate)]
        if len(y) > 0.5 * rate:
            found.append((str(row.label), y * np.float32(LEVEL / np.abs(y).max())))
    return found


def lay(
    path: Path, seconds: float, rate: int, sounds: list[tuple[str, np.ndarray]], seed: int, gap: float
) -> pd.DataFrame:
    """Write a FLAC of quiet noise with sounds at random times, up to ``gap`` seconds apart; its table is beside it.

    What is there already is not made again.
    """
    table = path.with_suffix(".csv")
    if path.exists() and table.exists():
        return pd.read_csv(table)
    rng = np.random.default_rng(seed)
    rows, part = [], path.with_suffix(".part.flac")
    late = np.zeros(0, np.float32)  # of a sound, what goes on in the next piece
    with soundfile.SoundFile(part, "w", rate, 1, "PCM_16", format="FLAC") as file:
        following, done = rng.uniform(0, gap), 0.0
        while done < seconds:
            n = round(min(_PIECE, seconds - done) * rate)
            y = rng.standard_normal(n + len(late) + round(2 * SOUND * rate), dtype=np.float32) * np.float32(
                NOISE
            )
            y[: len(late)] += late
            end = n
            while following < done + n / rate:
                label, sound = sounds[int(rng.integers(len(sounds)))]
                first = round((following - done) * rate)
                if done + (first + len(sound)) / rate > seconds:
                    break
                y[first : first + len(sound)] += sound
                end = max(end, first + len(sound))
                rows.append((path.name, following, following + len(sound) / rate, label))
                following += len(sound) / rate + rng.uniform(1.0, gap)
            if following < done + n / rate:
                following = seconds + 1
            file.write(y[:n])
            late = y[n:end] if end > n else np.zeros(0, np.float32)
            done += n / rate
    found = pd.DataFrame(rows, columns=["path", "start", "end", "label"])
    found.to_csv(table, index=False, float_format="%.6f")
    os.replace(part, path)  # noqa: PTH105
    return found
