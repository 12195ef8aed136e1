"""A set of ten times the memory of a process: features, an epoch of a network, and predictions, with and without limit.

    python benchmarks/larger_than_memory.py --folder FOLDER --output results   # continues if it was interrupted

The limit is RLIMIT_DATA of each process: what it takes for a few clips, and a tenth of the set. The same steps run
without a limit, and on a set that fits. Files are dropped from the system's cache before each step. Needs Linux.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import soundfile

import _common
from _process import KINDS, measured

RATE, SECONDS, LABELS = 44_100, 10, ("tone", "burst", "chirp")
#: Bytes of a clip, as 16 bits in the file and in the store.
CLIP = 2 * RATE * SECONDS
#: Clips of the set that shows what the libraries take.
FEW = 40
#: pyarrow's own allocator reserves a gigabyte at once, in which a limit would not be felt.
ENVIRONMENT = {"ARROW_DEFAULT_MEMORY_POOL": "system"}
RECIPE = """
base = "mel-cnn"
name = "mel-cnn-once"
[window]
hop = 2.0
[training]
epochs = {epochs}
precision = "32"
"""
PLAN = '[[member]]\nname = "Network"\nengine = "network"\nrecipe = "{recipe}"\n'


def make_set(folder: Path, n: int) -> Path:
    """Write clips of a sound of their own, each in noise, and their table; one in ten is scored."""
    folder.mkdir(parents=True, exist_ok=True)
    t = np.arange(RATE * SECONDS, dtype=np.float32) / RATE
    for number in range(n):
        path = folder / f"{number:06}.wav"
        if path.exists():
            continue
        rng = np.random.default_rng(number)
        y = 0.02 * rng.standard_normal(len(t), dtype=np.float32)
        hz, label = rng.uniform(300, 3000), LABELS[number % 3]
        if label == "burst":
            y *= 1 + 9 * (np.abs(t - rng.uniform(1, 9)) < 1)
        else:
            y += 0.3 * np.sin(2 * np.pi * (hz * t + (label == "chirp") * 100 * t**2))
        part = path.with_suffix(".part")
        soundfile.write(part, y, RATE, format="WAV", subtype="PCM_16")
        part.rename(path)
    table = pd.DataFrame({"path": [f"{number:06}.wav" for number in range(n)]})
    table["label"] = [LABELS[number % 3] for number in range(n)]
    table["part"] = ["valid" if number % 10 == 9 else "train" for number in range(n)]
    table.to_csv(folder / "clips.csv", index=False)
    return folder / "clips.csv"


def drop_from_cache(*folders: Path) -> None:
    """Let the system forget the files of folders, so that they are read from the disk."""
    for path in (path for folder in folders for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def steps(table: Path, folder: Path, epochs: int) -> dict[str, list[str]]:
    """Return the commands of a pass, by name."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "recipe.toml").write_text(RECIPE.format(epochs=epochs))
    (folder / "plan.toml").write_text(PLAN.format(recipe=(folder / "recipe.toml").as_posix()))
    aurist, run = [sys.executable, "-m", "aurist"], str(folder / "run")
    return {
        "features": [*aurist, "features", str(table), "-o", str(folder / "features.parquet")],
        "training": [*aurist, "fit", str(table), "--plan", str(folder / "plan.toml"), "-o", run],
        "prediction": [*aurist, "predict", run, str(table), "-o", str(folder / "predictions.csv")],
    }


def training_speed(run: Path) -> tuple[float, float]:
    """Return the clips a second, and the share of waiting for batches, of the epochs of a run."""
    history = pd.read_csv(next(run.glob("models/Network/fold*/net0/history.csv")))
    return statistics.median(history["clips_per_second"]), statistics.median(history["waiting"])


def one_pass(
    table: Path, folder: Path, n: int, epochs: int, limits: dict[str, float] | None
) -> list[dict[str, Any]]:
    """Measure the steps of a set, each once."""
    rows: list[dict[str, Any]] = []
    cache = folder / "cache"
    for name, command in steps(table, folder, epochs).items():
        stored = folder / f"{name}.json"
        if not stored.exists():
            drop_from_cache(table.parent, *([cache] if cache.exists() else []))
            limit = None if limits is None else limits[name]
            environment = ENVIRONMENT | {"AURIST_CACHE_DIR": str(cache)}
            figures = measured(command, limit_mb=limit, environment=environment)
            figures["clips/s"] = n / figures["seconds"]
            if name == "training":
                figures["clips/s"], figures["waiting"] = training_speed(folder / "run")
            stored.write_text(json.dumps(figures))
        rows.append({"step": name, "clips": n, **json.loads(stored.read_text())})
        print(rows[-1], file=sys.stderr, flush=True)
    return rows


def same(a: Path, b: Path) -> dict[str, float]:
    """Compare two passes: 1 if the features are equal byte for byte, and the largest difference of a probability."""
    equal = (a / "features.parquet").read_bytes() == (b / "features.parquet").read_bytes()
    tables = [pd.read_csv(folder / "predictions.csv")[list(LABELS)].to_numpy() for folder in (a, b)]
    return {
        "features equal": float(equal),
        "probabilities differ by": float(np.abs(tables[0] - tables[1]).max()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--memory", type=float, default=400.0, help="MB of data beyond what a few clips take")
    parser.add_argument("--times", type=float, default=10.0, help="size of the set, in times of this memory")
    parser.add_argument("--folder", type=Path, required=True, help="folder for the sets, caches and figures")
    parser.add_argument("--output", type=Path)
    given = parser.parse_args()
    root = Path(given.folder).absolute()
    large = round(given.times * given.memory * 1024**2 / CLIP)
    small = round(0.5 * given.memory * 1024**2 / CLIP)
    rows: list[dict[str, Any]] = []
    limits: dict[str, float] = {}
    for name, n in (("few clips", FEW), ("fits", small), ("large, limited", large), ("large", large)):
        table = make_set(root / "sets" / str(n), n)
        epochs = max(1, round(large / n)) if n != FEW else 1
        folder = root / name.replace(", ", "_").replace(" ", "_")
        of_set = one_pass(table, folder, n, epochs, limits if name == "large, limited" else None)
        rows += [{"set": name, **row} for row in of_set]
        if n == FEW:
            limits = {row["step"]: row["VmData"] + given.memory for row in of_set}
    cells = [
        [
            row["set"],
            row["step"],
            f"{row['clips']:,}",
            *(f"{row[key]:,.0f}" for key in ("seconds", "core seconds")),
            f"{row['clips/s']:,.1f}",
            *(f"{row[kind]:,.0f}" for kind in KINDS),
        ]
        for row in rows
    ]
    header = [
        "set",
        "step",
        "clips",
        "seconds",
        "core seconds",
        "clips/s",
        "data, MB",
        "own, MB",
        "of files, MB",
    ]
    compared = same(root / "large_limited", root / "large")
    text = f"{_common.table(header, cells)}\n\nLimits, MB: {limits}\n{compared}"
    _common.publish("larger_than_memory", text, {"limits": limits, "rows": rows, **compared}, given.output)


if __name__ == "__main__":
    main()
