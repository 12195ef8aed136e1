"""`aurist evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aurist.cli import options as opt
from aurist.cli.bundles import LabelledColumns, spread
from aurist.cli.printing import (
    paragraph,
    print_applied,
    print_confusion,
    print_json,
    print_table,
    say,
)

if TYPE_CHECKING:
    from aurist.run import ModelFiles


@spread
def evaluate(
    run: opt.Trained,
    data: Annotated[
        Path | None,
        typer.Argument(help="Labelled data: a folder of recordings, or a table.", show_default=False),
    ] = None,
    *,
    quiet_recordings: Annotated[
        Path | None,
        typer.Option(
            help="Recordings in which none of the classes occurs: count false alarms an hour, window by window."
        ),
    ] = None,
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

    With --quiet-recordings every event in them is a false alarm: they are counted by class and an hour, with thresholds
    for 10, 1 and 0.1 false alarms an hour as far as the recordings are long enough to show them (1 an hour: three
    hours). With -o an interrupted count continues.

    Examples:

      aurist evaluate run labelled.csv -o evaluation

      aurist evaluate run --quiet-recordings quiet_nights/ -o evaluation
    """
    from aurist.errors import ConfigError
    from aurist.folders import check_output
    from aurist.results.evaluation import evaluate_run
    from aurist.run.remote import open_trained

    if output is not None:
        check_output(output, folder=True)
    files = open_trained(run)
    if quiet_recordings is not None:
        _count_false_alarms(files, quiet_recordings, output, model, jobs, safe_csv=safe_csv, as_json=as_json)
    elif data is None:
        raise ConfigError(
            "Name the labelled data to score, or recordings without the classes: --quiet-recordings."
        )
    if data is None:
        return
    evaluation = evaluate_run(
        files,
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


def _count_false_alarms(
    files: ModelFiles,
    recordings: Path,
    output: Path | None,
    model: str | None,
    jobs: int,
    *,
    safe_csv: bool,
    as_json: bool,
) -> None:
    """Scan quiet recordings, and print and write their false alarms an hour."""
    import tempfile

    from aurist.clips.read import ReadOptions
    from aurist.detection.export import ExportOptions
    from aurist.detection.quiet import score_quiet
    from aurist.detection.scan import WindowOptions, listen, recordings_of
    from aurist.detection.thresholds import event_thresholds
    from aurist.errors import ConfigError
    from aurist.inference.inputs import read_inputs

    if files.spec.window is None:
        raise ConfigError(
            f"{files.folder} was not fitted on windows of annotated recordings, so that it detects no events. Leave "
            "--quiet-recordings out."
        )
    chosen = event_thresholds(files, model)
    clips = read_inputs([recordings], ReadOptions(), files.spec)
    with tempfile.TemporaryDirectory(prefix="aurist-") as temporary:
        folder = (output or Path(temporary)) / "quiet"
        scan = listen(files, recordings_of(clips), folder, WindowOptions(), model=model, jobs=jobs)
        lowest = ExportOptions(thresholds=chosen.lowest).lowest_scores(scan.classes)
        quiet = score_quiet(scan, lowest)
    for name, reason in scan.failures.items():
        say(f"passed over: {name}: {reason}")
    if output is not None:
        quiet.write(output, safe_csv=safe_csv)
    if as_json:
        print_json(quiet.to_dict())
        return
    print_table(quiet.by_class, title="false alarms by class; no threshold: never predicted", digits=3)
    print()
    paragraph(quiet.sentence())
    paragraph(quiet.sentence_of_rates())
    if len(quiet.thresholds):
        print_table(
            quiet.thresholds,
            title="one threshold for all classes, for false alarms an hour (--min-score)",
            digits=3,
        )
    if output is not None:
        say(f"written: {output}")
