"""Stated score against actual score, on many divisions of one table.

`train.csv` of the 15-genre contest is divided into quarters, several times. Each quarter is the contest's test table
once: a run is fitted on the other three, gets the quarter without its labels, and states the expected scores for all
rows and for new rows. Then it is scored on the labels. An interrupted command continues.

    python benchmarks/own_word.py --rounds 2 --output own_word/
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

from _common import DATA

LABEL, ID = "genre", "ID"


def run_quarter(table: pd.DataFrame, test: np.ndarray, folder: Path, preset: str, limit: str) -> None:
    """Fit on three quarters and evaluate on the fourth, through the command line; only the scores are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    train_file, test_file, labelled_file = (folder / f"{n}.csv" for n in ("train", "test", "labelled"))
    table.drop(index=test).to_csv(train_file, index=False)
    table.loc[test].to_csv(labelled_file, index=False)
    table.loc[test].drop(columns=LABEL).to_csv(test_file, index=False)
    aurist, run = [sys.executable, "-m", "aurist"], folder / "run"
    shutil.rmtree(run, ignore_errors=True)
    data = ("--label", LABEL, "--metric", "f1_macro", "--test", str(test_file))
    limits = ("--preset", preset, "--time-limit", limit, "--jobs", "1", "-o", str(run))
    subprocess.run([*aurist, "fit", str(train_file), *data, *limits], check=True)
    subprocess.run(
        [
            *aurist,
            "evaluate",
            str(run),
            str(labelled_file),
            "--label",
            LABEL,
            "-o",
            str(folder / "evaluation"),
        ],
        check=True,
    )
    stated = json.loads((run / "scores.json").read_text())["test"]
    scores = json.loads((folder / "evaluation" / "evaluation.json").read_text())["scores"]
    result = {
        kind: {
            "stated": stated[key],
            "found": next(
                row
                for title, rows in scores.items()
                if title.startswith(kind)
                for row in rows
                if row["metric"] == "f1_macro"
            ),
        }
        for kind, key in (("all", "expected_all"), ("new", "expected_new"))
    }
    (folder / "result.json").write_text(json.dumps(result, indent=1))
    shutil.rmtree(run)


def summary(folder: Path) -> str:
    """Return stated and actual scores for every quarter, and their agreement over all quarters."""
    lines = []
    for kind in ("all", "new"):
        lines += [
            f"| quarter, {kind} rows | stated | actual | difference | in standard errors |",
            "|---|---|---|---|---|",
        ]
        differences, errors = [], []
        for file in sorted(folder.glob("*/result.json")):
            result = json.loads(file.read_text())[kind]
            stated, actual = result["stated"], result["found"]
            error = np.hypot(stated["high"] - stated["low"], actual["high"] - actual["low"]) / (2 * 1.96)
            differences.append(stated["score"] - actual["score"])
            errors.append(error)
            lines.append(
                f"| {file.parent.name} | {stated['score']:.4f} [{stated['low']:.4f}, {stated['high']:.4f}] "
                f"| {actual['score']:.4f} [{actual['low']:.4f}, {actual['high']:.4f}] "
                f"| {differences[-1]:+.4f} | {differences[-1] / error:+.1f} |"
            )
        away = np.abs(differences) / np.asarray(errors)
        lines += [
            f"| mean | | | {np.mean(differences):+.4f} | within 1.96: {(away < 1.96).sum()} of {len(away)} |",
            "",
        ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--table", type=Path, default=DATA / "spotify-genres" / "train.csv")
    parser.add_argument("--rounds", type=int, default=2, help="how often the table is divided again")
    parser.add_argument("--preset", default="quick")
    parser.add_argument("--time-limit", default="4m", help="time limit of each fit")
    parser.add_argument("--output", type=Path, default=Path("own_word"))
    options = parser.parse_args()
    from sklearn.model_selection import StratifiedKFold

    table = pd.read_csv(options.table)
    for seed in range(options.rounds):
        quarters = StratifiedKFold(4, shuffle=True, random_state=seed).split(table, table[LABEL])
        for quarter, (_, test) in enumerate(quarters):
            folder = options.output / f"round{seed}-quarter{quarter}"
            if not (folder / "result.json").exists():
                run_quarter(table, test, folder, options.preset, options.time_limit)
    result = summary(options.output)
    (options.output / "own_word.md").write_text(result + "\n")
    print(result)


if __name__ == "__main__":
    main()
