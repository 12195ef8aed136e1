"""Learning curves of networks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from aurist.errors import DataError
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
