"""`aurist listen`: events in sound that comes as time passes."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aurist.cli import options as opt
from aurist.cli.printing import say, visible

if TYPE_CHECKING:
    from aurist.serve.live import LiveEvent


def listen(
    run: opt.Trained,
    source: Annotated[
        str,
        typer.Option(
            help="mic, mic:NAME of a device, a URL (rtsp, http ...), a file, or - for sound on standard input."
        ),
    ] = "mic",
    raw_rate: Annotated[
        int | None,
        typer.Option(
            help="Standard input is raw samples of 16 bits and one channel, at this rate in Hz.", min=20
        ),
    ] = None,
    window: Annotated[
        float | None, typer.Option(help="Seconds of a window. Default: that of the run.", min=0.01)
    ] = None,
    overlap: Annotated[
        float | None, typer.Option(help="Seconds that windows overlap. Default: half.", min=0)
    ] = None,
    min_score: Annotated[
        float | None,
        typer.Option(help="Lowest score of an event, 0 to 1. Default: the threshold of its class, else 0.5."),
    ] = None,
    precision: opt.Precision = None,
    labels: Annotated[
        str | None, typer.Option(help="Report these classes only: a,b or a file with one per line.")
    ] = None,
    log: Annotated[
        Path | None,
        typer.Option(help="File of events to add to: .csv or .jsonl. It is rotated.", dir_okay=False),
    ] = None,
    rotate: Annotated[
        float,
        typer.Option(
            help="Megabytes after which the log is renamed by its time, and a new one begun.", min=0.001
        ),
    ] = 10.0,
    clips: Annotated[
        Path | None, typer.Option(help="Folder for the sound of each event.", file_okay=False)
    ] = None,
    on_event: Annotated[
        str | None,
        typer.Option(
            help="Command to run for each event, without a shell. It gets the event as JSON on its standard input."
        ),
    ] = None,
    webhook: Annotated[str | None, typer.Option(help="Address to post each event to, as JSON.")] = None,
    jobs: opt.Jobs = 0,
    trust: opt.Trust = False,
) -> None:
    """Listen to a microphone or a stream, and report events as they come. ffmpeg must be installed.

    A stream that breaks off is taken up again. Stop with Ctrl-C.

    Examples:

      aurist listen run --source mic --log events.jsonl

      aurist listen run --source rtsp://camera/sound --clips clips --webhook http://127.0.0.1:9000/birds
    """
    from aurist.detection.export import ExportOptions, labels_from
    from aurist.detection.scan import WindowOptions
    from aurist.detection.window_model import WindowModel
    from aurist.inference.thresholds import thresholds_of
    from aurist.run.remote import open_trained
    from aurist.serve.following import follow
    from aurist.serve.live import LiveEvents
    from aurist.serve.reporting import EventLog, Hooks
    from aurist.serve.stream import Source, sound_of

    opened = Source(source, raw_rate)
    files = open_trained(run)
    names = None if labels is None else labels_from(labels)
    export = ExportOptions((), min_score, names, thresholds_of(files, None, precision))
    classes = files.spec.task.classes
    lowest = export.lowest_scores(classes)
    lowest[[i for i in range(len(classes)) if i not in set(export.columns(classes).tolist())]] = float("inf")
    grid = WindowOptions(window, overlap).grid(files.spec.window)
    live_events = LiveEvents(WindowModel(files, None, jobs or files.spec.task.jobs), grid, lowest)
    live_events.warm_up()
    written = None if log is None else EventLog(log, rotate)
    hooks = Hooks(on_event, webhook)
    began = datetime.now().astimezone()
    say(f"listening to {source} in windows of {grid.window:g} s (stop with Ctrl-C)")

    def report(record: dict[str, Any], event: LiveEvent) -> None:
        if clips is not None:
            record["file"] = str(_save(event, clips, began, live_events.sample_rate))
        if written is not None:
            written.write(record)
        hooks.report(record)
        seconds = record["end"] - record["start"]
        line = f"{record['clock'][:19]}  {seconds:6.1f} s  {record['score']:.2f}  {record['label']}"
        print(visible(line), flush=True)

    try:
        for record, event in follow(sound_of(opened, live_events.sample_rate), live_events, began):
            report(record, event)
    except KeyboardInterrupt:
        for record, event in follow((), live_events, began):  # those that are still open
            report(record, event)
    finally:
        hooks.close()


def _save(event: LiveEvent, folder: Path, began: datetime, sample_rate: int) -> Path:
    import re

    from aurist.audio.writing import write_wav

    clock = (began + timedelta(seconds=event.start)).strftime("%Y%m%d_%H%M%S")
    label = re.sub(r"[^\w.]+", "-", event.label).strip("-.")[:80]
    path = folder / f"{clock}_{label}_{event.score:.2f}.wav"
    number = 1
    while path.exists():
        number += 1
        path = folder / f"{clock}_{label}_{event.score:.2f}_{number}.wav"
    write_wav(path, event.sound, sample_rate)
    return path
