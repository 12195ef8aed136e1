"""`aurist evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aurist.cli import options as opt
from aurist.cli.printing import print_applied, print_confusion, print_json, print_table, say


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(evaluate)


def evaluate(
    run: opt.RunFolder,
    data: opt.Data,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for the tables and the confusion matrix.")
    ] = None,
    model: opt.Model = None,
    label: opt.Label = None,
    path: opt.PathColumn = None,
    start: opt.Start = None,
    end: opt.End = None,
    group: opt.Group = None,
    row_id: opt.Id = None,
    label_from: opt.LabelFrom = None,
    audio_root: opt.AudioRoot = None,
    label_separator: opt.LabelSeparator = None,
    safe_csv: opt.SafeCsv = False,
    as_json: opt.Json = False,
    jobs: opt.Jobs = 0,
    cache_dir: opt.CacheDir = None,
) -> None:
    """Score a run on labelled data that it has not seen: all metrics with intervals, per class, confusions.

    Where some of the data stands in the run's training data, the new rows are also scored apart.

    Example:

      aurist evaluate run labelled.csv -o evaluation
    """
    from aurist.folders import check_output
    from aurist.results.evaluation import evaluate_run
    from aurist.run import open_run

    if output is not None:
        check_output(output, folder=True)
    found = evaluate_run(
        open_run(run),
        data,
        options=opt.read_options(
            label,
            path,
            group,
            start=start,
            end=end,
            row_id=row_id,
            label_from=label_from,
            audio_root=audio_root,
            label_separator=label_separator,
        ),
        model=model,
        jobs=jobs,
        cache_dir=cache_dir,
    )
    if output is not None:
        found.write(output, safe_csv=safe_csv)
    if as_json:
        print_json(found.to_dict())
        return
    print_applied(found.applied)
    for title, scores in found.scores.items():
        print_table(scores, title=title)
        print()
    print_table(found.per_class, title="by class", digits=3)
    if found.confusion is not None:
        print()
        print_confusion(found.confusion, found.applied.classes)
    if output is not None:
        say(f"written: {output}")
