"""`aurist predict`."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from aurist.cli import options as opt
from aurist.cli.bundles import NewColumns, spread
from aurist.cli.printing import going_on, print_applied, say, visible

if TYPE_CHECKING:
    import pandas as pd

    from aurist.clips import Clips
    from aurist.detection.export import ExportOptions
    from aurist.detection.scan import WindowOptions
    from aurist.run import ModelFiles
    from aurist.search import WindowIndex


@spread
def predict(
    run: opt.Trained,
    data: Annotated[
        list[Path],
        typer.Argument(help="Recordings, a folder of them, a table, or an index of `aurist index`."),
    ],
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="CSV to write. Default: standard output. With windows: folder to make, 'detections' by default.",
        ),
    ] = None,
    submission: Annotated[
        Path | None,
        typer.Option(
            help="Sample submission of a contest (a CSV): write its ids and columns in its order. With windows: of "
            "RFCX (recording_id) or BirdCLEF (row_id)."
        ),
    ] = None,
    model: opt.Model = None,
    precision: opt.Precision = None,
    unknown: opt.Unknown = None,
    columns: NewColumns,
    window: Annotated[
        float | None,
        typer.Option(
            help="Length of a window in seconds. 0: whole clips. Default: the windows of annotated recordings that the "
            "run was fitted on, else whole clips.",
            rich_help_panel=opt.WINDOWS,
        ),
    ] = None,
    overlap: Annotated[
        float | None,
        typer.Option(
            help="Seconds that two windows in a row share. Default: half a window.",
            rich_help_panel=opt.WINDOWS,
        ),
    ] = None,
    forms: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            help="csv (events, the default), raven, audacity, kaleidoscope, jsonl, parquet, or windows (scores of each "
            "window); several, separated by commas.",
            rich_help_panel=opt.WINDOWS,
        ),
    ] = None,
    min_score: Annotated[
        float | None,
        typer.Option(
            help="Lowest score of an event, 0 to 1. Default: the threshold of its class, else 0.5.",
            rich_help_panel=opt.WINDOWS,
        ),
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(
            help="Write these classes only: a,b or a file with one per line.", rich_help_panel=opt.WINDOWS
        ),
    ] = None,
    channel: Annotated[
        int | None,
        typer.Option(
            help="Use this channel, counted from 0. Default: the mean of all.", rich_help_panel=opt.WINDOWS
        ),
    ] = None,
    jobs: opt.Jobs = 0,
    cache_dir: opt.CacheDir = None,
    safe_csv: opt.SafeCsv = False,
    trust: opt.Trust = False,
) -> None:
    """Label new recordings or rows with a probability per class, or detect events in long recordings.

    If clips may have several labels, each class has its own threshold, with the best F1 on clips that the models were
    not fitted on. --precision sets thresholds for a target precision instead.

    The column likeness is the share of training clips that are at least as unlike the others as this clip. With
    --unknown 0.05 the label of a clip with a likeness of at most 0.05 is unknown.

    With --window, or if the run was fitted on annotated recordings, recordings are scanned window by window. Run the
    command again to continue an interrupted scan.

    Examples:

      aurist predict run new_recordings/ -o labels.csv

      aurist predict run test.csv --submission sample_submission.csv -o submission.csv

      aurist predict run night.flac --window 5 --min-score 0.7 -o detections

      aurist predict run field/ --precision 0.9 -o sure

      aurist predict run new_recordings/ --unknown 0.05 -o labels.csv

      aurist predict run index --model Logistic_birdnet -o detections

      aurist predict run field/ --format raven,windows --labels wren,robin -o detections
    """
    from aurist.errors import ConfigError
    from aurist.folders import check_output
    from aurist.inference.inputs import read_inputs
    from aurist.inference.predict import predict_clips
    from aurist.inference.submission import submission as contest_file
    from aurist.run.remote import open_trained

    if submission is not None and output is not None and output.resolve() == submission.resolve():
        raise ConfigError(f"{submission} is the sample and is never written to. Give another file with -o.")
    files = open_trained(run)
    sample = None if submission is None else _sample(submission)
    index = _index(data, {"window": window, "overlap": overlap, "channel": channel, "unknown": unknown})
    source = read_inputs(data, columns.reading(), files.spec) if index is None else index
    if index is not None or _is_scan(cast("Clips", source), window, files.spec.window):
        from aurist.detection.export import ExportOptions, labels_from
        from aurist.detection.scan import WindowOptions
        from aurist.inference.thresholds import never_named, thresholds_of

        export = ExportOptions(
            tuple(name.strip() for text in forms or ["csv"] for name in text.split(",")),
            min_score,
            None if labels is None else labels_from(labels),
            thresholds_of(files, model, precision),
            safe_csv,
            unknown,
        )
        thresholds = export.thresholds if min_score is None else None
        for note in never_named(files.spec.task.classes, thresholds, precision):
            say(note)
        _listen(
            files,
            source,
            output or Path("detections"),
            WindowOptions(window, overlap, channel),
            export,
            None if sample is None else (sample, str(submission)),
            model,
            jobs,
        )
        return
    window_options = {
        "overlap": overlap,
        "format": forms,
        "min-score": min_score,
        "labels": labels,
        "channel": channel,
    }
    misplaced = [f"--{name}" for name, value in window_options.items() if value is not None]
    if misplaced:
        raise ConfigError(
            f"{', '.join(misplaced)}: only for recordings that are scanned window by window. "
            "Give the length of a window in seconds with --window."
        )
    if output is not None:
        check_output(output)
    applied = predict_clips(
        files,
        cast("Clips", source),
        model=model,
        precision=precision,
        unknown=unknown,
        jobs=jobs,
        cache_dir=cache_dir,
    )
    print_applied(applied)
    table = applied.to_frame() if sample is None else contest_file(applied, sample, str(submission))
    _write(table, output, safe_csv)


@going_on()
def _listen(
    files: ModelFiles,
    source: Clips | WindowIndex,
    output: Path,
    windows: WindowOptions,
    export: ExportOptions,
    sample: tuple[pd.DataFrame, str] | None,
    model: str | None,
    jobs: int,
) -> None:
    """Scan recordings window by window; exit with 1 if some cannot be read."""
    from aurist.clips import Clips
    from aurist.detection.contests import contest_table
    from aurist.detection.export import unlike_windows, write_detections
    from aurist.detection.scan import listen, recordings_of
    from aurist.errors import ConfigError, listing, plural
    from aurist.folders import check_output
    from aurist.search import score_index

    # refuse wrong options before hours of work
    if output.suffix.lower() == ".csv":
        raise ConfigError(
            f"Recordings are scanned window by window, and events are written to a folder, but -o is {output}. Give a "
            "folder, or --window 0 for one row per recording."
        )
    check_output(output, folder=True)
    export.columns(files.spec.task.classes)
    if isinstance(source, Clips):
        for note in source.notes:
            say(note)
        scan = listen(
            files, recordings_of(source), output, windows, model=model, unknown=export.unknown, jobs=jobs
        )
    else:
        scan = score_index(files, source, output, model=model, jobs=jobs)
    for name, note in scan.notes.items():
        say(f"{name} {note}")
    if about_windows := unlike_windows(scan, export.unknown):
        say(about_windows)
    hours = sum(scan.seconds.values()) / 3600
    for path, rows in write_detections(scan, export):
        unit = "window" if path.name == "windows.csv" else "event"
        say(
            f"written: {path} ({plural(rows, unit)} of {plural(len(scan.recordings), 'recording')}, {hours:.1f} h)"
        )
    if sample is not None:
        table, name = sample
        answers = contest_table(scan, table, name, export.lowest_scores(scan.classes))
        _write(answers, output / "submission.csv", export.safe_csv)
    if scan.failures:
        failed = plural(len(scan.failures), "recording")
        say(f"{failed} cannot be read:\n{listing(list(scan.failures.values()))}")
        raise typer.Exit(1)


def _index(data: Sequence[Path], options: Mapping[str, object]) -> WindowIndex | None:
    """Open an index if the data is one, and refuse options that it has decided already."""
    from aurist.errors import ConfigError
    from aurist.folders import INDEX

    if len(data) != 1 or not (data[0] / INDEX).exists():
        return None
    given = [f"--{name}" for name, value in options.items() if value is not None]
    if given:
        raise ConfigError(f"{', '.join(given)}: not for an index, whose windows are there already.")
    from aurist.search import open_index

    return open_index(data[0])


def _is_scan(clips: Clips, window: float | None, trained: float | None) -> bool:
    """Return True if recordings are scored window by window."""
    whole_recordings = clips.has_audio and bool(clips.table["start"].isna().all())
    return bool(window) or (window is None and whole_recordings and trained is not None)


def _sample(path: Path) -> pd.DataFrame:
    import pandas as pd

    from aurist.clips.preamble import preamble_of
    from aurist.errors import DataError

    try:
        with path.open(encoding="utf-8-sig") as file:
            preamble = preamble_of(file.read(1 << 16))
            file.seek(0)
            for _ in range(preamble.lines):
                file.readline()
            # ids stay as they are written: 007 is not 7
            return pd.read_csv(file, sep=preamble.separator or ",", dtype={0: str})
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise DataError(f"Cannot read the sample submission {path}: {error}") from error


def _write(table: pd.DataFrame, output: Path | None, safe: bool) -> None:
    from aurist.errors import plural
    from aurist.files import write_csv
    from aurist.formulas import safe_table
    from aurist.inference.clip_predictions import PROBABILITY

    if output is None:
        text = (safe_table(table) if safe else table).to_csv(index=False, float_format=PROBABILITY)
        # a terminal would obey control characters in names; a file or a program gets them unchanged
        sys.stdout.write(visible(text) if sys.stdout.isatty() else text)
        return
    write_csv(table, output, safe=safe, float_format=PROBABILITY)
    say(f"written: {output} ({plural(len(table), 'row')})")
