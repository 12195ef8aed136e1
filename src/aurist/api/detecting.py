"""Events in recordings as a DataFrame."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from aurist.api.inputs import clips_of, is_samples
from aurist.api.messages import warn
from aurist.clips.read import ReadOptions
from aurist.errors import ConfigError, DataError, listing, plural
from aurist.folders import check_output
from aurist.run import ModelFiles


def detect(
    files: ModelFiles,
    recordings: Any,
    output: str | Path | None,
    options: ReadOptions,
    grid: tuple[float | None, float | None, int | None, str],
    export_options: tuple[
        Sequence[str] | str,
        float | None,
        float | None,
        float | str | None,
        Sequence[str] | str | None,
        float | None,
        str | Path | None,
    ],
    model: str | None,
    jobs: int,
) -> pd.DataFrame:
    """Detect events, see `aurist.Run.detect`; ``export_options`` has formats, thresholds, labels, unknown, prior."""
    from aurist.detection.export import ExportOptions, chosen_events, unlike_windows, write_detections
    from aurist.detection.priors import PRIOR, read_priors
    from aurist.detection.scan import WindowOptions, listen, recordings_of
    from aurist.detection.thresholds import event_thresholds, parse_rate
    from aurist.detection.unlike_recordings import unlike_mix, unlike_recordings
    from aurist.inference.inputs import read_inputs

    formats, min_score, precision, false_alarms, labels, unknown, prior = export_options
    formats = (formats,) if isinstance(formats, str) else tuple(formats)
    labels = (labels,) if isinstance(labels, str) else labels
    if is_samples(recordings):
        raise DataError("Events are detected in recordings: give their paths, not samples.")
    if output is None and formats != ("csv",):
        raise ConfigError("formats= is for files: give their folder with output=.")
    spec = files.spec
    classes = spec.task.classes
    chosen = event_thresholds(
        files,
        model,
        min_score=min_score,
        precision=precision,
        false_alarms=parse_rate(false_alarms) if isinstance(false_alarms, str) else false_alarms,
    )
    export = ExportOptions(
        formats,
        min_score,
        None if labels is None else tuple(labels),
        chosen.lowest,
        unknown=unknown,
    )
    export.columns(classes)  # refuse wrong ones before hours of work
    priors = None if prior is None else read_priors(Path(prior), classes)
    for note in chosen.notes:
        warn(note)
    with (
        tempfile.TemporaryDirectory(prefix="aurist-") as temporary,
        clips_of(recordings, None, lambda source: read_inputs(source, options, spec)) as (clips, _),
    ):
        folder = Path(temporary) / "detections" if output is None else Path(output)
        check_output(folder, folder=True)
        streaming = WindowOptions(*grid)
        for note in unlike_recordings(files, recordings_of(clips)):
            warn(note)
        scored = listen(
            files, recordings_of(clips), folder, streaming, model=model, unknown=unknown, jobs=jobs
        )
        scored = replace(scored, priors=priors)
        for name, note in scored.notes.items():
            warn(f"{name} {note}")
        failures = list(scored.failures.values())
        if failures and not scored.recordings:
            raise DataError(f"None of {plural(len(failures), 'recording')} can be read:\n{listing(failures)}")
        for message in failures:
            warn(f"passed over: {message}")
        if about_windows := unlike_windows(scored, unknown):
            warn(about_windows)
        events = chosen_events(scored, export)
        if labels is None and (about_labels := unlike_mix(files, events)):
            warn(about_labels)
        if output is not None:
            write_detections(scored, export, events=events)
    columns_of_events = ["path", "start", "end", "label", "score"] + ([PRIOR] if priors is not None else [])
    return events.table[columns_of_events].reset_index(drop=True)
