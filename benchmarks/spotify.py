"""The 15-genre contest table: aurist against AutoGluon alone, same rows, same minutes, one after the other.

A random quarter of `train.csv` is held out, as the contest did for its own test table, so about as many of its rows
have a copy in the training part. Both use the other three quarters and the features of the held-out quarter; its labels
are used only for scoring. An interrupted command continues.

    python benchmarks/spotify.py --minutes 15 --output spotify/
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from _common import DATA
from aurist.results.bootstrap import bootstrap
from aurist.results.differences import paired

LABEL, ID = "genre", "ID"


def make_split(table: pd.DataFrame, folder: Path, seed: int) -> tuple[Path, Path, pd.DataFrame]:
    """Write the training part and the unlabelled quarter. Return the quarter with its labels."""
    from sklearn.model_selection import StratifiedKFold

    train, test = next(StratifiedKFold(4, shuffle=True, random_state=seed).split(table, table[LABEL]))
    folder.mkdir(parents=True, exist_ok=True)
    table.iloc[train].to_csv(folder / "train.csv", index=False)
    table.iloc[test].drop(columns=LABEL).to_csv(folder / "test.csv", index=False)
    return folder / "train.csv", folder / "test.csv", table.iloc[test].reset_index(drop=True)


def run_aurist(train: Path, test: Path, folder: Path, minutes: float, seed: int) -> None:
    """Fit and predict through the command line, as a user does."""
    run, out = folder / "aurist_run", folder / "aurist.csv"
    command = [sys.executable, "-m", "aurist"]
    limit = f"{minutes * 60:g}s"
    started = time.monotonic()
    data = ("--label", LABEL, "--metric", "f1_macro", "--test", str(test))
    limits = ("--preset", "best", "--time-limit", limit, "--seed", str(seed), "-o", str(run))
    subprocess.run([*command, "fit", str(train), *data, *limits], check=True)
    (folder / "aurist.json").write_text(
        json.dumps({"seconds": time.monotonic() - started} | json.loads((run / "scores.json").read_text()))
    )
    subprocess.run([*command, "predict", str(run), str(test), "-o", str(out)], check=True)


def run_autogluon(train: Path, test: Path, folder: Path, minutes: float) -> None:
    """AutoGluon alone: best_quality, as in its documentation."""
    from autogluon.tabular import TabularPredictor

    started = time.monotonic()
    predictor = TabularPredictor(
        LABEL, eval_metric="f1_macro", path=str(folder / "autogluon_run"), verbosity=1
    )
    predictor.fit(pd.read_csv(train).drop(columns=ID), presets="best_quality", time_limit=minutes * 60)
    score = predictor.leaderboard()["score_val"].iloc[0]
    (folder / "autogluon.json").write_text(
        json.dumps({"seconds": time.monotonic() - started, "own_validation": float(score)})
    )
    table = pd.read_csv(test)
    proba = predictor.predict_proba(table.drop(columns=ID))
    proba.insert(0, "label", predictor.predict(table.drop(columns=ID)))
    proba.insert(0, "id", table[ID])
    proba.to_csv(folder / "autogluon.csv", index=False)


def compare(folder: Path, test: pd.DataFrame) -> str:
    """Return a table of both, on all rows of the quarter and on new rows, with paired differences."""
    features = [name for name in test.columns if name not in (ID, LABEL)]
    train = pd.read_csv(folder / "train.csv")
    seen = pd.util.hash_pandas_object(train[features], index=False)
    keys = pd.util.hash_pandas_object(test[features], index=False)
    new = ~keys.isin(seen).to_numpy()
    classes = sorted(test[LABEL].unique())
    truth = np.eye(len(classes))[[classes.index(name) for name in test[LABEL]]]
    scores = {}
    for name in ("aurist", "autogluon"):
        label = pd.read_csv(folder / f"{name}.csv")["label"]
        scores[name] = np.eye(len(classes))[[classes.index(n) for n in label]]
    lines = ["| rows | aurist | AutoGluon | difference (paired) |", "|---|---|---|---|"]
    for title, rows in (("all", np.ones_like(new)), ("new", new)):
        a, g = scores["aurist"][rows], scores["autogluon"][rows]
        groups = keys.to_numpy()[rows]
        lines.append(
            f"| {title} ({rows.sum()}) | {bootstrap(truth[rows], a, groups, 'f1_macro')} "
            f"| {bootstrap(truth[rows], g, groups, 'f1_macro')} | {paired(truth[rows], a, g, groups, 'f1_macro')} |"
        )
    own = json.loads((folder / "aurist.json").read_text())
    gluon = json.loads((folder / "autogluon.json").read_text())
    lines.append("")
    lines.append(
        f"aurist's own word: {own['test']['expected_all']} on all rows, {own['test']['expected_new']} on new ones, in "
        f"{own['seconds']:.0f} s; AutoGluon's own validation: {gluon['own_validation']:.4f}, "
        f"in {gluon['seconds']:.0f} s."
    )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--table", type=Path, default=DATA / "spotify-genres" / "train.csv")
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--output", type=Path, default=Path("spotify"))
    options = parser.parse_args()
    train, test, labelled = make_split(pd.read_csv(options.table), options.output, options.seed)
    if not (options.output / "aurist.csv").exists():
        run_aurist(train, test, options.output, options.minutes, options.seed)
    if not (options.output / "autogluon.csv").exists():
        run_autogluon(train, test, options.output, options.minutes)
    table = compare(options.output, labelled)
    (options.output / "spotify.md").write_text(table + "\n")
    print(table)


if __name__ == "__main__":
    main()
