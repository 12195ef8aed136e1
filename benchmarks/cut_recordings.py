"""Fits on pieces of recordings that nobody grouped: the stated score against the score on pieces of new recordings.

Every recording has a sound of its own, and a class at random: nothing can be learnt about a new recording, so the
accuracy there is that of chance. A random split puts pieces of one recording on both sides, and scores far above it.

    python benchmarks/cut_recordings.py --output results
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

import _common
import aurist

RATE, PIECES, FEATURES = 16_000, 8, 40


def write_pieces(folder: Path, n_recordings: int, first: int, rng: np.random.Generator) -> Path:
    """Write ``class/recNN_00M.wav``: noise, each recording with a spectrum of its own."""
    for number in range(first, first + n_recordings):
        label = ("dog", "cat")[number % 2]
        (folder / label).mkdir(parents=True, exist_ok=True)
        spectrum = np.exp(rng.normal(0, 1, 40)).repeat(RATE // 80)
        for piece in range(1, PIECES + 1):
            noise = np.fft.rfft(rng.normal(size=RATE))
            wave = np.fft.irfft(noise[: len(spectrum)] * spectrum, RATE)
            path = folder / label / f"rec{number:02d}_{piece:03d}.wav"
            soundfile.write(path, 0.3 * wave / np.abs(wave).max(), RATE)
    return folder


def write_table(path: Path, n_tracks: int, first: int, rng: np.random.Generator) -> Path:
    """Write a table as GTZAN's of three seconds: ``filename`` = ``blues.00000.3.wav``, ten pieces of each track."""
    genres = ["blues", "country", "jazz", "metal"]
    rows = []
    for number in range(first, first + n_tracks):
        own = rng.normal(size=FEATURES)
        for piece in range(10):
            name = f"{genres[number % 4]}.{number // 4:05d}.{piece}.wav"
            rows.append([name, genres[number % 4], *(own + 0.3 * rng.normal(size=FEATURES))])
    columns = ["filename", "label", *(f"mfcc{i}" for i in range(FEATURES))]
    pd.DataFrame(rows, columns=columns).to_csv(path, index=False)
    return path


def cases(folder: Path, rng: np.random.Generator) -> Iterator[tuple[str, Path, Path, float]]:
    """Return each case: its name, the data to learn from, new recordings, and the chance level."""
    yield (
        "24 recordings of noise in 8 pieces each",
        write_pieces(folder / "sounds", 24, 0, rng),
        write_pieces(folder / "new", 40, 24, rng),
        0.5,
    )
    yield (
        "table of 3-s pieces, 80 tracks of 10 pieces",
        write_table(folder / "train.csv", 80, 0, rng),
        write_table(folder / "new.csv", 200, 80, rng),
        0.25,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--time-limit", default="60s")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path)
    args = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        for case, data, new, chance in cases(Path(name), np.random.default_rng(args.seed)):
            for group, meaning in ((None, "guessed from names"), ("none", "none (`--group none`)")):
                folder = Path(name) / f"run-{len(rows)}"
                run = aurist.fit(
                    data,
                    folder,
                    group=group,
                    preset="quick",
                    time_limit=args.time_limit,
                    near_duplicates=False,
                )
                actual = run.evaluate(new).scores["all rows"].set_index("metric").loc["accuracy", "score"]
                n_groups = pd.read_parquet(folder / "folds.parquet")["group"].nunique()
                stated = f"{run.score.score:.3f} [{run.score.low:.3f}, {run.score.high:.3f}]"
                rows.append([case, meaning, str(n_groups), stated, f"{actual:.3f}", f"{chance}"])
                print(rows[-1], flush=True)
    header = ["data", "groups", "number", "stated accuracy", "accuracy on new recordings", "chance"]
    _common.publish("cut_recordings", _common.table(header, rows), rows, args.output)


if __name__ == "__main__":
    main()
