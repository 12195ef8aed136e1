"""`aurist predict`, `aurist evaluate`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aurist.cli import options as opt
from aurist.cli.printing import print_confusion, print_json, print_table, say

if TYPE_CHECKING:
    import pandas as pd

    from aurist.automl import Applied

Model = Annotated[str | None, typer.Option(help="A model of the leaderboard; the ensemble by default.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(predict)
    app.command()(evaluate)


def predict(
    run: opt.RunFolder,
    data: Annotated[list[Path], typer.Argument(help="Recordings, a folder of them, or a table.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="CSV to write; else standard output.")
    ] = None,
    submission: Annotated[
        Path | None,
        typer.Option(help="A contest's sample submission (a CSV): its ids, columns and order are followed."),
    ] = None,
    model: Model = None,
    path: opt.PathColumn = None,
    start: opt.Start = None,
    end: opt.End = None,
    row_id: opt.Id = None,
    audio_root: opt.AudioRoot = None,
    jobs: opt.Jobs = 0,
    cache_dir: opt.CacheDir = None,
) -> None:
    """Label new recordings or rows, with a probability for each class.

    Examples:

      aurist predict run new_recordings/ -o labels.csv

      aurist predict run test.csv --submission sample_submission.csv -o submission.csv
    """
    from aurist.automl import apply_run, read_inputs
    from aurist.errors import ConfigError
    from aurist.run import open_run

    if submission is not None and output is not None and output.resolve() == submission.resolve():
        raise ConfigError(f"The sample {submission} is never written to; give another file with -o.")
    opened = open_run(run)
    clips = read_inputs(
        data, opt.read_options(path=path, start=start, end=end, row_id=row_id, audio_root=audio_root)
    )
    applied = apply_run(opened, clips, model=model, jobs=jobs, cache_dir=cache_dir)
    _report(applied)
    table = applied.to_frame() if submission is None else _submission(applied, submission)
    _write(table, output)


def _submission(applied: Applied, path: Path) -> pd.DataFrame:
    import pandas as pd

    from aurist.automl import submission
    from aurist.errors import DataError

    try:
        # ids stay as they are written: 007 is not 7
        sample = pd.read_csv(path, dtype={0: str})
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise DataError(f"Cannot read the sample submission {path}: {error}") from error
    return submission(applied, sample, str(path))


def _report(applied: Applied) -> None:
    from aurist.errors import about, plural

    for note in (*applied.clips.notes, *applied.notes):
        say(note)
    for row, message in applied.failures.items():
        say(f"not predicted: {about(str(applied.clips.table['clip_id'].iloc[row]), message)}")
    seen = int(applied.seen.sum())
    if seen:
        stands = "stands" if seen == 1 else "stand"
        say(f"{seen:,} of {plural(len(applied.seen), 'row')} {stands} in the run's training data")


def _write(table: pd.DataFrame, output: Path | None) -> None:
    from aurist.automl.apply import PROBABILITY
    from aurist.errors import plural
    from aurist.files import atomic_path

    if output is None:
        table.to_csv(sys.stdout, index=False, float_format=PROBABILITY)
        return
    with atomic_path(output) as part:
        table.to_csv(part, index=False, float_format=PROBABILITY)
    say(f"written: {output} ({plural(len(table), 'row')})")


def evaluate(
    run: opt.RunFolder,
    data: opt.Data,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for the tables and the confusion matrix.")
    ] = None,
    model: Model = None,
    label: opt.Label = None,
    path: opt.PathColumn = None,
    start: opt.Start = None,
    end: opt.End = None,
    group: opt.Group = None,
    row_id: opt.Id = None,
    label_from: opt.LabelFrom = None,
    audio_root: opt.AudioRoot = None,
    as_json: opt.Json = False,
    jobs: opt.Jobs = 0,
    cache_dir: opt.CacheDir = None,
) -> None:
    """Score a run on labelled data that it has not seen: all metrics with intervals, per class, confusions.

    Where some of the data stands in the run's training data, the new rows are also scored apart.

    Example:

      aurist evaluate run labelled.csv -o evaluation
    """
    from aurist.automl import evaluate_run
    from aurist.run import open_run

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
        ),
        model=model,
        jobs=jobs,
        cache_dir=cache_dir,
    )
    if output is not None:
        found.write(output)
    if as_json:
        print_json(found.to_dict())
        return
    _report(found.applied)
    for title, scores in found.scores.items():
        print_table(scores, title=title)
        print()
    print_table(found.per_class, title="by class", digits=3)
    if found.confusion is not None:
        print()
        print_confusion(found.confusion, found.applied.classes)
    if output is not None:
        say(f"written: {output}")
