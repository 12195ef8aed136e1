"""Learning curves: of networks by epoch, and by the number of clips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from aurist.errors import DataError
from aurist.metrics import Interval
from aurist.plots.figure import ACCENT, FAINT, MUTED, blank_figure, plain_axes, put_title, save, text_style


def plot_curves(curves: Mapping[str, pd.DataFrame], path: Path, *, title: str, metric: str) -> None:
    """Draw the loss and the score on the validation part by epoch, a thin line for each training.

    Parameters
    ----------
    curves
        ``epoch, loss, score`` by the name of a training; a score that is never a number is not drawn.
    path
        The file, PNG or SVG; replaced as a whole.
    title
        The network's name.
    metric
        The name of the score.

    Raises
    ------
    DataError
        If there is nothing to draw.
    """
    if not curves:
        raise DataError("There are no learning curves to draw")
    scored = any(curve["score"].notna().any() for curve in curves.values())
    figure = blank_figure(8.6 if scored else 4.6, 3.4)
    panels = [("loss", "Loss of the training clips")]
    if scored:
        panels.append(("score", f"{metric} on the validation part"))
    for column_index, (column, label) in enumerate(panels):
        width = 1 / len(panels)
        axes = figure.add_axes((column_index * width + 0.11 * width + 0.02, 0.16, 0.8 * width, 0.58))
        for curve in curves.values():
            axes.plot(curve["epoch"] + 1, curve[column], color=ACCENT, linewidth=1.2, alpha=0.6)
        axes.set_xlabel("Epoch", color=MUTED)
        axes.grid(color=FAINT, linewidth=0.8)
        axes.set_axisbelow(True)
        plain_axes(axes)
        if column_index == 0:
            put_title(axes, title, label)
            axes.texts[0].set(**text_style())
        else:
            put_title(axes, "", label)
    save(figure, path)


def plot_data_curve(
    clips: Sequence[int],
    scores: Sequence[Interval],
    path: Path,
    *,
    metric: str,
    doubled: Interval | None = None,
) -> None:
    """Draw the score by the number of clips to learn from, with intervals; twice the clips are extrapolated.

    Parameters
    ----------
    clips, scores
        The measured points.
    path
        The file, PNG or SVG; replaced as a whole.
    metric
        The name of the score.
    doubled
        The score that is expected with twice the clips; None: it is not drawn.

    Raises
    ------
    DataError
        If there is nothing to draw.
    """
    if not clips:
        raise DataError("There is no curve to draw")
    figure = blank_figure(6.2, 3.6)
    axes = figure.add_axes((0.12, 0.16, 0.84, 0.62))
    axes.plot(clips, [one.score for one in scores], color=ACCENT, marker="o", linewidth=1.6, zorder=3)
    axes.vlines(clips, [one.low for one in scores], [one.high for one in scores], color=ACCENT, alpha=0.5)
    ticks = list(clips)
    if doubled is not None:
        ticks.append(2 * clips[-1])
        axes.plot(ticks[-2:], [scores[-1].score, doubled.score], color=MUTED, linestyle=(0, (4, 4)))
        axes.plot(ticks[-1:], [doubled.score], color=MUTED, marker="o", markerfacecolor="white")
        axes.vlines(ticks[-1:], doubled.low, doubled.high, color=MUTED, alpha=0.6, linestyle=(0, (2, 2)))
    axes.set_xscale("log")
    axes.set_xticks(ticks, [f"{n:,}" for n in ticks])
    axes.set_xticks([], minor=True)
    axes.set_xlabel("Clips to learn from", color=MUTED)
    axes.grid(color=FAINT, linewidth=0.8)
    axes.set_axisbelow(True)
    plain_axes(axes)
    detail = f"{metric} of a forest, out of fold" + ("; dashed: extrapolated" if doubled is not None else "")
    put_title(axes, "More clips", detail)
    save(figure, path)
