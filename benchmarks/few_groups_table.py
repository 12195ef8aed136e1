"""The tables of `few_groups.py`: ways to state a score, compared with the actual score of the same fits.

python benchmarks/few_groups_table.py few_groups/
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

import _common
from aurist.results.bootstrap import bootstrap


def read(path: Path) -> dict[str, float | str | bool]:
    """Return one division: stated minus actual for each way, and if the intervals contain the actual score."""
    kept = np.load(path)
    name, n_groups, _ = path.stem.rsplit("_", 2)
    label, new_label = kept["label"], kept["test_label"]
    row: dict[str, float | str | bool] = {"family": name.replace("-", " "), "groups": int(n_groups)}

    def right(proba: np.ndarray, truth: np.ndarray) -> float:
        return float((proba.argmax(axis=1) == truth).mean())

    once, again = kept["five oof"], kept["five again oof"]
    is_right = right(kept["five new"], new_label)
    one = (right(once, label) + right(again, label)) / 2
    two = right(once + again, label)
    row["stated"] = right(once, label) - is_right
    row["by one fold's models"] = right(once, label) - float(kept["five alone"].mean())
    # The error of a mean of m models falls as 1 / m, so two models predict the effect of five.
    row["corrected"] = one + 2 * (two - one) * (1 - 1 / 5) - is_right
    row["worth of the second"] = right(kept["five new"] + kept["five again new"], new_label) - is_right
    for kind in ("level", "ten"):
        if f"{kind} oof" in kept:
            there = right(kept[f"{kind} new"], new_label)
            row[kind] = right(kept[f"{kind} oof"], label) - there
            row[f"five where {kind}"] = row["stated"]
            row[f"worth of {kind}"] = there - is_right
    truth, test = np.eye(once.shape[1])[label], np.eye(once.shape[1])[new_label]
    own = bootstrap(test, kept["five new"], kept["test_group"], "accuracy", rounds=300)
    for way, out_of_fold in (("normal", False), ("student", True)):
        held = bootstrap(truth, once, kept["group"], "accuracy", rounds=300, out_of_fold=out_of_fold)
        spread = (own.high - own.low) / 2
        gap = is_right - held.score
        row[way] = -np.hypot(held.score - held.low, spread) <= gap <= np.hypot(held.high - held.score, spread)
        row[f"{way} width"] = held.high - held.low
    return row


def written(rounds: pd.DataFrame) -> str:
    """Return the two tables."""

    def mean(values: pd.Series) -> str:
        numbers = values.dropna()
        if len(numbers) < 4:
            return ""
        return f"{numbers.mean():+.3f} ± {2 * numbers.std(ddof=1) / np.sqrt(len(numbers)):.3f}"

    def share(some: pd.DataFrame, way: str) -> str:
        return f"{some[way].mean():.0%}, {some[f'{way} width'].mean():.2f}"

    parts = [(f"{n} groups per class", some) for n, some in rounds.groupby("groups")]
    parts += [(str(name), some) for name, some in rounds.groupby("family", sort=False)]
    parts += [("**3 to 60 groups per class**", rounds[rounds["groups"] >= 3]), ("all", rounds)]
    bias = ["stated", "by one fold's models", "corrected"]
    first = [
        [
            name,
            str(len(some)),
            *(mean(some[way]) for way in bias),
            share(some, "normal"),
            share(some, "student"),
        ]
        for name, some in parts
    ]
    ways = ["level", "five where level", "worth of level", "ten", "five where ten", "worth of ten"]
    second = [
        [name, *(mean(some[way]) for way in ways), mean(some["worth of the second"])] for name, some in parts
    ]
    return "\n\n".join(
        [
            _common.table(
                ["", "divisions", "stated minus actual", "the same, models of one fold",
                 "corrected by a second division",
                 "coverage, normal", "coverage, Student's t"],
                first,
            ),
            _common.table(
                ["", "level folds: stated minus actual", "5 folds, same data", "level folds: gain",
                 "10 folds: stated minus actual",
                 "5 folds, same data", "10 folds: gain", "second division: gain"],
                second,
            ),
        ]
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    paths = sorted(path for path in options.folder.glob("*.npz") if not path.stem.endswith(".part"))
    print(written(pd.DataFrame([read(path) for path in paths])))


if __name__ == "__main__":
    main()
