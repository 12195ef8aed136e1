"""Test if time limits are kept: ten fits of different data from the command line, with limits of 1 to 20 minutes.

With ``--short`` the limits are 20 to 60 seconds, and one table has 500 classes. A limit is kept if the whole command
ends at most a tenth, or 20 seconds, after it. An interrupted command continues.

    python benchmarks/budget.py --output budget
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from _common import DATA, table
from equal_time import labels

#: Data set and minutes; names with a slash are tables of features.
FITS = (
    ("fsdd", 1),
    ("tables/emotions/emotions.arff", 1.5),
    ("gtzan100", 2),
    ("tables/frogs_mfcc.csv", 3),
    ("spotify-genres/train.csv", 4),
    ("nips4b", 6),
    ("tables/us8k_features.csv", 8),
    ("bengalese", 10),
    ("gtzan100", 15),
    ("esc10", 20),
)
#: A table of 500 classes, which is made for it.
MANY_CLASSES = "500 classes"
SHORT = (
    ("fsdd", 1 / 3),
    ("tables/emotions/emotions.arff", 0.5),
    ("gtzan100", 0.5),
    (MANY_CLASSES, 0.75),
    ("tables/frogs_mfcc.csv", 0.75),
    ("spotify-genres/train.csv", 1),
    ("esc10", 1),
)
OPTIONS = {
    "tables/frogs_mfcc.csv": ("--label", "Species", "--group", "RecordID"),
    "spotify-genres/train.csv": ("--label", "genre", "--metric", "f1_macro", "--preset", "best"),
}


def keeps(minutes: float, seconds: float) -> bool:
    return seconds <= 60 * minutes + max(20.0, 6 * minutes)


def fit(name: str, minutes: float, data: Path, folder: Path, jobs: int) -> dict[str, object]:
    """Run one command from its start to its end."""
    if "/" in name:
        given = data / name
    elif name == MANY_CLASSES:
        given = folder / "many_classes.csv"
        rng = np.random.default_rng(0)
        centres = rng.normal(size=(500, 40)).repeat(12, axis=0)
        columns = [f"feature_{number}" for number in range(40)]
        rows = pd.DataFrame(centres + rng.normal(size=centres.shape), columns=columns)
        rows.assign(label=np.arange(500).repeat(12)).astype({"label": str}).to_csv(given, index=False)
    else:
        given = folder / f"{name}.csv"
        labels(data, name).to_csv(given, index=False)
    run = folder / f"{name.replace('/', '_').replace(' ', '_')}_{minutes:g}m"
    shutil.rmtree(run, ignore_errors=True)
    command = [sys.executable, "-m", "aurist", "fit", str(given), "-o", str(run), "--jobs", str(jobs)]
    command += ["--time-limit", f"{60 * minutes:.0f}s", *OPTIONS.get(name, ())]
    began = time.monotonic()
    subprocess.run(command, check=True)
    seconds = time.monotonic() - began
    board = pd.read_csv(run / "leaderboard.csv")
    score = f"{board['score'].iloc[0]:.3f} {board['metric'].iloc[0]}"
    return {
        "data": name,
        "minutes": minutes,
        "seconds": round(seconds, 1),
        "models": len(board),
        "score": score,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--jobs", type=int, default=0)
    parser.add_argument("--output", type=Path, default=Path("budget"))
    parser.add_argument("--short", action="store_true", help="limits of 20 to 60 seconds")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    path = options.output / f"budget{'-short' if options.short else ''}.json"
    done = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    for name, minutes in (SHORT if options.short else FITS)[len(done) :]:
        done.append(fit(name, minutes, options.data, options.output, options.jobs))
        path.write_text(json.dumps(done, indent=1), encoding="utf-8")
    header = ["data", "limit", "run time", "limit kept", "leaderboard rows", "best score"]
    rows = [
        [
            str(one["data"]),
            f"{one['minutes']:g} min" if one["minutes"] >= 1 else f"{60 * one['minutes']:.0f} s",
            f"{one['seconds']:.0f} s",
            "yes" if keeps(one["minutes"], one["seconds"]) else "no",
            str(one["models"]),
            str(one["score"]),
        ]
        for one in done
    ]
    text = table(header, rows)
    path.with_suffix(".md").write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
