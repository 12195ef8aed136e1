"""The page: what was gathered, drawn and put into the template."""

from __future__ import annotations

import datetime
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd

from aurist.files import atomic_path
from aurist.folders import check_output
from aurist.plots import plot_confusion, plot_curves, plot_importance, plot_leaderboard, plot_reliability
from aurist.report import gather
from aurist.report.gather import ReportedModel
from aurist.report.mistakes import worst_mistakes
from aurist.report.pictures import chart
from aurist.report.templates import template
from aurist.results.tables import confusion, ece, per_class, reliability
from aurist.run import RunFolder, read_data
from aurist.stored import stored

#: Mistakes, rows of a table of broken clips, features.
SHOWN_MISTAKES, SHOWN_BROKEN, SHOWN_FEATURES = 12, 30, 20
#: A matrix of more classes than this cannot be read on a page.
MOST_CONFUSED = 60


def write_report(run: RunFolder, path: Path, *, model: str | None = None, with_sound: bool = True) -> None:
    """Write one HTML file about a run, which needs no other file and no connection.

    Parameters
    ----------
    run
        A finished run.
    path
        The file; replaced as a whole.
    model
        A row of the leaderboard; None: the one that predicts.
    with_sound
        Whether the mistakes can be heard and seen, which makes most of the file.

    Raises
    ------
    ConfigError
        Where the run has no such model.
    RunError
        Where the run is not finished.
    """
    check_output(path)
    # all that is drawn and written here is of the run's own files
    with stored(run.folder, run.remedy):
        text = template("report.html").render(_contents(run, model, with_sound))
    with atomic_path(path) as part:
        part.write_text(text, encoding="utf-8")


def _contents(run: RunFolder, model: str | None, with_sound: bool) -> dict[str, Any]:
    board, scores, data = run.leaderboard(), run.scores(), read_data(run)
    told = gather.told_by(run, data, model)
    broken = gather.left_out(run)
    features = gather.importance(run)
    variants = run.variants()
    return {
        "name": run.folder.resolve().name,
        "made": datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
        "version": metadata.version("aurist"),
        "scores": scores,
        "model": told.model,
        "n_clips": len(data.clips),
        "notes": data.notes,
        "classes": gather.class_counts(data),
        "broken": broken.head(SHOWN_BROKEN).to_dict("records"),
        "n_broken": len(broken),
        "board": board.to_dict("records"),
        "has_networks": bool(board.get("params", pd.Series(dtype=float)).notna().any()),
        "variants": [] if variants is None else variants.to_dict("records"),
        "leaderboard": chart(partial(plot_leaderboard, board)),
        "curves": [
            chart(partial(plot_curves, curve, title=name, metric=scores["metric"]))
            for name, curve in gather.curves(run).items()
        ],
        "features": None
        if features is None
        else chart(partial(plot_importance, features, shown=SHOWN_FEATURES)),
        "mistakes": worst_mistakes(
            told.clips, told.truth, told.proba, told.named, shown=SHOWN_MISTAKES, with_sound=with_sound
        ),
        "settings": gather.settings(run.config()),
        "recipes": [(recipe.name, recipe.to_dict()) for recipe in run.networks()],
        "versions": gather.versions(run),
        **_behaviour(told),
    }


def _behaviour(told: ReportedModel) -> dict[str, Any]:
    """Where the model is right and wrong."""
    several = told.clips.multilabel
    sure = reliability(told.truth, told.proba, multilabel=several)
    table = per_class(told.truth, told.proba, told.clips.classes, multilabel=several, named=told.named)
    matrix = None
    if not several and len(told.clips.classes) <= MOST_CONFUSED:
        matrix = chart(partial(plot_confusion, confusion(told.truth, told.proba), told.clips.classes))
    return {
        "confusion": matrix,
        "per_class": table.to_dict("records"),
        "reliability": chart(partial(plot_reliability, sure)),
        "ece": ece(told.truth, told.proba, multilabel=several),
    }
