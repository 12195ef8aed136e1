"""Small fits: seconds of `aurist fit --preset quick` on the music of the demo, before and now, in turns.

git worktree add /tmp/before COMMIT
python benchmarks/small_fits.py --before /tmp/before --repeats 5
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from aurist.synth import synthesise_demo

CLASSIC = """
[[member]]
name = "Logistic"
engine = "classic"
settings = {kind = "logistic"}
[[member]]
name = "KernelRidge"
engine = "kernel"
[[member]]
name = "SVM"
engine = "classic"
settings = {kind = "svm"}
[[member]]
name = "LDA"
engine = "classic"
settings = {kind = "lda"}
"""


def fit(source: Path, folder: Path, name: str, options: list[str]) -> dict[str, float]:
    """Fit with the code of a checkout; return the seconds of the parts."""
    run = folder / name
    environment = {**os.environ, "PYTHONPATH": str(source / "src"), "AURIST_CACHE_DIR": str(folder / "cache")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-m", "aurist", "fit", str(folder / "music"), "-o", str(run), *options]
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=environment)
    seconds = {"whole command": time.perf_counter() - began}
    journal = (run / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    events = [event for event in map(json.loads, journal) if "used" in event]
    seconds["until the features"] = events[0]["used"]
    seconds["from there to the first row"] = events[1]["used"] - events[0]["used"]
    for earlier, event in itertools.pairwise(events):
        seconds[f"{event['model']} ({event['event']})"] = event["used"] - earlier["used"]
    return seconds


def same(first: Path, second: Path) -> bool:
    """Return True if two runs have the same predictions."""
    a, b = (pd.read_parquet(run / "predictions.parquet") for run in (first, second))
    proba = (np.concatenate(table.pop("proba").to_numpy()) for table in (a, b))
    return a.equals(b) and np.array_equal(*proba)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, required=True, help="checkout to compare with")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--jobs", default="2")
    arguments = parser.parse_args()
    sources = {"before": arguments.before, "now": Path(__file__).parents[1]}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        synthesise_demo(folder, 0)
        (folder / "plan.toml").write_text(CLASSIC)
        plans = {
            "quick": ["--preset", "quick", "--engine", "autogluon", "--time-limit", "5m"],
            "classic": ["--plan", str(folder / "plan.toml"), "--folds", "5"],
        }
        for plan, options in plans.items():
            options = [*options, "--jobs", arguments.jobs]
            rounds: dict[str, list[dict[str, float]]] = {version: [] for version in sources}
            for number in range(arguments.repeats + 1):
                for version, source in sources.items():
                    seconds = fit(source, folder, f"{plan}-{version}-{number}", options)
                    if number:  # the first round computes the features
                        rounds[version].append(seconds)
                        print(
                            plan,
                            version,
                            {key: round(value, 1) for key, value in seconds.items()},
                            flush=True,
                        )
            print(f"\n{plan}: same predictions: {same(*(folder / f'{plan}-{v}-1' for v in sources))}")
            print("| seconds | before | now |\n|---|---|---|")
            for part in rounds["now"][0]:
                medians = [
                    statistics.median(row.get(part, float("nan")) for row in rounds[version])
                    for version in sources
                ]
                print(f"| {part} | {medians[0]:.1f} | {medians[1]:.1f} |")


if __name__ == "__main__":
    main()
