"""AutoGluon's own ways to divide grouped rows, and aurist's grouped folds: stated against actual scores.

A third of the groups (records of frogs) or of the official folds (UrbanSound8K's features) is held out. The rest goes
to AutoGluon with its defaults, to AutoGluon with `validation_structure={"group_on": ...}` (added in 1.6), and to
aurist, with the same time. Each states a score; then the held-out part is scored. An interrupted command continues:
every fit is a line of `fits.jsonl`.

    python benchmarks/validation_structure.py --seconds 60 --rounds 3 --output validation_structure/
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score
from sklearn.model_selection import StratifiedGroupKFold

import _common
from aurist.automl.fit import fit
from aurist.clips.read import ReadOptions, read_clips
from aurist.config import FitConfig
from aurist.inference.predict import predict_clips
from aurist.run import files_of_run

#: For each data set: the table, its label, and the group column.
SETS = {
    "frogs": ("frogs_mfcc.csv", "Species", "RecordID"),
    "UrbanSound8K": ("us8k_features.csv", "Label", "fold"),
}
WAYS = ("AutoGluon", "AutoGluon, group_on", "AutoGluon, group_on, groups renumbered", "aurist")


def divided(table: pd.DataFrame, label: str, group: str, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return two thirds of the groups for training and a third for scoring; all classes of the third are in the rest
    too.
    """
    split = StratifiedGroupKFold(3, shuffle=True, random_state=seed)
    train, test = next(split.split(table, table[label], table[group]))
    held_out = table.iloc[test]
    known_class = held_out[label].isin(table[label].iloc[train])
    return table.iloc[train].reset_index(drop=True), held_out[known_class].reset_index(drop=True)


def by_autogluon(
    train: pd.DataFrame, test: pd.DataFrame, label: str, group: str, way: str, seconds: float
) -> tuple[float, float]:
    """Return the score that its best model states, and the actual score."""
    from autogluon.tabular import TabularPredictor

    structure = None if way == "AutoGluon" else {"group_on": group}
    if way == "AutoGluon":  # A user who does not think of groups drops their column.
        train, test = train.drop(columns=group), test.drop(columns=group)
    if way.endswith(
        "renumbered"
    ):  # The column stays a feature, and records are numbered by species: numbers are replaced.
        groups = pd.concat([train[group], test[group]]).unique()
        number = dict(zip(groups, np.random.default_rng(0).permutation(len(groups)), strict=True))
        train, test = (part.assign(**{group: part[group].map(number)}) for part in (train, test))
    with tempfile.TemporaryDirectory() as folder:
        predictor = TabularPredictor(label, path=folder, verbosity=0, eval_metric="accuracy")
        predictor.fit(
            train,
            presets="best_quality",
            time_limit=seconds,
            num_cpus=1,
            dynamic_stacking=False,
            validation_structure=structure,
        )
        stated = predictor.leaderboard()["score_val"].iloc[0]
        actual = accuracy_score(test[label], predictor.predict(test.drop(columns=label)))
    return float(stated), float(actual)


def by_aurist(
    train: pd.DataFrame, test: pd.DataFrame, label: str, group: str, seconds: float, seed: int
) -> tuple[float, float]:
    """Return the score that the run states, and the actual score."""
    options = ReadOptions(label=label, path="none", **{"fold" if group == "fold" else "group": group})
    with tempfile.TemporaryDirectory() as folder:
        config = FitConfig(metric="accuracy", time_limit=seconds, seed=seed, jobs=1)
        run = fit(train, Path(folder) / "run", config, options=options)
        stated = run.scores().score.score
        applied = predict_clips(files_of_run(run), read_clips(test, options))
    predicted = np.array(applied.classes)[applied.proba.argmax(axis=1)]
    return float(stated), float(accuracy_score(test[label].astype(str), predicted))


def written(fits: pd.DataFrame) -> str:
    lines = []
    for (name, way), some in fits.groupby(["set", "way"], sort=False):
        gap = some["stated"] - some["actual"]
        lines.append(
            [
                name,
                way,
                str(len(some)),
                f"{some['stated'].mean():.3f}",
                f"{some['actual'].mean():.3f}",
                f"{gap.mean():+.3f} ({gap.min():+.3f} to {gap.max():+.3f})",
            ]
        )
    return _common.table(
        ["data set", "validation", "rounds", "stated", "actual", "stated minus actual (range)"], lines
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=_common.DATA)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--output", type=Path, default=Path("validation_structure"))
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    path = options.output / "fits.jsonl"
    fits = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    done = {(one["set"], one["way"], one["seed"]) for one in fits}
    for seed in range(options.rounds):
        for name, (file, label, group) in SETS.items():
            train, test = divided(pd.read_csv(options.data / "tables" / file), label, group, seed)
            for way in WAYS:
                if (name, way, seed) in done:
                    continue
                if way == "aurist":
                    stated, actual = by_aurist(train, test, label, group, options.seconds, seed)
                else:
                    stated, actual = by_autogluon(train, test, label, group, way, options.seconds)
                fits.append({"set": name, "way": way, "seed": seed, "stated": stated, "actual": actual})
                with path.open("a", encoding="utf-8") as lines:
                    lines.write(json.dumps(fits[-1]) + "\n")
    table = written(pd.DataFrame(fits))
    (options.output / "table.md").write_text(table + "\n", encoding="utf-8")
    print(table)


if __name__ == "__main__":
    main()
