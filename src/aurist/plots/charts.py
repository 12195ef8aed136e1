"""The charts: confusion matrix, leaderboard, importance, reliability."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.errors import DataError
from aurist.plots.figure import (
    ACCENT,
    FAINT,
    INK,
    MUTED,
    blank_figure,
    fitting_size,
    need_columns,
    plain_axes,
    put_title,
    save,
    short_names,
    text_style,
    width_of,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plot_confusion(matrix: npt.ArrayLike, classes: Sequence[str], path: Path) -> None:
    """Draw a confusion matrix: counts, coloured by their share of the true class.

    Parameters
    ----------
    matrix
        (n_classes, n_classes), counts: true classes as rows, predicted ones as columns.
    classes
        The names of the rows and columns.
    path
        The PNG file; replaced as a whole.

    Raises
    ------
    DataError
        If the matrix is not square, or the number of names differs.
    """
    from matplotlib.colors import PowerNorm

    counts = np.asarray(matrix)
    n = len(classes)
    if counts.shape != (n, n) or n == 0:
        raise DataError(f"A confusion matrix of {n} classes is ({n}, {n}); this one is {counts.shape}")
    rows = counts.sum(axis=1, keepdims=True)
    share = np.divide(counts, rows, out=np.zeros(counts.shape), where=rows > 0)
    cell = min(0.62 if n <= 12 else 0.42 if n <= 30 else 0.27, 60 / n)  # inches; at most 60 in all
    side = max(cell * n, 1.6)
    size = min(9.0, 30 * side / n)
    names = short_names(classes)
    margin = 0.55 + 0.075 * max(map(width_of, names)) * size / 9
    figure = blank_figure(side + margin + 1.2, side + margin + 1.0)
    width, height = figure.get_size_inches()
    axes = figure.add_axes((margin / width, margin / height, side / width, side / height))
    image = axes.imshow(
        share, cmap="Blues", norm=PowerNorm(0.6, 0, 1), aspect="auto"
    )  # makes rare ones visible
    axes.set_xticks(
        range(n),
        names,
        rotation=0 if max(map(width_of, names)) * 0.09 < cell else 90,
        fontsize=size,
        **text_style(),
    )
    axes.set_yticks(range(n), names, fontsize=size, **text_style())
    axes.set_xlabel("Predicted class", color=MUTED)
    axes.set_ylabel("True class", color=MUTED)
    right = np.trace(counts) / max(counts.sum(), 1)
    put_title(axes, "Confusion matrix", f"{counts.sum():,} clips, {right:.1%} right")
    if cell >= 0.2:
        _write_counts(axes, counts, share, fitting_size(size, cell, counts.max()))
    axes.set_xticks(np.arange(n + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(n + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white" if n > 30 else FAINT, linewidth=0.6)
    axes.tick_params(which="both", length=0)
    bar = figure.add_axes(
        ((margin + side + 0.2) / width, margin / height, 0.14 / width, min(side, 2.4) / height)
    )
    figure.colorbar(image, cax=bar, format=lambda value, _: f"{value:.0%}")
    bar.tick_params(length=0, labelsize=8)
    bar.set_title("of row", fontsize=8, color=MUTED, loc="left")
    for box in (axes, bar):
        box.spines[:].set_visible(False)
    save(figure, path)


def _write_counts(
    axes: Axes, counts: npt.NDArray[np.int64], share: npt.NDArray[np.float64], size: float
) -> None:
    """Write the counts into the cells of a confusion matrix."""
    for row, column in np.argwhere(counts):
        axes.text(
            column,
            row,
            f"{counts[row, column]}",
            ha="center",
            va="center",
            fontsize=size,
            color="white" if share[row, column] > 0.4 else INK,
        )


def plot_leaderboard(leaderboard: pd.DataFrame, path: Path) -> None:
    """Draw a leaderboard: the score of each model with its interval, in the given order, the first one marked.

    Parameters
    ----------
    leaderboard
        With the columns ``model, score, low, high, metric``.
    path
        The PNG file; replaced as a whole.

    Raises
    ------
    DataError
        If a column is missing or there is no row.
    """
    need_columns(leaderboard, ["model", "score", "low", "high", "metric"], "leaderboard")
    table = leaderboard
    figure, axes = _lines(table["model"], table)
    first = table.iloc[0]
    axes.axvspan(first["low"], first["high"], color=ACCENT, alpha=0.08, linewidth=0)
    colors = [ACCENT, *[MUTED] * (len(table) - 1)]
    _whiskers(axes, table["score"], table["low"], table["high"], colors)
    for row, score in enumerate(table["score"]):
        axes.annotate(
            f"{score:.3f}" if np.isfinite(score) else "no score",
            (1, row),
            xycoords=axes.get_yaxis_transform(),
            xytext=(8, 0),
            textcoords="offset points",
            va="center_baseline",
            color=colors[row],
            fontsize=9,
            fontweight="bold" if row == 0 else "normal",
        )
    put_title(axes, "Leaderboard", f"{table['metric'].iloc[0]}, higher is better; lines: intervals by group")
    save(figure, path)


def plot_importance(table: pd.DataFrame, path: Path, *, most: int = 30) -> None:
    """Draw the loss of score if a feature is shuffled, with intervals, most important first.

    Parameters
    ----------
    table
        With the columns ``feature, importance, low, high``.
    path
        The PNG file; replaced as a whole.
    most
        The most features to draw.

    Raises
    ------
    DataError
        If a column is missing or there is no row.
    """
    need_columns(table, ["feature", "importance", "low", "high"], "importance table")
    top = table.sort_values("importance", ascending=False, kind="stable").head(most)
    figure, axes = _lines(top["feature"], top)
    is_clear = (top["low"] > 0) | (top["high"] < 0)
    axes.axvline(0, color=MUTED, linewidth=0.8)
    axes.hlines(range(len(top)), 0, top["importance"], color=FAINT, linewidth=5)
    _whiskers(
        axes, top["importance"], top["low"], top["high"], [ACCENT if clear else MUTED for clear in is_clear]
    )
    of = f"{len(top)} of {len(table)} features" if len(top) < len(table) else f"{len(top)} features"
    put_title(axes, "Permutation importance", f"{of}; loss of score when shuffled; grey: may be nothing")
    save(figure, path)


def plot_reliability(table: pd.DataFrame, path: Path) -> None:
    """Draw the share of right predictions against their probability.

    Parameters
    ----------
    table
        From `aurist.results.tables.reliability`: ``low, high, n, confidence, frequency``.
    path
        The PNG file; replaced as a whole.

    Raises
    ------
    DataError
        If a column is missing or there is no row.
    """
    need_columns(table, ["low", "high", "n", "confidence", "frequency"], "reliability table")
    figure = blank_figure(5.2, 6.4)
    axes = figure.add_axes((0.14, 0.32, 0.8, 0.57))
    filled = table[table["n"] > 0]
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (4, 4)))
    axes.vlines(
        filled["confidence"], filled["confidence"], filled["frequency"], color=ACCENT, alpha=0.35, linewidth=3
    )
    axes.plot(
        filled["confidence"], filled["frequency"], color=ACCENT, marker="o", markersize=6, clip_on=False
    )
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.set_ylabel("Share that was right", color=MUTED)
    total = int(filled["n"].sum())
    error = (
        np.average((filled["confidence"] - filled["frequency"]).abs(), weights=filled["n"])
        if total
        else np.nan
    )
    put_title(axes, "Reliability", f"{total:,} decisions, expected calibration error {error:.3f}")
    below = figure.add_axes((0.14, 0.09, 0.8, 0.17), sharex=axes)
    width = table["high"] - table["low"]
    below.bar(table["low"] + width / 2, table["n"], width * 0.92, color=ACCENT, alpha=0.5)
    below.set_xlabel("Probability given", color=MUTED)
    below.set_ylabel("Decisions", color=MUTED)
    below.locator_params(axis="y", nbins=3)
    for box in (axes, below):
        plain_axes(box)
        box.grid(axis="y", color=FAINT, linewidth=0.8)
        box.set_axisbelow(True)
    axes.tick_params(labelbottom=False)
    save(figure, path)


def _lines(names: Iterable[object], table: pd.DataFrame) -> tuple[Figure, Axes]:
    """Make axes with one named line per row of the table, the first on top."""
    labels = short_names(names)
    margin = 0.35 + 0.078 * max(map(width_of, labels))  # inches
    height = 0.28 * len(table) + 1.35
    figure = blank_figure(margin + 5.4, height)
    width = margin + 5.4
    axes = figure.add_axes((margin / width, 0.5 / height, 4.7 / width, 1 - 1.3 / height))
    axes.set_yticks(range(len(table)), labels, **text_style())
    axes.set_ylim(len(table) - 0.4, -0.6)
    axes.grid(axis="x", color=FAINT, linewidth=0.8)
    axes.set_axisbelow(True)
    plain_axes(axes)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    return figure, axes


def _whiskers(
    axes: Axes, middle: pd.Series[Any], low: pd.Series[Any], high: pd.Series[Any], colors: Sequence[str]
) -> None:
    positions = np.arange(len(middle))
    axes.hlines(positions, low, high, color=colors, linewidth=1.8, alpha=0.75)
    axes.scatter(middle, positions, color=colors, s=34, zorder=3, edgecolor="white", linewidth=0.8)
