"""AutoML over tables and networks against each method alone, in the same time, on the same folds.

The methods are: `aurist fit --time-limit`; the network of its plan alone, with all of the time; AutoGluon
(best_quality) on the summary features that aurist stored, one predictor per fold; for several labels per clip LightGBM
with one model per label, because AutoGluon does not support them; and a random forest with 500 trees. The time of
aurist includes the features. Differences are paired, with a bootstrap over groups. An interrupted command continues.

    python benchmarks/equal_time.py esc10 gtzan100 nips4b fsdd bengalese --minutes 10 --output equal_time
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import tomli_w
from sklearn.model_selection import StratifiedGroupKFold

from _common import DATA, table
from aurist.arrays import Proba
from aurist.crossval import TrainingData
from aurist.models.network_member import recipe_of
from aurist.plan import ENSEMBLE, read_plan
from aurist.predictions import from_frame
from aurist.results.bootstrap import bootstrap
from aurist.results.differences import paired
from aurist.run import open_run, read_data, training_data

SETS = ("esc10", "gtzan100", "nips4b", "fsdd", "bengalese")
#: The metric to maximise, and further metrics to print, for one label per clip and for several.
ONE, SEVERAL = ("accuracy", "f1_macro"), ("lwlrap", "average_precision", "roc_auc")
AURIST, NETWORK = "aurist", "network alone"


def labels(data: Path, name: str) -> pd.DataFrame:
    """Return a data set as a table with absolute paths, groups and folds: official, or grouped by scikit-learn."""
    if name == "fsdd":
        files = sorted((data / name).rglob("*.wav"))
        parts = [file.stem.split("_") for file in files]
        listed = pd.DataFrame({"path": files, "label": [p[0] for p in parts], "group": [p[1] for p in parts]})
        listed["fold"] = pd.factorize(listed["group"])[0]
    else:
        listed = pd.read_csv(data / name / "labels.csv").rename(columns={"t_min": "start", "t_max": "end"})
        listed["path"] = [data / name / path for path in listed["path"]]
    if "group" not in listed:
        listed["group"] = [Path(path).stem for path in listed["path"]]
    if "fold" not in listed:
        first = listed["label"].fillna("").astype(str).str.split(";").str[0]
        splitter = StratifiedGroupKFold(10 if name == "gtzan100" else 5, shuffle=True, random_state=0)
        for fold, (_, rows) in enumerate(splitter.split(listed, first, listed["group"])):
            listed.loc[rows, "fold"] = fold
    return listed.assign(path=listed["path"].astype(str), fold=listed["fold"].astype(int))


def command_line(*arguments: object) -> None:
    subprocess.run([sys.executable, "-m", "aurist", *map(str, arguments)], check=True)


def aurist(folder: Path, minutes: float, metric: str, jobs: int) -> None:
    """Run the whole command as a user does."""
    given = ("fit", folder / "labels.csv", "--metric", metric, "--time-limit", f"{minutes}m", "--jobs", jobs)
    command_line(*given, "-o", folder / AURIST)


def network_alone(folder: Path, minutes: float, metric: str, jobs: int) -> None:
    """Train only the network of aurist's plan, adapted to the sound."""
    limit = f"{minutes}m"
    plan, recipe = folder / "plan.toml", folder / "network.toml"
    given = ("fit", folder / "labels.csv", "--metric", metric, "--time-limit", limit, "--jobs", jobs)
    command_line(*given, "--save-plan", plan)
    networks = [one for one in read_plan(plan).members if one.engine == "network"]
    if not networks:
        print(f"{folder.name}: in {limit} aurist would train no network, and none is compared", flush=True)
        return
    recipe.write_text(tomli_w.dumps(recipe_of(networks[0]).to_dict()), encoding="utf-8")
    command_line(*given, "--engine", "networks", "--recipe", recipe, "-o", folder / NETWORK)


def by_fold(
    learn: TrainingData, answer: Callable[[pd.DataFrame, npt.NDArray[np.int8], pd.DataFrame], Proba]
) -> Proba:
    """Return out-of-fold probabilities, (n, n_classes)."""
    features, targets = learn.examples.features, learn.examples.targets
    out = np.zeros(targets.shape)
    for split in learn.splits:
        rows = np.concatenate([split.train, split.validation])
        there = features.iloc[rows].reset_index(drop=True), features.iloc[split.scored].reset_index(drop=True)
        out[split.scored] = answer(there[0], targets[rows], there[1])
    return out


def forest(learn: TrainingData, seconds: float, jobs: int) -> Proba:
    from sklearn.ensemble import RandomForestClassifier

    def answer(x: pd.DataFrame, y: npt.NDArray[np.int8], new: pd.DataFrame) -> Proba:
        model = RandomForestClassifier(500, random_state=0, n_jobs=jobs or -1)
        if not learn.task.multilabel:
            out = np.zeros((len(new), y.shape[1]))
            label = y.argmax(axis=1)
            out[:, np.unique(label)] = model.fit(x, label).predict_proba(new)
            return out
        proba = model.fit(x, y).predict_proba(new)
        return np.stack([one[:, 1] if one.shape[1] == 2 else np.zeros(len(new)) for one in proba], axis=1)

    return by_fold(learn, answer)


def autogluon(learn: TrainingData, seconds: float, jobs: int) -> Proba:
    from autogluon.tabular import TabularPredictor

    def answer(x: pd.DataFrame, y: npt.NDArray[np.int8], new: pd.DataFrame) -> Proba:
        seen, each = x.assign(label=y.argmax(axis=1)), seconds / len(learn.splits)
        out = np.zeros((len(new), y.shape[1]))
        for presets in (
            "best_quality",
            "medium_quality",
        ):  # With too little time the first preset fits nothing and fails.
            with tempfile.TemporaryDirectory() as folder:
                run_folder = f"{folder}/run"
                predictor = TabularPredictor(
                    "label", path=run_folder, verbosity=1, eval_metric=learn.task.metric
                )
                try:
                    predictor.fit(seen, presets=presets, time_limit=each, num_cpus=jobs or "auto")
                except (AssertionError, RuntimeError):
                    continue
                proba = predictor.predict_proba(new)
            out[:, proba.columns.astype(int)] = proba
            break
        return out

    return by_fold(learn, answer)


def lightgbm(learn: TrainingData, seconds: float, jobs: int) -> Proba:
    """Fit a model of 100 trees per label. Labels without time left get their prior."""
    from lightgbm import LGBMClassifier

    until = time.monotonic() + seconds

    def answer(x: pd.DataFrame, y: npt.NDArray[np.int8], new: pd.DataFrame) -> Proba:
        out = np.repeat(y.mean(axis=0, keepdims=True), len(new), axis=0)
        plain = [f"f{i}" for i in range(x.shape[1])]
        x, new = x.set_axis(plain, axis=1), new.set_axis(plain, axis=1)
        for column in range(y.shape[1]):
            if 0 < y[:, column].sum() < len(y) and time.monotonic() < until:
                model = LGBMClassifier(random_state=0, n_jobs=jobs or -1, verbosity=-1)
                out[:, column] = model.fit(x, y[:, column]).predict_proba(new)[:, 1]
        return out

    return by_fold(learn, answer)


def one_set(folder: Path, data: Path, minutes: float, jobs: int) -> list[dict[str, object]]:
    """Return a row of figures per method."""
    name = folder.name
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "labels.csv").exists():
        labels(data, name).to_csv(folder / "labels.csv", index=False)
    wanted = SEVERAL if name == "nips4b" else ONE
    seconds = folder / "seconds.json"
    took: dict[str, float] = json.loads(seconds.read_text()) if seconds.exists() else {}

    def timed(way: str, call: Callable[[], object]) -> object:
        began = time.monotonic()
        answer = call()
        took[way] = round(time.monotonic() - began, 1)
        seconds.write_text(json.dumps(took))
        return answer

    if AURIST not in took:
        timed(AURIST, lambda: aurist(folder, minutes, wanted[0], jobs))
    learn = training_data(read_data(open_run(folder / AURIST)))
    probas = {AURIST: _out_of_fold(folder / AURIST, ENSEMBLE, learn)}
    if NETWORK not in took:
        timed(NETWORK, lambda: network_alone(folder, minutes, wanted[0], jobs))
    if (folder / NETWORK).exists():
        probas[NETWORK] = _out_of_fold(folder / NETWORK, None, learn)
    tables = {"LightGBM": lightgbm} if learn.task.multilabel else {"AutoGluon": autogluon}
    for way, fit in {**tables, "random forest": forest}.items():
        path = folder / f"{way}.npy"
        if not path.exists():
            np.save(path, timed(way, lambda fit=fit: fit(learn, minutes * 60, jobs)))  # type: ignore[misc]
        probas[way] = np.load(path)
    truth, groups = learn.examples.targets, learn.groups
    return [
        {
            "data set": name,
            "method": way,
            "seconds": took[way],
            **{metric: str(bootstrap(truth, proba, groups, metric)) for metric in wanted},
            **({"AUC of all cells": f"{_contest_auc(truth, proba):.3f}"} if learn.task.multilabel else {}),
            "aurist minus method": ""
            if way == AURIST
            else str(paired(truth, probas[AURIST], proba, groups, wanted[0])),
        }
        for way, proba in probas.items()
    ]


def _contest_auc(truth: npt.NDArray[np.int8], proba: Proba) -> float:
    """Return the AUC as the NIPS4B contest computed it: of every file and class together."""
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(truth.ravel(), proba.ravel()))


def _out_of_fold(run: Path, model: str | None, learn: TrainingData) -> Proba:
    """Return out-of-fold probabilities of a model, or of the best single model."""
    stored = open_run(run).predictions().query("part == 'oof'")
    predictions = {one.model: one for one in from_frame(stored, learn.task.classes)}
    name = model or next(one for one in predictions if one != ENSEMBLE)
    return np.asarray(predictions[name].aligned(learn.clip_ids.tolist()))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", nargs="+", choices=SETS)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--jobs", type=int, default=0)
    parser.add_argument("--output", type=Path, default=Path("equal_time"))
    options = parser.parse_args()
    folder = options.output / f"{options.minutes:g}m"
    for name in options.sets:
        rows = one_set(folder / name, options.data, options.minutes, options.jobs)
        (folder / f"{name}.json").write_text(json.dumps(rows, indent=1), encoding="utf-8")
        text = []
        for path in sorted(folder.glob("*.json")):
            done = json.loads(path.read_text(encoding="utf-8"))
            text.append(table(list(done[0]), [[str(value) for value in row.values()] for row in done]))
        (folder / "table.md").write_text("\n\n".join(text) + "\n", encoding="utf-8")
        print(text[-1], flush=True)


if __name__ == "__main__":
    main()
