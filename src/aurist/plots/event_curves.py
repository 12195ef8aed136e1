"""Precision, recall and false alarms of events at every threshold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from aurist.errors import DataError
from aurist.plots.figure import (
    ACCENT,
    FAINT,
    INK,
    MUTED,
    blank_figure,
    plain_axes,
    save,
    short_names,
    text_style,
)

#: Panels of a row; the most classes that are drawn.
_COLUMNS, MOST_CLASSES = 3, 30
_ALARMS = "#b4552d"


def plot_event_curves(curve: pd.DataFrame, classes: Sequence[str], hours: float, path: Path) -> None:
    """Draw a panel for each class: precision and recall of events by threshold, and false alarms an hour.

    Parameters
    ----------
    curve
        ``column, threshold, events, right, boxes, alarms``: counts of events at thresholds.
    classes
        The names of the columns; the first `MOST_CLASSES` are drawn.
    hours
        Hours of background with these false alarms.
    path
        The file, PNG or SVG; replaced as a whole.

    Raises
    ------
    DataError
        If there is nothing to draw.
    """
    if curve.empty or hours <= 0:
        raise DataError("There are no curves of events to draw")
    shown = sorted(set(curve["column"]))[:MOST_CLASSES]
    rows = -(-len(shown) // _COLUMNS)
    figure = blank_figure(10.5, 0.7 + 2.3 * rows)
    grid = figure.subplots(rows, _COLUMNS, squeeze=False)
    figure.subplots_adjust(
        left=0.05,
        right=0.94,
        top=1 - 0.45 / (0.7 + 2.3 * rows),
        bottom=0.5 / (0.7 + 2.3 * rows),
        wspace=0.35,
        hspace=0.5,
    )
    for panel, axes in enumerate(grid.ravel()):
        if panel >= len(shown):
            axes.set_visible(False)
            continue
        of_class = curve[curve["column"] == shown[panel]].sort_values("threshold")
        threshold, counts = (
            of_class["threshold"].to_numpy(),
            of_class[["events", "right", "boxes", "alarms"]].to_numpy(float),
        )
        events, right, boxes, alarms = counts.T
        precision = np.divide(right, events, out=np.full(len(right), np.nan), where=events > 0)
        axes.plot(threshold, precision, color=ACCENT, linewidth=1.4, label="precision")
        axes.plot(threshold, right / np.maximum(boxes, 1), color=INK, linewidth=1.4, label="recall")
        axes.set_ylim(-0.02, 1.02)
        axes.set_xlim(0, 1)
        axes.grid(color=FAINT, linewidth=0.8)
        plain_axes(axes)
        other = axes.twinx()
        other.plot(threshold, alarms / hours, color=_ALARMS, linewidth=1.2, linestyle="--")
        other.set_yscale("symlog", linthresh=1)  # from hundreds to none
        other.set_ylim(bottom=0)
        plain_axes(other)
        other.tick_params(colors=_ALARMS, labelsize=8)
        axes.set_title(
            short_names([classes[shown[panel]]])[0], fontsize=9, color=INK, loc="left", **text_style()
        )
    grid[0, 0].legend(fontsize=8, frameon=False, loc="upper right")
    figure.text(
        0.5,
        0.01,
        "Threshold; dashed, right scale: false alarms an hour",
        ha="center",
        fontsize=9,
        color=MUTED,
    )
    save(figure, path)
