"""One network trained by one process and by two (``training.devices``, gloo): the score on the same clips.

    python benchmarks/devices.py --folder /tmp/devices --output results   # continues if it was interrupted

A few classes of ESC-10, of which fold 1 is the validation part and the others are learnt from: one fold, a fixed number
of epochs, nothing is chosen. Seeds of one process show the noise.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import _common
from _process import measured
from aurist.predictions import from_frame
from aurist.results.bootstrap import bootstrap
from aurist.run import open_run, read_data, training_data

CLASSES = ("Dog bark", "Rooster", "Person sneeze")
RECIPE = """
base = "mel-cnn"
name = "Network"
[training]
epochs = {epochs}
precision = "32"
devices = {devices}
"""
PLAN = '[[member]]\nname = "Network"\nengine = "network"\nrecipe = "{recipe}"\n'


def make_table(data: Path, path: Path) -> None:
    table = pd.read_csv(data / "esc10" / "labels.csv")
    table = table[table["label"].isin(CLASSES)]
    table["part"] = np.where(table["fold"] == 1, "valid", "train")
    table["path"] = [str(data / "esc10" / name) for name in table["path"]]
    table[["path", "label", "group", "part"]].to_csv(path, index=False)


def fit(folder: Path, devices: int, seed: int, epochs: int) -> dict[str, Any]:
    """Train once, and score the validation part."""
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
        figures = {"seconds": figures["seconds"], "core seconds": figures["core seconds"]}
        kept.write_text(json.dumps(figures | scores(run)))
    return dict(json.loads(kept.read_text()))


def scores(run: Path) -> dict[str, str]:
    """Score the clips of the validation part, with intervals."""
    learn = training_data(read_data(open_run(run)))
    stored = open_run(run).predictions().query("part == 'oof' and model == 'Network'")
    rows = np.flatnonzero(np.isin(learn.clip_ids, stored["clip_id"].unique()))
    network = from_frame(stored, learn.task.classes)[0]
    proba = np.asarray(network.aligned(learn.clip_ids[rows].tolist()))
    truth, groups = learn.examples.targets[rows], learn.groups[rows]
    return {"clips": str(len(rows))} | {
        name: str(bootstrap(truth, proba, groups, name)) for name in ("accuracy", "log_loss")
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, default=_common.DATA)
    parser.add_argument("--folder", type=Path, required=True, help="folder for the runs")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--output", type=Path)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    make_table(given.data, given.folder / "clips.csv")
    rows = [
        {"processes": devices, "seed": seed, **fit(given.folder, devices, seed, given.epochs)}
        for seed in range(given.seeds)
        for devices in (1, 2)
    ]
    _common.publish("devices", _common.table_of(rows), rows, given.output)


if __name__ == "__main__":
    main()
