"""Is a run's word true? What it says of itself, against what it then scores on groups that it never saw, many times.

Each round draws a third of the groups of a set, stratified, as a test part, fits on the rest by a written plan of fast
models (through `aurist.fit`, so that folds, ensemble, calibration and interval are what a user gets), and scores the
test part.
Beside it the same fit as one would do it carelessly, by random folds, and AutoGluon's own validation (`--autogluon`
rounds). An interval holds where the test score lies within it, widened by the sampling error of the test part: a
bootstrap over its groups. Resumable: every round is a line of `rounds.jsonl`.

    python benchmarks/honesty.py --rounds 70 --output honesty/
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

import _common
import aurist
from aurist.automl import apply_run
from aurist.clips.read import ReadOptions, read_clips
from aurist.evaluate import bootstrap
from aurist.features.store import summary_table
from aurist.features.summary import SummaryConfig

PLAN = '[[member]]\nname = "ExtraTrees"\nengine = "forest"\n[member.settings]\ntrees = 100\n' + "".join(
    f'[[member]]\nname = "{kind}"\nengine = "classic"\n[member.settings]\nkind = "{kind}"\n'
    for kind in ("lda", "logistic")
)
#: One part of so many is the test part.
PARTS = 3
#: Of the frogs' table, whose 7,195 rows would take long: at most so many of each record.
ROWS_A_RECORD = 20


def frogs(data: Path) -> pd.DataFrame:
    table = pd.read_csv(data / "tables" / "frogs_mfcc.csv").rename(
        columns={"Species": "label", "RecordID": "group"}
    )
    table = table.groupby("group", group_keys=False).head(ROWS_A_RECORD)
    # a species of fewer records than folds says nothing of folds
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


def stated_and_found(
    train: pd.DataFrame, test: pd.DataFrame, plan: Path, seed: int, *, careless: bool
) -> dict[str, Any]:
    """The run's own score and interval, and its score on the test part with that part's own interval."""
    place = Path(tempfile.mkdtemp())
    try:
        if careless:  # every row for itself
            train = train.assign(group=[f"r{i}" for i in range(len(train))])
        config = aurist.FitConfig(plan=str(plan), seed=seed, n_splits=5)
        options = ReadOptions(label="label", group="group", path="none")
        run = aurist.fit(train, place / "run", config, options=options)
        told = run.scores()["score"]
        new = read_clips(test, options)
        applied = apply_run(run, new)
        groups = pd.factorize(test["group"])[0]
        found = bootstrap(new.targets(applied.classes), applied.proba, groups, "accuracy", seed=seed)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return {"stated": told, "found": {"score": found.score, "low": found.low, "high": found.high}}


def autogluon(train: pd.DataFrame, test: pd.DataFrame) -> dict[str, Any]:
    from autogluon.tabular import TabularPredictor

    with tempfile.TemporaryDirectory() as place:
        predictor = TabularPredictor("label", path=place, verbosity=0, eval_metric="accuracy")
        predictor.fit(train.drop(columns="group"), time_limit=30, num_cpus=1)
        said = predictor.leaderboard().set_index("model")["score_val"][predictor.model_best]
        right = (predictor.predict(test.drop(columns=["group", "label"])) == test["label"]).mean()
    return {"stated": {"score": float(said)}, "found": {"score": float(right)}}


def one_round(name: str, table: pd.DataFrame, seed: int, plan: Path, *, gluon: bool) -> dict[str, Any]:
    split = StratifiedGroupKFold(PARTS, shuffle=True, random_state=seed)
    train, test = next(split.split(table, table["label"], table["group"]))
    known = set(table["label"].iloc[train])
    test = np.array([row for row in test if table["label"].iloc[row] in known])
    parts = table.iloc[train].reset_index(drop=True), table.iloc[test].reset_index(drop=True)
    out = {"set": name, "seed": seed}
    out["aurist"] = stated_and_found(*parts, plan, seed, careless=False)
    out["random folds"] = stated_and_found(*parts, plan, seed, careless=True)
    if gluon:
        out["AutoGluon"] = autogluon(*parts)
    return out


def holds(one: dict[str, Any]) -> bool:
    stated, found = one["stated"], one["found"]
    below, above = stated["score"] - stated["low"], stated["high"] - stated["score"]
    spread = (found["high"] - found["low"]) / 2
    gap = found["score"] - stated["score"]
    return -np.hypot(below, spread) <= gap <= np.hypot(above, spread)


def written(rounds: pd.DataFrame) -> str:
    lines = []
    for name in [*SETS, "all"]:
        some = rounds if name == "all" else rounds[rounds["set"] == name]
        for way in ("aurist", "random folds", "AutoGluon"):
            told = [one for one in some.get(way, []) if isinstance(one, dict)]
            if not told:
                continue
            gaps = np.array([one["stated"]["score"] - one["found"]["score"] for one in told])
            error = gaps.std(ddof=1) / np.sqrt(len(gaps)) if len(gaps) > 1 else np.nan
            share = f"{np.mean([holds(one) for one in told]):.0%}" if "low" in told[0]["stated"] else ""
            lines.append([name, way, str(len(told)), share, f"{gaps.mean():+.4f} ± {2 * error:.4f}"])
    header = [
        "set",
        "whose word",
        "rounds",
        "intervals that hold",
        "stated - found, mean ± 2 standard errors",
    ]
    return _common.table(header, lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=_common.DATA)
    parser.add_argument("--rounds", type=int, default=70, help="of each set")
    parser.add_argument(
        "--autogluon", type=int, default=10, help="rounds of each set with AutoGluon's word, too"
    )
    parser.add_argument("--output", type=Path, default=Path("honesty"))
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    plan, path = options.output / "plan.toml", options.output / "rounds.jsonl"
    plan.write_text(PLAN, encoding="utf-8")
    done = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    tables = {name: make(options.data) for name, make in SETS.items()}
    for seed in range(options.rounds):
        for name, table in tables.items():
            if any((one["set"], one["seed"]) == (name, seed) for one in done):
                continue
            done.append(one_round(name, table, seed, plan, gluon=seed < options.autogluon))
            with path.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(done[-1]) + "\n")
        text = written(pd.DataFrame(done))
        (options.output / "table.md").write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
