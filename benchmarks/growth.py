"""Growth of audit, features, store and prediction from 100 to 100,000 clips of a second: time, memory, disk.

    python benchmarks/growth.py --most 100000 --folder /tmp/growth --output results   # continues if it was interrupted

Each step is a process of its own with an empty cache (prediction: with the features stored). The exponent is the slope
of the logarithm of what a step takes more than for ten clips; 1 is a straight line. Core seconds (user and system, of
all processes of a step) are to be compared: they hardly depend on what else the machine does. Memory of a clip is the
slope from 10,000 clips on.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

import _common
from _process import PEAK, measured

RATE, FEWEST = 22_050, 10
#: From so many clips on, memory grows by clips alone.
LARGE = 10_000
PLAN = """
[[member]]
name = "ExtraTrees"
engine = "forest"
settings = {trees = 100}
[[member]]
name = "Logistic"
engine = "classic"
settings = {kind = "logistic"}
"""
STORE = """
import sys
from pathlib import Path
from aurist.clips.read import read_clips
from aurist.features.waves import store_waves
waves = store_waves(read_clips(Path(sys.argv[1])), 22050, cache_dir=Path(sys.argv[2]), progress=False)
assert not waves.failures
"""
STEPS = ("audit", "features", "store", "prediction")


def sound(number: int) -> tuple[np.ndarray, str]:
    """Make a clip, the same for its number: a tone with harmonics, or a burst of noise, in noise of its own colour."""
    rng = np.random.default_rng(number)
    t = np.arange(RATE) / RATE
    colour = np.cumsum(rng.normal(size=RATE)) * rng.uniform(0.001, 0.01) + rng.normal(0, 0.02, RATE)
    label = ("tone", "burst", "chirp")[number % 3]
    hz = rng.uniform(300, 3000)
    if label == "tone":
        y = sum(np.sin(2 * np.pi * hz * k * t) / k for k in (1, 2, 3))
    elif label == "burst":
        y = rng.normal(size=RATE) * (np.abs(t - rng.uniform(0.2, 0.8)) < 0.1)
    else:
        y = np.sin(2 * np.pi * (hz * t + rng.uniform(200, 2000) * t**2))
    y = 0.3 * y + colour - colour.mean()
    return 0.5 * y / np.abs(y).max(), label


def clip_path(folder: Path, number: int) -> Path:
    return folder / "clips" / f"{number // 1000:03}" / f"{number:06}.wav"


def make_clips(folder: Path, n: int) -> None:
    """Write the clips that are missing, and a table for each size."""
    for number in range(n):
        path = clip_path(folder, number)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            y, _ = sound(number)
            soundfile.write(path.with_suffix(".part"), y, RATE, format="WAV", subtype="PCM_16")
            path.with_suffix(".part").rename(path)


def table_of_clips(folder: Path, n: int) -> Path:
    numbers = np.arange(n)
    table = pd.DataFrame(
        {
            "path": [f"clips/{i // 1000:03}/{i:06}.wav" for i in numbers],
            "label": np.array(["tone", "burst", "chirp"])[numbers % 3],
            "group": [f"g{i // 9}" for i in numbers],
        }
    )
    path = folder / f"clips_{n}.csv"
    table.to_csv(path, index=False)
    return path


def commands(folder: Path, n: int, cache: Path) -> dict[str, list[str]]:
    clips, aurist = str(table_of_clips(folder, n)), [sys.executable, "-m", "aurist"]
    out, stored = str(folder / f"out_{n}"), str(cache / "features")
    return {
        "audit": [*aurist, "check", clips, "-o", f"{out}_audit", "--cache-dir", str(cache / "audit")],
        "features": [*aurist, "features", clips, "-o", f"{out}.parquet", "--cache-dir", stored],
        "store": [sys.executable, "-c", STORE, clips, str(cache / "store")],
        "prediction": [*aurist, "predict", str(folder / "run"), clips, "-o", f"{out}.csv", "--cache-dir", stored],
    }  # fmt: skip


def disk(path: Path) -> float:
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) / 1e6


def step(folder: Path, n: int, name: str) -> dict[str, float]:
    """Measure a step, once."""
    kept = folder / "measured" / f"{name}_{n}.json"
    if not kept.exists():
        cache = folder / f"cache_{n}"
        if name != "prediction":
            shutil.rmtree(cache / name, ignore_errors=True)
        figures = measured(commands(folder, n, cache)[name])
        figures["MB"] = figures[PEAK]
        # prediction is with the features that are stored
        figures["disk MB"] = 0.0 if name == "prediction" else disk(cache / name)
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(json.dumps(figures))
        if name in ("audit", "store"):
            shutil.rmtree(cache / name)
    return dict(json.loads(kept.read_text()))


def exponent(sizes: list[int], values: list[float], fixed: float) -> str:
    """Return the slope over sizes from 1,000 on, of what is more than the fixed part."""
    pairs = [(n, v - fixed) for n, v in zip(sizes, values, strict=True) if n >= 1000 and v > fixed]
    if len(pairs) < 2:
        return ""
    slope = np.polyfit(np.log([n for n, _ in pairs]), np.log([v for _, v in pairs]), 1)[0]
    return f"{slope:.2f}"


def kilobytes(figures: list[dict[str, float]], key: str) -> str:
    """Return the slope of what a step takes from `LARGE` clips on, in KB a clip."""
    large = [one for one in figures if one["clips"] >= LARGE]
    slope = np.polyfit([one["clips"] for one in large], [one[key] for one in large], 1)[0]
    return f"{1000 * slope:.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--most", type=int, default=10_000)
    parser.add_argument("--folder", type=Path, required=True, help="folder for clips, caches and figures")
    parser.add_argument("--output", type=Path)
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=STEPS)
    given = parser.parse_args()
    folder: Path = given.folder
    folder.mkdir(parents=True, exist_ok=True)
    sizes = [*(n for n in (100, 1000, 3000, 10_000, 30_000) if n < given.most), given.most]
    make_clips(folder, 300)
    if "prediction" in given.steps and not (folder / "run" / "leaderboard.csv").exists():
        (folder / "plan.toml").write_text(PLAN)
        fit = ["fit", str(table_of_clips(folder, 300)), "--plan", str(folder / "plan.toml"), "-o"]
        subprocess.run([sys.executable, "-m", "aurist", *fit, str(folder / "run")], check=True)
    fixed = {name: step(folder, FEWEST, name) for name in given.steps}
    rows, figures = [], []
    for n in sizes:
        make_clips(folder, n)
        for name in given.steps:
            one = step(folder, n, name)
            print(n, name, {key: round(value, 1) for key, value in one.items()}, file=sys.stderr, flush=True)
            figures.append({"clips": n, "step": name, **one})
        shutil.rmtree(folder / f"cache_{n}", ignore_errors=True)
    for name in given.steps:
        of_step = [one for one in figures if one["step"] == name]
        for one in of_step:
            cells = [f"{one[key]:,.1f}" for key in ("seconds", "core seconds", "MB", "disk MB")]
            rows.append([name, f"{one['clips']:,}", *cells])
        slopes = [
            exponent(sizes, [one[key] for one in of_step], fixed[name][key])
            for key in ("seconds", "core seconds", "MB", "disk MB")
        ]
        rows.append([name, "exponent", *slopes])
        if given.most > LARGE:
            rows.append([name, "KB a clip", "", "", *(kilobytes(of_step, key) for key in ("MB", "disk MB"))])
    text = _common.table(["step", "clips", "seconds", "core seconds", "peak memory, MB", "disk, MB"], rows)
    _common.publish("growth", text, figures, given.output)


if __name__ == "__main__":
    main()
