"""Distillation: the ensemble, the network that learns from it, and the same network without a teacher.

The commands are those of a user: `aurist fit --recipe mel-cnn`, then `aurist export --distill --onnx`. All three are
scored out of fold on the same folds, and differences are paired, with a bootstrap over groups. The ONNX file is checked
by the command itself. An interrupted command continues.

    python benchmarks/distillation.py esc10 nips4b --embed yamnet --output distillation
"""

from __future__ import annotations

import argparse
from pathlib import Path

from _common import DATA, table_of
from aurist.crossval import TrainingData
from aurist.plan import ENSEMBLE
from aurist.results.bootstrap import bootstrap
from aurist.results.differences import paired
from aurist.run import open_run, read_data, training_data
from equal_time import ONE, SETS, SEVERAL, _out_of_fold, command_line, labels

RECIPE = "mel-cnn"


def one_set(folder: Path, options: argparse.Namespace) -> list[dict[str, object]]:
    """Fit and distil, unless it is done; return a row of figures per model."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "labels.csv").exists():
        labels(options.data, folder.name).to_csv(folder / "labels.csv", index=False)
    metric = (SEVERAL if folder.name == "nips4b" else ONE)[0]
    run, student = folder / "run", folder / "student.onnx"
    if not (run / "leaderboard.csv").exists():
        embed = [word for name in options.embed for word in ("--embed", name)] or ["--no-embed"]
        given = ("--recipe", RECIPE, "--metric", metric, "--time-limit", options.fit, "--jobs", options.jobs)
        command_line("fit", folder / "labels.csv", *given, *embed, "-o", run)
    if not student.exists():
        command_line("export", run, "--distill", "--onnx", student, "--time-limit", options.student)
    return rows_of(folder, training_data(read_data(open_run(run))), metric)


def rows_of(folder: Path, learn: TrainingData, metric: str) -> list[dict[str, object]]:
    truth, groups = learn.examples.targets, learn.groups
    probas = {
        name: _out_of_fold(folder / "run", name, learn) for name in (ENSEMBLE, RECIPE, f"{RECIPE}-distilled")
    }
    return [
        {
            "data set": folder.name,
            "model": name,
            metric: str(bootstrap(truth, proba, groups, metric)),
            "minus the network without a teacher": str(paired(truth, proba, probas[RECIPE], groups, metric)),
            "minus the ensemble": str(paired(truth, proba, probas[ENSEMBLE], groups, metric)),
        }
        for name, proba in probas.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", nargs="+", choices=SETS)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--embed", nargs="*", default=[], help="embedders of the ensemble; none by default")
    parser.add_argument("--fit", default="15m", help="time limit of the fit")
    parser.add_argument("--student", default="30m", help="time limit of the distillation")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--output", type=Path, default=Path("distillation"))
    options = parser.parse_args()
    rows: list[dict[str, object]] = []
    for name in options.sets:
        rows += one_set(options.output / name, options)
        (options.output / "table.md").write_text(table_of(rows) + "\n", encoding="utf-8")
        print(table_of(rows), flush=True)


if __name__ == "__main__":
    main()
