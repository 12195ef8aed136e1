"""Stated scores against actual scores on groups that a run never saw, over many rounds.

Each round draws a third of the groups of a data set, stratified, as a test part. It fits on the rest by a written plan
of fast models (through `aurist.automl.fit`, so that folds, ensemble, calibration and interval are those of a user), and
scores the test part. In some of the rounds, the same fit is repeated with random folds (`--careless`), and with
AutoGluon's own validation (`--autogluon`). Then full fits of recordings follow (`--full`), with what aurist plans for
`--minutes`, including networks. An interval counts as right if it contains the test score, widened by the sampling
error of the test part: a bootstrap over its groups.

An interrupted command continues: every round is a line of `rounds.jsonl`.

    python benchmarks/honesty.py --rounds 70 --output honesty/
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

import _common
from aurist.automl.fit import fit
from aurist.clips import Clips
from aurist.clips.read import ReadOptions, read_clips
from aurist.config import FitConfig
from aurist.features.store import summary_table
from aurist.features.summary import SummaryConfig
from aurist.inference.predict import predict_clips
from aurist.inference.predictor import Predictor
from aurist.metrics import metric
from aurist.results.bootstrap import bootstrap
from aurist.run import RunFolder, files_of_run, read_data
from equal_time import labels

PLAN = '[[member]]\nname = "ExtraTrees"\nengine = "forest"\n[member.settings]\ntrees = 100\n' + "".join(
    f'[[member]]\nname = "{kind}"\nengine = "classic"\n[member.settings]\nkind = "{kind}"\n'
    for kind in ("lda", "logistic")
)
#: One part of so many is the test part.
PARTS = 3
#: The frogs' table has 7,195 rows and would take long: at most so many rows per record.
ROWS_A_RECORD = 20


def frogs(data: Path) -> pd.DataFrame:
    table = pd.read_csv(data / "tables" / "frogs_mfcc.csv").rename(
        columns={"Species": "label", "RecordID": "group"}
    )
    table = table.groupby("group", group_keys=False).head(ROWS_A_RECORD)
    # A species with fewer records than folds says nothing about folds.
    records = table.groupby("label")["group"].nunique()
    return table[table["label"].isin(records[records >= 4].index)].reset_index(drop=True)


def recordings(data: Path, name: str) -> pd.DataFrame:
    clips = read_clips(data / name / "labels.csv", ReadOptions())
    table = summary_table(clips, SummaryConfig()).features.reset_index(drop=True)
    table["label"] = [labels[0] for labels in clips.table["labels"]]
    table["group"] = clips.table["group"].to_numpy()
    return table


SETS = {
    "esc10": lambda data: recordings(data, "esc10"),
    "gtzan100": lambda data: recordings(data, "gtzan100"),
    "frogs": frogs,
}
#: Data sets of full fits; their metric.
FULL = {"esc10": "accuracy", "gtzan100": "accuracy", "nips4b": "lwlrap"}


def sound(data: Path, name: str) -> pd.DataFrame:
    """Return recordings by path, for fits that may use the sound itself."""
    table = labels(data, name)[["path", "label", "group"]]
    return table.assign(label=table["label"].fillna(""))


def stated_and_found(
    train: pd.DataFrame,
    test: pd.DataFrame,
    config: FitConfig,
    *,
    path: str = "none",
    careless: bool = False,
) -> dict[str, Any]:
    """Return the stated score and interval of a run, and its score on the test part with the interval of that part."""
    folder = Path(tempfile.mkdtemp())
    try:
        if careless:  # Every row is its own group.
            train = train.assign(group=[f"r{i}" for i in range(len(train))])
        options = ReadOptions(label="label", group="group", path=path)
        run = fit(train, folder / "run", config, options=options)
        stated = asdict(run.scores().score)
        new = read_clips(test, options)
        applied = predict_clips(files_of_run(run), new)
        groups = pd.factorize(test["group"])[0]
        truth, alone = new.targets(applied.classes), by_one_fold(run, new, config.metric or "accuracy")
        actual = bootstrap(truth, applied.proba, groups, config.metric or "accuracy", seed=config.seed)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return {
        "stated": stated,
        "found": {"score": actual.score, "low": actual.low, "high": actual.high, "alone": alone},
    }


def by_one_fold(run: RunFolder, new: Clips, name: str) -> float:
    """Return the score of the models of one fold alone, as the mean over the folds. A run predicts with all folds."""
    data = read_data(run)
    predictor, truth = Predictor(files_of_run(run)), new.targets(data.task.classes)
    inputs, models = predictor.pipeline.transform(new, jobs=1).inputs, predictor.models
    scores = [metric(name)(truth, models.fold_proba(fold, inputs)) for fold in range(models.n_folds)]
    return float(np.mean(scores))


def autogluon(train: pd.DataFrame, test: pd.DataFrame) -> dict[str, Any]:
    from autogluon.tabular import TabularPredictor

    with tempfile.TemporaryDirectory() as folder:
        predictor = TabularPredictor("label", path=folder, verbosity=0, eval_metric="accuracy")
        predictor.fit(train.drop(columns="group"), time_limit=30, num_cpus=1)
        score = predictor.leaderboard().set_index("model")["score_val"][predictor.model_best]
        right = (predictor.predict(test.drop(columns=["group", "label"])) == test["label"]).mean()
    return {"stated": {"score": float(score)}, "found": {"score": float(right)}}


def parted(table: pd.DataFrame, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a training and a test part without common groups; all classes of the test part are in the training
    part.
    """
    first = table["label"].str.split(";").str[0]
    split = StratifiedGroupKFold(PARTS, shuffle=True, random_state=seed)
    train, test = next(split.split(table, first, table["group"]))
    classes_seen = {label for labels in table["label"].iloc[train] for label in labels.split(";")}
    test = np.array([row for row in test if classes_seen.issuperset(table["label"].iloc[row].split(";"))])
    return table.iloc[train].reset_index(drop=True), table.iloc[test].reset_index(drop=True)


def one_round(
    name: str, table: pd.DataFrame, seed: int, plan: Path, *, careless: bool, gluon: bool
) -> dict[str, Any]:
    train, test = parted(table, seed)
    config = FitConfig(plan=str(plan), seed=seed, folds=5, jobs=1)
    out: dict[str, Any] = {"set": name, "seed": seed}
    out["aurist"] = stated_and_found(train, test, config)
    if careless:
        out["random folds"] = stated_and_found(train, test, config, careless=True)
    if gluon:
        out["AutoGluon"] = autogluon(train, test)
    return out


def full_round(name: str, table: pd.DataFrame, seed: int, minutes: float, jobs: int) -> dict[str, Any]:
    train, test = parted(table, seed)
    config = FitConfig(metric=FULL[name], time_limit=60 * minutes, seed=seed, jobs=jobs)
    result = stated_and_found(train, test, config, path="path")
    return {"set": f"{name}, full fits", "seed": seed, "aurist": result}


def holds(one: dict[str, Any]) -> bool:
    stated, actual = one["stated"], one["found"]
    below, above = stated["score"] - stated["low"], stated["high"] - stated["score"]
    spread = (actual["high"] - actual["low"]) / 2
    gap = actual["score"] - stated["score"]
    return -np.hypot(below, spread) <= gap <= np.hypot(above, spread)


def written(rounds: pd.DataFrame) -> str:
    lines = []
    full = rounds["set"].str.endswith("full fits")
    parts = [(name, some) for name, some in rounds.groupby("set", sort=False)]
    parts += [("all of fast models", rounds[~full]), ("all full fits", rounds[full])]
    for name, some in parts:
        for way in ("aurist", "random folds", "AutoGluon"):
            records = [one for one in some.get(way, []) if isinstance(one, dict)]
            if not records:
                continue
            gaps = np.array([one["stated"]["score"] - one["found"]["score"] for one in records])
            error = gaps.std(ddof=1) / np.sqrt(len(gaps)) if len(gaps) > 1 else np.nan
            alone = [
                one["stated"]["score"] - one["found"]["alone"] for one in records if "alone" in one["found"]
            ]
            share = f"{np.mean([holds(one) for one in records]):.0%}" if "low" in records[0]["stated"] else ""
            lines.append([name, way, str(len(records)), share, f"{gaps.mean():+.4f} ± {2 * error:.4f}"])
            lines[-1].append(f"{np.mean(alone):+.4f}" if alone else "")
    header = [
        "data set",
        "score stated by",
        "rounds",
        "intervals with the actual score",
        "stated minus actual, mean ± 2 standard errors",
        "the same, with the models of one fold",
    ]
    return _common.table(header, lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=_common.DATA)
    parser.add_argument("--rounds", type=int, default=70, help="rounds of each data set")
    parser.add_argument(
        "--careless", type=int, default=20, help="rounds of each data set that also use random folds"
    )
    parser.add_argument(
        "--autogluon", type=int, default=10, help="rounds that also use AutoGluon's own validation"
    )
    parser.add_argument("--full", type=int, default=7, help="full fits of each set of recordings")
    parser.add_argument("--minutes", type=float, default=3.0, help="minutes of a full fit")
    parser.add_argument("--jobs", type=int, default=0, help="cores of a full fit")
    parser.add_argument("--output", type=Path, default=Path("honesty"))
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    plan, path = options.output / "plan.toml", options.output / "rounds.jsonl"
    plan.write_text(PLAN, encoding="utf-8")
    done = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    done_before = {(one["set"], one["seed"]) for one in done}

    def report(one: dict[str, Any]) -> None:
        done.append(one)
        with path.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(one) + "\n")
        (options.output / "table.md").write_text(written(pd.DataFrame(done)) + "\n", encoding="utf-8")

    tables = {name: make(options.data) for name, make in SETS.items()}
    for seed in range(options.rounds):
        for name, table in tables.items():
            if (name, seed) not in done_before:
                beside = {"careless": seed < options.careless, "gluon": seed < options.autogluon}
                report(one_round(name, table, seed, plan, **beside))
    for seed in range(options.full):
        for name in FULL:
            if (f"{name}, full fits", seed) not in done_before:
                report(full_round(name, sound(options.data, name), seed, options.minutes, options.jobs))
    print(written(pd.DataFrame(done)))


if __name__ == "__main__":
    main()
