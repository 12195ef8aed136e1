"""`aurist evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aurist.cli import options as opt
from aurist.cli.bundles import LabelledColumns, spread
from aurist.cli.printing import print_applied, print_confusion, print_json, print_table, say


@spread
def evaluate(
    run: opt.Trained,
    data: opt.Data,
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder to write tables and the confusion matrix to."),
    ] = None,
    model: opt.Model = None,
    columns: LabelledColumns,
    safe_csv: opt.SafeCsv = False,
    as_json: opt.Json = False,
    jobs: opt.Jobs = 0,
    cache_dir: opt.CacheDir = None,
    trust: opt.Trust = False,
) -> None:
    """Score a run on new labelled data: all metrics with intervals, scores per class, confusion matrix.

    If some of the data is in the training data of the run, the new rows are also scored alone.

    Example:

      aurist evaluate run labelled.csv -o evaluation
    """
    from aurist.folders import check_output
    from aurist.results.evaluation import evaluate_run
    from aurist.run.remote import open_trained

    if output is not None:
        check_output(output, folder=True)
    evaluation = evaluate_run(
        open_trained(run),
        data,
        options=columns.reading(),
        model=model,
        jobs=jobs,
        cache_dir=cache_dir,
    )
    if output is not None:
        evaluation.write(output, safe_csv=safe_csv)
    if as_json:
        print_json(evaluation.to_dict())
        return
    print_applied(evaluation.applied)
    for title, scores in evaluation.scores.items():
        print_table(scores, title=title)
        print()
    print_table(evaluation.per_class, title="by class", digits=3)
    if evaluation.confusion is not None:
        print()
        print_confusion(evaluation.confusion, evaluation.applied.classes)
    if output is not None:
        say(f"written: {output}")
