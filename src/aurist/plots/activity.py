"""The chart of activity: events per hour of each class, by day and hour of the day."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from aurist.errors import plural
from aurist.plots.figure import FAINT, MUTED, blank_figure, need_columns, save, short_names, text_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Classes in one chart, and the charts in a row of it.
_MOST, _COLUMNS = 24, 3
_MOST_DATES = 8
_WIDE, _GAP, _LEFT, _TOP, _FOOT = 3.2, 0.75, 0.95, 0.4, 0.25


def plot_activity(hours: pd.DataFrame, path: Path) -> None:
    """Draw the events per hour that was listened to: a panel for each class, days down, hours of the day across.

    Hours that were not listened to are grey. Classes with the most events come first; at most 24 are drawn.

    Parameters
    ----------
    hours
        With the columns ``label, day, hour, events, minutes``.
    path
        The PNG file; replaced as a whole.

    Raises
    ------
    DataError
        If a column is missing or there is no row.
    """
    need_columns(hours, ["label", "day", "hour", "events", "minutes"], "table of activity")
    labels = hours.groupby("label")["events"].sum().sort_values(ascending=False, kind="stable").index[:_MOST]
    days = pd.date_range(hours["day"].min(), hours["day"].max()).strftime("%Y-%m-%d").tolist()
    tall = min(4.0, max(0.5, 0.22 * len(days)))
    columns = min(_COLUMNS, len(labels))
    rows = math.ceil(len(labels) / columns)
    figure = blank_figure(_LEFT + columns * (_WIDE + _GAP) + 0.3, _TOP + rows * (tall + _GAP) + _FOOT)
    width, height = figure.get_size_inches()
    for number, label in enumerate(labels):
        row, column = divmod(number, columns)
        left = _LEFT + column * (_WIDE + _GAP)
        bottom = height - _TOP - (row + 1) * tall - row * _GAP
        axes = figure.add_axes((left / width, bottom / height, _WIDE / width, tall / height))
        of_label = hours[hours["label"] == label]
        _panel(
            axes, _grid(of_label, days), days, str(label), int(of_label["events"].sum()), dates=column == 0
        )
    figure.text(
        _LEFT / width,
        _FOOT / 2 / height,
        "hours of the day; the darker, the more events per hour of listening; pale yellow: none; grey: not listened to",
        fontsize=8,
        color=MUTED,
    )
    save(figure, path)


def _grid(
    of_label: pd.DataFrame, days: list[str]
) -> np.ma.MaskedArray[tuple[int, int], np.dtype[np.float64]]:
    """Return events per hour, (n_days, 24); hours that were not listened to are masked."""
    events, minutes = np.zeros((len(days), 24)), np.zeros((len(days), 24))
    position = pd.Index(days).get_indexer(pd.Index(of_label["day"])), of_label["hour"].to_numpy(dtype=int)
    np.add.at(events, position, of_label["events"].to_numpy(dtype=float))
    np.add.at(minutes, position, of_label["minutes"].to_numpy(dtype=float))
    return np.ma.masked_array(events * 60 / np.maximum(minutes, 1e-9), mask=minutes <= 0)


def _panel(
    axes: Axes,
    grid: np.ma.MaskedArray[tuple[int, int], np.dtype[np.float64]],
    days: list[str],
    label: str,
    events: int,
    *,
    dates: bool,
) -> None:
    highest = float(grid.max()) if grid.count() else 0.0
    axes.set_facecolor(FAINT)
    axes.imshow(
        grid, cmap="YlGnBu", vmin=0, vmax=max(highest, 1e-9), aspect="auto", extent=(0, 24, len(days), 0)
    )
    axes.set_title(short_names([label])[0], fontsize=10, loc="left", **text_style())
    axes.set_title(f"{plural(events, 'event')}, up to {highest:.3g}/h", fontsize=8, color=MUTED, loc="right")
    axes.set_xticks(range(0, 25, 6), [f"{hour:02}:00" for hour in range(0, 25, 6)], fontsize=8, color=MUTED)
    step = math.ceil(len(days) / _MOST_DATES)
    marked = range(0, len(days), step)
    axes.set_yticks(
        [day + 0.5 for day in marked], [days[day] for day in marked] if dates else [], fontsize=8, color=MUTED
    )
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
