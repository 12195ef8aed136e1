"""Prediction of one 5-s clip: from a fresh process (cold), and by a run in memory (warm), against AutoGluon.

AutoGluon learns from the same features, and predicts a row whose features are ready: it neither decodes nor computes.

    python benchmarks/one_clip.py --output results
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd

import _common
import aurist
from aurist.inference import features as feature_rooms
from aurist.inference.fold_models import FoldModels

PER_CLASS = 10
PEER = """
import pandas
from autogluon.tabular import TabularPredictor
print(TabularPredictor.load({!r}).predict(pandas.read_parquet({!r}))[0])
"""


def learn(folder: Path, data: Path) -> tuple[aurist.Run, float]:
    """Fit both on 100 clips of ESC-10, and return the run and the seconds of its fit."""
    from autogluon.tabular import TabularPredictor

    labels = pd.read_csv(data / "esc10" / "labels.csv").groupby("label").head(PER_CLASS)
    labels["path"] = [str((data / "esc10" / path).resolve()) for path in labels["path"]]
    labels.drop(columns="fold").to_csv(folder / "clips.csv", index=False)
    began = time.perf_counter()
    run = aurist.fit(folder / "clips.csv", folder / "run", label="label", group="group", preset="quick")
    seconds = time.perf_counter() - began
    table = aurist.compute_features(list(labels["path"]))
    numbers = table.select_dtypes("number").assign(label=labels["label"].to_numpy())
    TabularPredictor("label", path=str(folder / "peer"), verbosity=0).fit(numbers, time_limit=45)
    numbers.drop(columns="label").head(1).to_parquet(folder / "row.parquet")
    return run, seconds


def process(*command: str) -> tuple[float, float, str]:
    """Run a command, and return its seconds, its peak memory in MB, and its standard output."""
    began = time.perf_counter()
    timed = ["/usr/bin/env", "time", "-f", "%M", *command]
    out = subprocess.run(timed, capture_output=True, text=True, check=True)
    return time.perf_counter() - began, int(out.stderr.split()[-1]) / 1024, out.stdout


def warm(run: aurist.Run, clip: Path, rounds: int) -> dict[str, float]:
    """Return the median milliseconds of a prediction, of its features and of its models."""
    spent = {"features": 0.0, "models": 0.0}

    def timed(part: str, call):
        def inner(*args, **settings):
            began = time.perf_counter()
            try:
                return call(*args, **settings)
            finally:
                spent[part] += time.perf_counter() - began

        return inner

    rows = []
    with (
        patch.object(feature_rooms, "raw_features", timed("features", feature_rooms.raw_features)),
        patch.object(FoldModels, "proba", timed("models", FoldModels.proba)),
        tempfile.TemporaryDirectory() as cache,
    ):
        for step in range(rounds + 2):
            spent.update(features=0.0, models=0.0)
            began = time.perf_counter()
            # a folder of its own, so that features are computed
            run.predict([clip], cache_dir=Path(cache) / str(step))
            total = time.perf_counter() - began
            rows.append([total, spent["features"], spent["models"], 1 - sum(spent.values()) / total])
    total, features, models, other = np.median(rows[2:], axis=0)
    return {"total": 1e3 * total, "features": 1e3 * features, "models": 1e3 * models, "other": other}


def main() -> None:
    warnings.filterwarnings("ignore")
    args = _common.arguments(__doc__ or "")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run, fit_seconds = learn(folder, args.data)
        clip = Path(pd.read_csv(folder / "clips.csv")["path"][0])
        ours = [sys.executable, "-m", "aurist", "predict", str(folder / "run"), str(clip)]
        peer = [sys.executable, "-c", PEER.format(str(folder / "peer"), str(folder / "row.parquet"))]
        answer = run.predict_proba([clip]).iloc[0].to_numpy()
        printed = pd.read_csv(pd.io.common.StringIO(process(*ours)[2]))[list(run.classes)].iloc[0].to_numpy()
        assert np.allclose(printed, answer, atol=1e-5), "command line and Python differ"
        rounds = [(process(*ours), process(*peer)) for _ in range(args.repeats)]
        from autogluon.tabular import TabularPredictor

        loaded, row = TabularPredictor.load(str(folder / "peer")), pd.read_parquet(folder / "row.parquet")
        loaded.persist()
        of_peer = []
        for _ in range(args.repeats + 2):
            began = time.perf_counter()
            loaded.predict(row)
            of_peer.append(1e3 * (time.perf_counter() - began))
        parts = warm(run, clip, 4 * args.repeats)
        best, members = str(loaded.model_best), run.leaderboard()["model"].tolist()
    header = ["", "aurist", f"AutoGluon ({best}), features ready"]
    median = statistics.median
    rows = [
        ["cold, seconds", f"{median(a[0] for a, _ in rounds):.1f}", f"{median(b[0] for _, b in rounds):.1f}"],
        [
            "cold, peak memory, MB",
            f"{median(a[1] for a, _ in rounds):.0f}",
            f"{median(b[1] for _, b in rounds):.0f}",
        ],
        ["warm, milliseconds", f"{parts['total']:.0f}", f"{median(of_peer[2:]):.0f}"],
        ["warm, of which features", f"{parts['features']:.0f}", "-"],
        ["warm, of which models", f"{parts['models']:.0f}", "-"],
        ["warm, share of the rest", f"{parts['other']:.1%}", "-"],
        ["fit, seconds (quick, 100 clips)", f"{fit_seconds:.1f}", "-"],
    ]
    figures = {
        "fit": fit_seconds,
        "warm": parts,
        "peer": of_peer,
        "members": members,
    }
    text = _common.table(header, rows) + f"\n\nThe run's models: {', '.join(figures['members'])}."
    _common.publish("one_clip", text, figures, args.output)


if __name__ == "__main__":
    main()
