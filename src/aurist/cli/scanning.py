"""Scan recordings window by window, for `aurist predict`."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from aurist.cli.printing import going_on, say, visible

if TYPE_CHECKING:
    import pandas as pd

    from aurist.clips import Clips
    from aurist.detection.export import ExportOptions
    from aurist.detection.priors import Priors
    from aurist.detection.result import ScanResult
    from aurist.detection.scan import WindowOptions
    from aurist.run import ModelFiles
    from aurist.search import WindowIndex


@going_on()
def scan_recordings(
    files: ModelFiles,
    source: Clips | WindowIndex,
    output: Path,
    windows: WindowOptions,
    export: ExportOptions,
    sample: tuple[pd.DataFrame, str] | None,
    model: str | None,
    jobs: int,
    shard: str | None = None,
    cluster: str | None = None,
    priors: Priors | None = None,
) -> None:
    """Scan recordings window by window, or those of a shard; exit with 1 if some cannot be read."""
    from aurist.cli.messages import in_options
    from aurist.clips import Clips
    from aurist.detection.contests import contest_table
    from aurist.detection.export import WINDOWS, chosen_events, write_detections
    from aurist.detection.on_cluster import scan_on_cluster
    from aurist.detection.scan import listen, recordings_of
    from aurist.detection.sharding import begin_shard
    from aurist.detection.unlike_recordings import unlike_mix, unlike_recordings
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
    say(_times(files, source, windows, model))
    if isinstance(source, Clips):
        for note in (*source.notes, *unlike_recordings(files, recordings_of(source))):
            say(in_options(note))
        if shard is not None:
            source = begin_shard(shard, source, output)
        if cluster is not None:
            scan_on_cluster(files, source, output, windows, cluster, model=model, cores=jobs or 1)
        scan = listen(
            files, recordings_of(source), output, windows, model=model, unknown=export.unknown, jobs=jobs
        )
    else:
        scan = score_index(files, source, output, model=model, jobs=jobs)
    scan = replace(scan, priors=priors)
    _say_notes(scan, export.unknown)
    hours = sum(scan.seconds.values()) / 3600
    events = None if set(export.formats) == {WINDOWS} else chosen_events(scan, export)
    if events is not None and export.labels is None and (about_labels := unlike_mix(files, events)):
        say(about_labels)
    for path, rows in write_detections(scan, export, events=events):
        unit = "window" if path.name == "windows.csv" else "event"
        say(
            f"written: {path} ({plural(rows, unit)} of {plural(len(scan.recordings), 'recording')}, {hours:.1f} h)"
        )
    if sample is not None:
        table, name = sample
        answers = contest_table(scan, table, name, export.lowest_scores(scan.classes))
        write_answers(answers, output / "submission.csv", export.safe_csv)
    if scan.failures:
        failed = plural(len(scan.failures), "recording")
        say(f"{failed} cannot be read:\n{listing(list(scan.failures.values()))}")
        raise typer.Exit(1)


def _say_notes(scan: ScanResult, unknown: float | None) -> None:
    from aurist.detection.export import unlike_windows
    from aurist.detection.result import began_of

    for name, note in scan.notes.items():
        say(f"{name} {note}")
    if scan.priors is not None:
        about_clocks = scan.priors.note(
            {recording.name: began_of(recording) for recording in scan.recordings}
        )
        if about_clocks:
            say(about_clocks)
    if about_windows := unlike_windows(scan, unknown):
        say(about_windows)


def index_of(data: Sequence[Path], options: Mapping[str, object]) -> WindowIndex | None:
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


def is_scan(clips: Clips, window: float | None, trained: float | None) -> bool:
    """Return True if recordings are scored window by window."""
    whole_recordings = clips.has_audio and bool(clips.table["start"].isna().all())
    return bool(window) or (window is None and whole_recordings and trained is not None)


def _times(files: ModelFiles, source: Clips | WindowIndex, windows: WindowOptions, model: str | None) -> str:
    """State how times of events are made."""
    from aurist.cli.messages import in_options
    from aurist.clips import Clips
    from aurist.detection.event_times import times_note
    from aurist.events import Grid
    from aurist.plan import ENSEMBLE

    if isinstance(source, Clips):
        return in_options(
            times_note(files, model or ENSEMBLE, windows.times, windows.grid(files.spec.window))
        )
    seconds, hop = source.settings.embedder.embedder.seconds, source.settings.hop
    return times_note(files, model or ENSEMBLE, "windows", Grid(seconds, seconds - hop))


def write_answers(table: pd.DataFrame, output: Path | None, safe: bool) -> None:
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
