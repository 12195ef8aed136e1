"""One network trained by one process and by two (``training.devices``, gloo): the scores of the same clips.

    python benchmarks/devices.py --folder /tmp/devices --output results   # continues if it was interrupted

Spoken digits of six people in three folds of two people each; a fixed number of epochs, nothing is chosen. Each seed is
trained by one process and by two; the interval of the difference is Student's, over the seeds. Log loss is a score,
negative: higher is better.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

import _common
from _process import measured
from aurist.metrics import METRICS
from aurist.predictions import from_frame
from aurist.run import open_run, read_data, training_data

SCORES = ("accuracy", "log_loss")
#: Our default network, with frames and windows for words at 8 kHz.
RECIPE = """
base = "mel-cnn"
name = "Network"
[front]
sample_rate = 8000
n_fft = 512
hop_length = 80
fmax = 4000.0
[window]
seconds = 0.6
[training]
epochs = {epochs}
precision = "32"
devices = {devices}
"""
PLAN = '[[member]]\nname = "Network"\nengine = "network"\nrecipe = "{recipe}"\n'


def make_table(data: Path, path: Path, takes: int) -> None:
    """List the first recordings of each digit by each person."""
    files = sorted((data / "fsdd" / "recordings").glob("*.wav"))
    table = pd.DataFrame([file.stem.split("_") for file in files], columns=["label", "group", "take"])
    table.insert(0, "path", [str(file) for file in files])
    people = sorted(table["group"].unique())
    table["fold"] = 1 + table["group"].map(people.index) % 3
    table = table[table["take"].astype(int) < takes]
    table.assign(label="digit " + table["label"]).drop(columns="take").to_csv(path, index=False)


def fit(folder: Path, devices: int, seed: int, epochs: int) -> dict[str, Any]:
    """Train on all folds, and score the clips of each by the network that did not learn from them."""
    name = f"{devices}_{seed}"
    kept, run = folder / f"{name}.json", folder / f"run_{name}"
    if not kept.exists():
        recipe, plan = folder / f"recipe_{name}.toml", folder / f"plan_{name}.toml"
        recipe.write_text(RECIPE.format(epochs=epochs, devices=devices))
        plan.write_text(PLAN.format(recipe=recipe))
        options = ["--plan", str(plan), "--seed", str(seed), "--no-embed", "-o", str(run)]
        command = (
            ["resume", str(run)]
            if (run / "data.json").exists()
            else ["fit", str(folder / "clips.csv"), *options]
        )
        figures = measured([sys.executable, "-m", "aurist", *command])
        kept.write_text(json.dumps({"core seconds": round(figures["core seconds"])} | scores(run)))
    return dict(json.loads(kept.read_text()))


def scores(run: Path) -> dict[str, float]:
    """Score all clips out of fold."""
    learn = training_data(read_data(open_run(run)))
    stored = open_run(run).predictions().query("part == 'oof' and model == 'Network'")
    proba = np.asarray(from_frame(stored, learn.task.classes)[0].aligned(learn.clip_ids.tolist()))
    return {name: METRICS[name](learn.examples.targets, proba) for name in SCORES}


def difference(one: list[float], two: list[float]) -> str:
    """Return the mean difference of two processes and one, and its interval, over the seeds."""
    by_seed = np.subtract(two, one)
    half = stats.t.ppf(0.975, len(by_seed) - 1) * stats.sem(by_seed)
    return f"{by_seed.mean():+.3f} [{by_seed.mean() - half:+.3f}, {by_seed.mean() + half:+.3f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, default=_common.DATA)
    parser.add_argument("--folder", type=Path, required=True, help="folder for the runs")
    parser.add_argument("--takes", type=int, default=5, help="recordings of each digit by each person")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--output", type=Path)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    make_table(given.data, given.folder / "clips.csv", given.takes)
    rows = []
    for seed in range(given.seeds):
        rows += [
            {"processes": devices, "seed": seed, **fit(given.folder, devices, seed, given.epochs)}
            for devices in (1, 2)
        ]
        print(_common.table_of(rows[-2:]), file=sys.stderr, flush=True)
    by_devices = [[row for row in rows if row["processes"] == devices] for devices in (1, 2)]
    differences = {name: difference(*([row[name] for row in some] for some in by_devices)) for name in SCORES}
    shown = [row | {name: f"{row[name]:.3f}" for name in SCORES} for row in rows]
    text = _common.table_of(shown) + f"\n\nTwo processes minus one: {differences}"
    _common.publish("devices", text, {"rows": rows, "differences": differences}, given.output)


if __name__ == "__main__":
    main()
