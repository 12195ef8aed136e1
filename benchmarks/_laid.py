"""Write recordings of any length, with known sounds at known times."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

from aurist.audio import read

#: Sounds that begin and end; rain does not.
LABELS = ("Dog bark", "Rooster", "Person sneeze", "Baby cry", "Chainsaw", "Helicopter")
Sound = tuple[str, np.ndarray]
#: Longest sound in seconds; level of the noise; peak level of a sound.
SOUND, NOISE, LEVEL = 5.0, 0.002, 0.2
#: Seconds that are written at a time.
_PIECE = 60.0


def sources(data: Path, *, test: bool, rate: int) -> list[Sound]:
    """Return sounds of ESC-10 without silence around them: of its last fold for the test, of the others for
    training.
    """
    table = pd.read_csv(data / "esc10" / "labels.csv")
    table = table[table["label"].isin(LABELS) & ((table["fold"] == table["fold"].max()) == test)]
    clips_found = []
    for row in table.itertuples():
        y, _ = read(data / "esc10" / str(row.path), rate)
        loud = np.flatnonzero(np.abs(y) > 0.02 * np.abs(y).max())
        y = y[loud[0] : loud[-1] + 1][: round(SOUND * rate)]
        if len(y) > 0.5 * rate:
            clips_found.append((str(row.label), y * np.float32(LEVEL / np.abs(y).max())))
    return clips_found


def drawn(sounds: list[Sound], seed: int) -> Iterator[Sound]:
    """Draw sounds at random, without end."""
    rng = np.random.default_rng(seed)
    while True:
        yield sounds[int(rng.integers(len(sounds)))]


def lay(
    path: Path, seconds: float, rate: int, sounds: Iterable[Sound], seed: int, gap: float
) -> pd.DataFrame:
    """Write a FLAC of quiet noise with sounds in it, up to ``gap`` seconds apart, and its table next to it.

    Existing files are used again.
    """
    table = path.with_suffix(".csv")
    if path.exists() and table.exists():
        return pd.read_csv(table)
    rng = np.random.default_rng(seed)
    laid: list[tuple[int, Sound]] = []
    at = rng.uniform(0, gap)
    for sound in sounds:
        if at + len(sound[1]) / rate > seconds:
            break
        laid.append((round(at * rate), sound))
        at += len(sound[1]) / rate + rng.uniform(1.0, gap)
    total, part = round(seconds * rate), path.with_suffix(".part.flac")
    with soundfile.SoundFile(part, "w", rate, 1, "PCM_16", format="FLAC") as file:
        left = deque(laid)
        for first in range(0, total, round(_PIECE * rate)):
            y = rng.standard_normal(min(round(_PIECE * rate), total - first), dtype=np.float32) * np.float32(
                NOISE
            )
            stop = first + len(y)
            while left and left[0][0] + len(left[0][1][1]) <= first:
                left.popleft()
            for start, (_, sound_itself) in left:
                if start >= stop:
                    break
                skipped = max(0, first - start)
                here = sound_itself[skipped : stop - start]
                y[start + skipped - first :][: len(here)] += here
            file.write(y)
    rows = [(path.name, start / rate, (start + len(y)) / rate, label) for start, (label, y) in laid]
    annotations = pd.DataFrame(rows, columns=["path", "start", "end", "label"])
    annotations.to_csv(table, index=False, float_format="%.6f")
    part.replace(path)
    return annotations
