"""Scores of networks on real data sets, by whole grouped folds; every figure has its training time.

    python benchmarks/networks.py esc10 --recipe mel-cnn --minutes 20 --output networks/
    python benchmarks/networks.py esc10 --all --folds 1 --minutes 10 --output networks/
    python benchmarks/networks.py gtzan100 --recipe iaml-slices --set training.seeds=5 --name slices-5-seeds

An interrupted training continues, and finished ones are not repeated. The table is written again after each recipe.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from _common import DATA, table
from aurist.automl.prepare import prepare
from aurist.automl.train import decode_for
from aurist.automl.training_progress import watched
from aurist.clips.read import ReadOptions
from aurist.config import FitConfig
from aurist.crossval import CrossValidationResult, TrainingData, fit_member
from aurist.models.base import FitFailedError
from aurist.models.network_member import recipe_member
from aurist.recipes import Recipe, parse_setting, read_recipe, recipe_names
from aurist.results.bootstrap import bootstrap
from aurist.results.differences import paired
from aurist.results.pooling_choice import compare_variants, with_best_pooling
from aurist.run import open_run, read_data, training_data


def labels(data: Path, name: str) -> pd.DataFrame:
    """Return the table of a data set, with its official folds or ten by scikit-learn."""
    listed = pd.read_csv(data / name / "labels.csv")
    listed["path"] = [str(data / name / path) for path in listed["path"]]
    if "fold" not in listed:
        made = StratifiedGroupKFold(10, shuffle=True, random_state=0).split(
            listed, listed["label"], listed["group"]
        )
        for fold, (_, rows) in enumerate(made):
            listed.loc[rows, "fold"] = fold + 1
        listed["fold"] = listed["fold"].astype(int)
    return listed[["path", "label", "group", "fold"]]


def some_folds(learn: TrainingData, n: int | None) -> TrainingData:
    """Fit and score only the first so many folds."""
    splits = learn.splits[:n]
    there = np.isin(learn.folds, [split.fold for split in splits])
    return replace(learn, splits=splits, folds=np.where(there, learn.folds, -1))


def fit(
    folder: Path, learn: TrainingData, recipe: Recipe, name: str, seconds: float
) -> CrossValidationResult:
    member = replace(recipe_member(recipe), name=name)
    held = decode_for([member], learn)
    with watched(folder / name):
        fitted = fit_member(folder / name, learn, member, seconds * len(learn.splits))
    del held
    return with_best_pooling(fitted, learn)


def result(
    folder: Path, fitted: CrossValidationResult, learn: TrainingData, minutes: float
) -> dict[str, object]:
    name = fitted.member.name
    rows = np.flatnonzero(learn.folds >= 0)
    proba = fitted.oof.aligned(learn.clip_ids[rows].tolist())
    np.save(folder / f"{name}.npy", proba)
    score = bootstrap(learn.examples.targets[rows], proba, learn.groups[rows], learn.task.metric, seed=0)
    right = proba.argmax(axis=1) == learn.examples.targets[rows].argmax(axis=1)
    curves = [pd.read_csv(path) for path in sorted((folder / name).glob("fold*/net*/history.csv"))]
    variants = compare_variants([fitted], learn)
    return {
        "name": name,
        "folds": len(learn.splits),
        "clips": len(rows),
        "score": str(score),
        "by_fold": [round(float(right[learn.folds[rows] == s.fold].mean()), 4) for s in learn.splits],
        "minutes_allowed": minutes,
        "minutes": round(fitted.fit_time / 60 / len(learn.splits), 1),
        "epochs": round(float(np.mean([len(curve) for curve in curves])), 1),
        "clips_per_second": round(fitted.facts["train_speed"], 1),
        "waiting": round(float(np.mean([curve["waiting"].mean() for curve in curves])), 4),
        "parameters": int(fitted.facts["params"]),
        "pooling": fitted.member.settings.get("pooling"),
        "variants": [] if variants is None else variants.round(4).to_dict("records"),
    }


def written(results: list[dict[str, object]]) -> str:
    header = [
        "network",
        "million parameters",
        "folds",
        "clips scored",
        "accuracy",
        "epochs",
        "minutes a fold",
        "of",
    ]
    header += ["clips/s", "waiting"]
    lines = [
        [
            str(one["name"]),
            f"{int(str(one['parameters'])) / 1e6:.2f}",
            *(str(one[key]) for key in ("folds", "clips", "score", "epochs", "minutes", "minutes_allowed")),
            str(one["clips_per_second"]),
            f"{float(str(one['waiting'])):.1%}",
        ]
        for one in results
    ]
    ideas = [
        [
            str(v["model"]),
            str(v["variant"]),
            f"{v['score']:.3f}",
            f"{v['gain']:+.3f} [{v['low']:+.3f}, {v['high']:+.3f}]",
        ]
        for one in results
        for v in one["variants"]  # type: ignore[attr-defined]
    ]
    text = table(header, lines)
    if ideas:
        text += "\n\n" + table(
            ["network", "answering by", "accuracy", "what the network's own way gains"], ideas
        )
    return text


def pairs(folder: Path, learn: TrainingData, names: list[str]) -> str:
    """Compare every two networks that were scored on these clips, by a paired bootstrap over groups."""
    rows = np.flatnonzero(learn.folds >= 0)
    probas = {name: np.load(folder / f"{name}.npy") for name in names if (folder / f"{name}.npy").exists()}
    probas = {name: proba for name, proba in probas.items() if len(proba) == len(rows)}
    truth, groups = learn.examples.targets[rows], learn.groups[rows]
    lines = [
        [first, second, str(paired(truth, probas[first], probas[second], groups, learn.task.metric, seed=0))]
        for first, second in combinations(probas, 2)
    ]
    return table(["network", "against", "difference"], lines) if lines else ""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("set", choices=["esc10", "gtzan100"])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--recipe", action="append", default=[], help="may be given several times")
    parser.add_argument("--all", action="store_true", help="all recipes of aurist")
    parser.add_argument(
        "--set", action="append", default=[], dest="settings", help="such as training.seeds=5"
    )
    parser.add_argument("--name", help="name of the row, if settings are changed")
    parser.add_argument("--folds", type=int, help="only the first so many folds")
    parser.add_argument("--minutes", type=float, default=10.0, help="minutes of each fold")
    parser.add_argument("--jobs", type=int, default=0)
    parser.add_argument("--output", type=Path, default=Path("networks"))
    options = parser.parse_args()
    names = [*options.recipe, *(recipe_names() if options.all else [])]
    folder = options.output / options.set
    if not (folder / "run" / "config.toml").exists():
        prepare(
            labels(options.data, options.set),
            folder / "run",
            FitConfig(jobs=options.jobs),
            options=ReadOptions(),
            test=None,
            cache_dir=None,
        )
    learn = some_folds(training_data(read_data(open_run(folder / "run"))), options.folds)
    for recipe_name in names:
        recipe = read_recipe(recipe_name, dict(parse_setting(text) for text in options.settings))
        name = options.name or recipe.name
        if options.folds is not None:
            name = f"{name}, {options.folds} of the folds"
        try:
            fitted = fit(folder, learn, recipe, name, 60 * options.minutes)
        except FitFailedError as error:
            print(f"left out: {error}", flush=True)
            continue
        one = result(folder, fitted, learn, options.minutes)
        (folder / f"{name}.json").write_text(json.dumps(one, indent=1), encoding="utf-8")
        done = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
        text = written(done) + "\n\n" + pairs(folder, learn, [str(one["name"]) for one in done])
        (folder / "table.md").write_text(text.strip() + "\n", encoding="utf-8")
        print(f"{name}: {one['score']}, {one['minutes']} minutes a fold", flush=True)
    print((folder / "table.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
