"""`aurist predict`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from aurist.cli import options as opt
from aurist.cli.bundles import NewColumns, spread
from aurist.cli.printing import print_applied, say
from aurist.cli.scanning import index_of, is_scan, scan_recordings, write_answers

if TYPE_CHECKING:
    import pandas as pd

    from aurist.clips import Clips


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
    false_alarms: Annotated[
        str | None,
        typer.Option(
            help="False alarms in an hour of background, all classes together: 1/h, 10/day. One threshold for all "
            "classes, chosen out of fold.",
            rich_help_panel=opt.WINDOWS,
        ),
    ] = None,
    prior: Annotated[
        Path | None,
        typer.Option(
            help="A table of where and when classes are to be expected: label, prior, and any of site, month, hour. A "
            "prior multiplies the odds of scores (0: never, 1: as in the training data), and is written beside events.",
            rich_help_panel=opt.WINDOWS,
        ),
    ] = None,
    no_weigh: Annotated[
        bool,
        typer.Option(
            "--no-weigh",
            help="Write priors beside events (prior_unused), but leave scores as they are.",
            rich_help_panel=opt.WINDOWS,
        ),
    ] = False,
    times: Annotated[
        str,
        typer.Option(
            help="What tells when an event is: windows, frames (of networks such as mel-sed), sound (events of "
            "windows, trimmed to where their class is loud), or auto: what is shown to time events better.",
            rich_help_panel=opt.WINDOWS,
        ),
    ] = "auto",
    shard: Annotated[
        str | None,
        typer.Option(
            help="Scan a part of the recordings, such as 2/16, on one of several machines; then `aurist merge`.",
            rich_help_panel=opt.WINDOWS,
        ),
    ] = None,
    cluster: opt.Cluster = None,
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

      aurist predict run night.flac --false-alarms 1/h -o quiet

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

    if no_weigh and prior is None:
        raise ConfigError(
            "--no-weigh needs a table of priors: give it with --prior, or leave --no-weigh out."
        )
    if shard is not None and cluster is not None:
        raise ConfigError("--shard and --cluster cannot go together: a cluster makes its shards itself.")
    if submission is not None and output is not None and output.resolve() == submission.resolve():
        raise ConfigError(f"{submission} is the sample and is never written to. Give another file with -o.")
    files = open_trained(run)
    sample = None if submission is None else _sample(submission)
    index = index_of(
        data,
        {
            "window": window,
            "overlap": overlap,
            "channel": channel,
            "unknown": unknown,
            "shard": shard,
            "cluster": cluster,
        },
    )
    source = read_inputs(data, columns.reading(), files.spec) if index is None else index
    if index is not None or is_scan(cast("Clips", source), window, files.spec.window):
        from aurist.cli.messages import in_options
        from aurist.detection.export import ExportOptions, labels_from
        from aurist.detection.priors import read_priors
        from aurist.detection.scan import WindowOptions
        from aurist.detection.thresholds import event_thresholds, parse_rate

        chosen = event_thresholds(
            files,
            model,
            min_score=min_score,
            precision=precision,
            false_alarms=None if false_alarms is None else parse_rate(false_alarms),
        )
        export = ExportOptions(
            tuple(name.strip() for text in forms or ["csv"] for name in text.split(",")),
            min_score,
            None if labels is None else labels_from(labels),
            chosen.lowest,
            safe_csv,
            unknown,
        )
        priors = None if prior is None else read_priors(prior, files.spec.task.classes, weigh=not no_weigh)
        for note in chosen.notes:
            say(in_options(note))
        scan_recordings(
            files,
            source,
            output or Path("detections"),
            WindowOptions(window, overlap, channel, times),
            export,
            None if sample is None else (sample, str(submission)),
            model,
            jobs,
            shard,
            cluster,
            priors,
        )
        return
    window_options = {
        "overlap": overlap,
        "format": forms,
        "min-score": min_score,
        "labels": labels,
        "channel": channel,
        "false-alarms": false_alarms,
        "prior": prior,
        "times": None if times == "auto" else times,
        "shard": shard,
        "cluster": cluster,
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
    write_answers(table, output, safe_csv)


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
