"""Precision, recall and false alarms of events at every threshold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from matplotlib.axes import Axes

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
    height = 0.9 + 2.3 * rows
    figure = blank_figure(10.5, height)
    grid = figure.subplots(rows, _COLUMNS, squeeze=False)
    figure.subplots_adjust(
        left=0.06,
        right=0.94,
        top=1 - 0.65 / height,
        bottom=0.55 / height,
        wspace=0.45,
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
        other.plot(
            threshold,
            alarms / hours,
            color=_ALARMS,
            linewidth=1.2,
            linestyle="--",
            label="false alarms an hour (right scale)",
        )
        other.set_yscale("symlog", linthresh=1)  # from hundreds to none
        other.set_ylim(bottom=0)
        plain_axes(other)
        other.tick_params(colors=_ALARMS, labelsize=8)
        _name_axes(axes, other, panel, len(shown))
        axes.set_title(
            short_names([classes[shown[panel]]])[0], fontsize=9, color=INK, loc="left", **text_style()
        )
        if panel == 0:
            lines = [*axes.get_lines(), *other.get_lines()]
            figure.legend(
                handles=lines, ncols=3, fontsize=9, frameon=False, loc="upper center", labelcolor=INK
            )
    save(figure, path)


def _name_axes(axes: Axes, other: Axes, panel: int, n_panels: int) -> None:
    """Name the axes at the edges of the grid: left, right, and below the last panel of each column."""
    style: dict[str, Any] = {"fontsize": 8, "color": MUTED}
    if panel % _COLUMNS == 0:
        axes.set_ylabel("precision, recall", **style)
    if panel % _COLUMNS == _COLUMNS - 1 or panel == n_panels - 1:
        other.set_ylabel("false alarms an hour", **style)
    if panel + _COLUMNS >= n_panels:
        axes.set_xlabel("threshold", **style)
