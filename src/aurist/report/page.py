"""Write the report: gather the contents, draw the charts, fill the template."""

from __future__ import annotations

import datetime
from dataclasses import replace
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd

from aurist.extras import need_extra
from aurist.files import atomic_path
from aurist.folders import check_output
from aurist.inference.thresholds import silent_classes
from aurist.plots import (
    plot_curves,
    plot_data_curve,
    plot_event_curves,
    plot_importance,
    plot_leaderboard,
    plot_reliability,
)
from aurist.report import gather
from aurist.report.advice import honesty, next_steps
from aurist.report.cells import CellTable, common_confusions, confusion_cells, payload
from aurist.report.mistakes import worst_mistakes
from aurist.report.pictures import chart
from aurist.report.templates import as_json, template
from aurist.results.data_curve import DataCurve, data_curve
from aurist.results.label_errors import likely_label_errors
from aurist.results.reported import ReportedModel, decisions, model_predictions
from aurist.results.tables import ece, per_class, reliability
from aurist.run import RunFolder, read_data
from aurist.run.events_file import read_event_curve, read_events
from aurist.stored import stored

#: The most mistakes, rows of the table of broken clips, and features on the page.
MOST_MISTAKES, MOST_BROKEN, MOST_FEATURES = 12, 30, 20
#: A matrix of more classes than this cannot be read on a page.
MOST_CONFUSED = 60
#: Of so many classes, the most common errors are listed.
MOST_PAIRS = 30


def write_report(run: RunFolder, path: Path, *, model: str | None = None, with_sound: bool = True) -> None:
    """Write a report of a run as one HTML file that needs no other file and no connection.

    Parameters
    ----------
    run
        A finished run.
    path
        The file; replaced as a whole.
    model
        A row of the leaderboard; None: the one that predicts.
    with_sound
        True to include sounds and spectrograms of the mistakes: most of the size of the file.

    Raises
    ------
    ConfigError
        If the run has no such model.
    RunError
        If the run is not finished.
    MissingExtraError
        If matplotlib is not installed.
    """
    need_extra("plots", "A report")
    check_output(path)
    # all contents come from the run's own files
    with stored(run.folder, run.remedy):
        text = template("report.html").render(_contents(run, model, with_sound))
    with atomic_path(path) as part:
        part.write_text(text, encoding="utf-8")


def _contents(run: RunFolder, model: str | None, with_sound: bool) -> dict[str, Any]:
    board, scores, data = run.leaderboard(), run.scores(), read_data(run)
    reported = model_predictions(run, data, model)
    several = reported.clips.multilabel
    broken = gather.left_out(run)
    mistakes = worst_mistakes(
        reported.clips,
        reported.truth,
        reported.proba,
        reported.named,
        most=MOST_MISTAKES,
        with_sound=with_sound,
    )
    cells = confusion_cells(reported.clips, reported.truth, reported.proba, decisions(reported))
    classes = per_class(
        reported.truth, reported.proba, reported.clips.classes, multilabel=several, named=reported.named
    )
    curve = data_curve(run, progress=True)
    n_suspects = len(likely_label_errors(run))
    features = gather.importance(run)
    variants = run.variants()
    return {
        "name": run.folder.resolve().name,
        "made": datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
        "version": metadata.version("aurist"),
        "scores": scores,
        "model": reported.model,
        "n_clips": len(data.clips),
        "notes": data.notes,
        "classes": gather.class_counts(data),
        "broken": broken.head(MOST_BROKEN).to_dict("records"),
        "n_broken": len(broken),
        "board": board.to_dict("records"),
        "has_networks": bool(board.get("params", pd.Series(dtype=float)).notna().any()),
        "variants": [] if variants is None else variants.to_dict("records"),
        "leaderboard": chart(partial(plot_leaderboard, board)),
        "curves": [
            chart(partial(plot_curves, curve, title=name, metric=scores.metric))
            for name, curve in gather.curves(run).items()
        ],
        "features": None
        if features is None
        else chart(partial(plot_importance, features, most=MOST_FEATURES)),
        **_events(run, scores.best, reported.model),
        "honesty": honesty(data, scores),
        "steps": next_steps(classes, cells, curve, n_suspects, len(broken)),
        "data_curve": curve,
        "data_curve_chart": _drawn_curve(curve),
        "mistakes": mistakes,
        **_cells(reported, cells, [one.row for one in mistakes if one.sound], with_sound),
        "several": several,
        "with_sound": with_sound,
        "per_class": classes.to_dict("records"),
        "settings": gather.settings(run.config()),
        "recipes": [(recipe.name, recipe.to_dict()) for recipe in run.networks()],
        "versions": gather.versions(run),
        **_calibration(reported, silent_classes(run, reported.model)),
    }


def _events(run: RunFolder, best: str, model: str) -> dict[str, Any]:
    """Return the scores of events, and their chart; None if the run or the model has none."""
    events, curve = read_events(run.folder, run.remedy), read_event_curve(run.folder, run.remedy)
    if events is None or curve is None or model != best or events.hours <= 0:
        return {"events": None, "event_curves": None}
    draw = partial(plot_event_curves, curve, run.classes(), events.hours)
    return {"events": events.sentence(), "event_curves": chart(draw)}


def _calibration(reported: ReportedModel, silent: list[str]) -> dict[str, Any]:
    """Return the chart and the error of the calibration."""
    several = reported.clips.multilabel
    reliability_table = reliability(reported.truth, reported.proba, multilabel=several)
    return {
        "silent": silent,
        "reliability": chart(partial(plot_reliability, reliability_table)),
        "ece": ece(reported.truth, reported.proba, multilabel=several),
    }


def _cells(reported: ReportedModel, table: CellTable, held: list[int], with_sound: bool) -> dict[str, Any]:
    """Return the confusion matrix, or the most common confusions of many classes, and the clips of their cells."""
    small = reported.clips.multilabel or len(table.columns) <= MOST_CONFUSED
    common = [] if small else common_confusions(table, MOST_PAIRS)
    shown = (
        table if small else replace(table, cells={at: cell for at, cell in table.cells.items() if cell.wrong})
    )
    return {
        "confusion": table if small else None,
        "common": common,
        "cell_data": as_json(payload([shown], reported.clips, held, with_sound)),
    }


def _drawn_curve(curve: DataCurve | None) -> str | None:
    if curve is None:
        return None
    draw = partial(plot_data_curve, curve.clips, curve.scores, metric=curve.metric, doubled=curve.doubled)
    return chart(draw)
