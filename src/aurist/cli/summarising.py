"""`aurist summary`: detections by class, day and hour."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aurist.cli import options as opt
from aurist.cli.printing import print_json, print_table, say


def summary(
    detections: Annotated[
        Path, typer.Argument(help="The folder of detections that `aurist predict` made of recordings.")
    ],
    run: Annotated[
        str | None,
        typer.Option(
            help="The run that made them: adds how many events of each class are expected to be false, by its false "
            "alarms in background."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Folder for summary.csv, activity.csv and activity.png. Default: DETECTIONS.",
        ),
    ] = None,
    safe_csv: opt.SafeCsv = False,
    as_json: opt.Json = False,
) -> None:
    """Count detections by class, day and hour, with the hours that were listened to.

    Dates come from the headers of the recordings (GUANO, WAMD, AudioMoth), else from their names, such as
    SITE_20230601_053000.wav.

    Examples:

      aurist predict run recordings/ -o detections

      aurist summary detections --run run
    """
    from aurist.detection.activity import activity_of, with_expected_false
    from aurist.files import write_csv
    from aurist.plots import can_draw, plot_activity
    from aurist.run.remote import open_trained

    result = activity_of(detections)
    if run is not None:
        result = with_expected_false(result, open_trained(run))
    folder = output or detections
    folder.mkdir(parents=True, exist_ok=True)
    for note in result.notes:
        say(note)
    written = []
    for name, table in (("summary.csv", result.classes), ("activity.csv", result.hours)):
        write_csv(table, folder / name, safe=safe_csv)
        written.append(folder / name)
    if len(result.hours) and can_draw("activity.png"):
        plot_activity(result.hours, folder / "activity.png")
        written.append(folder / "activity.png")
    if as_json:
        print_json({"classes": result.classes.to_dict("records"), "files": list(map(str, written))})
        return
    if len(result.classes):
        dated = ["first", "last", "busiest_hour"] if (result.classes["first"] != "").any() else []
        expected = [] if run is None else ["expected_false"]
        print_table(
            result.classes[["label", "events", *expected, "recordings", "events_per_hour", *dated]], digits=1
        )
        say(f"listened to: {result.classes['hours'].iloc[0]:.1f} h")
    else:
        say("no events")
    for path in written:
        say(f"written: {path}")
