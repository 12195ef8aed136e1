"""Pictures of the results, as PNG files: confusion matrix, leaderboard, importance, reliability."""

from __future__ import annotations

import logging
import unicodedata
import warnings
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.errors import DataError
from aurist.files import atomic_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_log = logging.getLogger(__name__)

_INK, _MUTED, _FAINT, _ACCENT = "#22303c", "#6b7884", "#dde3e8", "#1f6f9f"
_DPI = 150
_LONGEST = 34  # characters of a name that are shown

#: Fonts that hold the scripts DejaVu Sans lacks, Hangul first; on Linux, Windows and macOS.
_FALLBACKS = (
    *("Noto Sans CJK KR", "Noto Sans KR", "NanumGothic", "Malgun Gothic", "Apple SD Gothic Neo"),
    *("Noto Sans CJK JP", "Yu Gothic", "Hiragino Sans", "Noto Sans CJK SC", "Microsoft YaHei"),
    *("Noto Sans Thai", "Noto Sans Devanagari", "Arial Unicode MS"),
)


def plot_confusion(matrix: npt.ArrayLike, classes: Sequence[str], path: Path) -> None:
    """Draw a confusion matrix: counts, coloured by their share of the true class.

    Parameters
    ----------
    matrix
        (n_classes, n_classes), counts: the true classes down, the decided ones across.
    classes
        The names of the rows and columns.
    path
        The PNG file; replaced as a whole.

    Raises
    ------
    DataError
        Where the matrix is not square or the names are not as many.
    """
    from matplotlib.colors import PowerNorm

    counts = np.asarray(matrix)
    n = len(classes)
    if counts.shape != (n, n) or n == 0:
        raise DataError(f"A confusion matrix of {n} classes is ({n}, {n}); this one is {counts.shape}")
    rows = counts.sum(axis=1, keepdims=True)
    share = np.divide(counts, rows, out=np.zeros(counts.shape), where=rows > 0)
    cell = min(0.62 if n <= 12 else 0.42 if n <= 30 else 0.27, 60 / n)  # inches; 60 in all at most
    side = max(cell * n, 1.6)
    size = min(9.0, 30 * side / n)
    names = _names(classes)
    margin = 0.55 + 0.075 * max(map(_width, names)) * size / 9
    figure = _figure(side + margin + 1.2, side + margin + 1.0)
    width, height = figure.get_size_inches()
    axes = figure.add_axes((margin / width, margin / height, side / width, side / height))
    image = axes.imshow(share, cmap="Blues", norm=PowerNorm(0.6, 0, 1), aspect="auto")  # shows the rare
    axes.set_xticks(
        range(n), names, rotation=0 if max(map(_width, names)) * 0.09 < cell else 90, fontsize=size, **_text()
    )
    axes.set_yticks(range(n), names, fontsize=size, **_text())
    axes.set_xlabel("Predicted class", color=_MUTED)
    axes.set_ylabel("True class", color=_MUTED)
    right = np.trace(counts) / max(counts.sum(), 1)
    _title(axes, "Confusion matrix", f"{counts.sum():,} clips, {right:.1%} right")
    if cell >= 0.2:
        for row, column in np.argwhere(counts):
            axes.text(
                column,
                row,
                f"{counts[row, column]}",
                ha="center",
                va="center",
                fontsize=_fitting(size, cell, counts.max()),
                color="white" if share[row, column] > 0.4 else _INK,
            )
    axes.set_xticks(np.arange(n + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(n + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white" if n > 30 else _FAINT, linewidth=0.6)
    axes.tick_params(which="both", length=0)
    bar = figure.add_axes(
        ((margin + side + 0.2) / width, margin / height, 0.14 / width, min(side, 2.4) / height)
    )
    figure.colorbar(image, cax=bar, format=lambda value, _: f"{value:.0%}")
    bar.tick_params(length=0, labelsize=8)
    bar.set_title("of row", fontsize=8, color=_MUTED, loc="left")
    for box in (axes, bar):
        box.spines[:].set_visible(False)
    _save(figure, path)


def plot_leaderboard(leaderboard: pd.DataFrame, path: Path) -> None:
    """Draw a leaderboard: the score of each model with its interval, best first.

    Parameters
    ----------
    leaderboard
        With the columns ``model, score, low, high, metric``.
    path
        The PNG file; replaced as a whole.

    Raises
    ------
    DataError
        Where a column is missing or there is no row.
    """
    _need(leaderboard, ["model", "score", "low", "high", "metric"], "leaderboard")
    table = leaderboard.sort_values("score", ascending=False, kind="stable")
    figure, axes = _lines(table["model"], table)
    best = table.iloc[0]
    axes.axvspan(best["low"], best["high"], color=_ACCENT, alpha=0.08, linewidth=0)
    colors = [_ACCENT, *[_MUTED] * (len(table) - 1)]
    _whiskers(axes, table["score"], table["low"], table["high"], colors)
    for place, score in enumerate(table["score"]):
        axes.annotate(
            f"{score:.3f}" if np.isfinite(score) else "no score",
            (1, place),
            xycoords=axes.get_yaxis_transform(),
            xytext=(8, 0),
            textcoords="offset points",
            va="center_baseline",
            color=colors[place],
            fontsize=9,
            fontweight="bold" if place == 0 else "normal",
        )
    _title(axes, "Leaderboard", f"{table['metric'].iloc[0]}, higher is better; lines: intervals by group")
    _save(figure, path)


def plot_importance(table: pd.DataFrame, path: Path, *, shown: int = 30) -> None:
    """Draw how much the score falls when a feature is shuffled, with intervals, most important first.

    Parameters
    ----------
    table
        With the columns ``feature, importance, low, high``.
    path
        The PNG file; replaced as a whole.
    shown
        How many features at most.

    Raises
    ------
    DataError
        Where a column is missing or there is no row.
    """
    _need(table, ["feature", "importance", "low", "high"], "importance table")
    top = table.sort_values("importance", ascending=False, kind="stable").head(shown)
    figure, axes = _lines(top["feature"], top)
    sure = (top["low"] > 0) | (top["high"] < 0)
    axes.axvline(0, color=_MUTED, linewidth=0.8)
    axes.hlines(range(len(top)), 0, top["importance"], color=_FAINT, linewidth=5)
    _whiskers(axes, top["importance"], top["low"], top["high"], [_ACCENT if one else _MUTED for one in sure])
    of = f"{len(top)} of {len(table)} features" if len(top) < len(table) else f"{len(top)} features"
    _title(axes, "Permutation importance", f"{of}; loss of score when shuffled; grey: may be nothing")
    _save(figure, path)


def plot_reliability(table: pd.DataFrame, path: Path) -> None:
    """Draw how often the model is right against how sure it is.

    Parameters
    ----------
    table
        As `aurist.evaluate.reliability` makes it: ``low, high, n, confidence, frequency``.
    path
        The PNG file; replaced as a whole.

    Raises
    ------
    DataError
        Where a column is missing or there is no row.
    """
    _need(table, ["low", "high", "n", "confidence", "frequency"], "reliability table")
    figure = _figure(5.2, 6.4)
    axes = figure.add_axes((0.14, 0.32, 0.8, 0.57))
    held = table[table["n"] > 0]
    axes.plot([0, 1], [0, 1], color=_MUTED, linewidth=1, linestyle=(0, (4, 4)))
    axes.vlines(
        held["confidence"], held["confidence"], held["frequency"], color=_ACCENT, alpha=0.35, linewidth=3
    )
    axes.plot(held["confidence"], held["frequency"], color=_ACCENT, marker="o", markersize=6, clip_on=False)
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.set_ylabel("Share that was right", color=_MUTED)
    total = int(held["n"].sum())
    error = np.average((held["confidence"] - held["frequency"]).abs(), weights=held["n"]) if total else np.nan
    _title(axes, "Reliability", f"{total:,} decisions, expected calibration error {error:.3f}")
    below = figure.add_axes((0.14, 0.09, 0.8, 0.17), sharex=axes)
    width = table["high"] - table["low"]
    below.bar(table["low"] + width / 2, table["n"], width * 0.92, color=_ACCENT, alpha=0.5)
    below.set_xlabel("Probability given", color=_MUTED)
    below.set_ylabel("Decisions", color=_MUTED)
    below.locator_params(axis="y", nbins=3)
    for box in (axes, below):
        _plain(box)
        box.grid(axis="y", color=_FAINT, linewidth=0.8)
        box.set_axisbelow(True)
    axes.tick_params(labelbottom=False)
    _save(figure, path)


def _lines(names: Iterable[object], table: pd.DataFrame) -> tuple[Figure, Axes]:
    """Axes with one named line a row of the table, the first on top."""
    shown = _names(names)
    margin = 0.35 + 0.078 * max(map(_width, shown))  # inches
    height = 0.28 * len(table) + 1.35
    figure = _figure(margin + 5.4, height)
    width = margin + 5.4
    axes = figure.add_axes((margin / width, 0.5 / height, 4.7 / width, 1 - 1.3 / height))
    axes.set_yticks(range(len(table)), shown, **_text())
    axes.set_ylim(len(table) - 0.4, -0.6)
    axes.grid(axis="x", color=_FAINT, linewidth=0.8)
    axes.set_axisbelow(True)
    _plain(axes)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    return figure, axes


def _whiskers(
    axes: Axes, middle: pd.Series[Any], low: pd.Series[Any], high: pd.Series[Any], colors: Sequence[str]
) -> None:
    places = np.arange(len(middle))
    axes.hlines(places, low, high, color=colors, linewidth=1.8, alpha=0.75)
    axes.scatter(middle, places, color=colors, s=34, zorder=3, edgecolor="white", linewidth=0.8)


def _figure(width: float, height: float) -> Figure:
    # a Figure of its own, not pyplot's: no global state, no display
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def _title(axes: Axes, title: str, detail: str) -> None:
    heading: dict[str, Any] = {"fontsize": 12, "fontweight": "bold", "color": _INK}
    for text, up, style in ((title, 24, heading), (detail, 9, {"fontsize": 9, "color": _MUTED})):
        axes.annotate(
            text, (0, 1), xycoords="axes fraction", xytext=(0, up), textcoords="offset points", **style
        )


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(_FAINT)
    axes.tick_params(colors=_INK, length=0, labelsize=9)


def _fitting(size: float, cell: float, largest: int) -> float:
    """Points, so that the widest count fits in a cell of this many inches."""
    return min(size, cell * 72 * 0.85 / (0.62 * max(len(str(largest)), 1)))


def _names(names: Iterable[object]) -> list[str]:
    """On one line each, and not too long."""
    lines = [" ".join(str(name).split()) for name in names]
    return [line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…" for line in lines]


def _width(name: str) -> int:
    """In columns: a Hangul, Han or Kana letter takes two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in name)


def _text() -> dict[str, Any]:
    """How a user's own words are set: a ``$`` is no formula, and any script finds a font if there is one."""
    return {"parse_math": False, "fontfamily": _fonts()}


@cache
def _fonts() -> tuple[str, ...]:
    from matplotlib import font_manager

    installed = set(font_manager.get_font_names())
    return ("DejaVu Sans", *(name for name in _FALLBACKS if name in installed))


def _save(figure: Figure, path: Path) -> None:
    with warnings.catch_warnings(record=True) as caught, atomic_path(path) as part:
        warnings.simplefilter("always")
        figure.savefig(part, format="png", dpi=_DPI, metadata={"Software": None})
    if any("missing from font" in str(warning.message) for warning in caught):
        _log.warning(
            "%s: no installed font has all the letters of the names, so that some are shown as boxes. "
            "Install one that does, such as Noto Sans CJK (package fonts-noto-cjk).",
            path,
        )


def _need(table: pd.DataFrame, columns: Sequence[str], what: str) -> None:
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise DataError(
            f"The {what} lacks the columns {', '.join(missing)}; it has {', '.join(table.columns)}"
        )
    if table.empty:
        raise DataError(f"The {what} has no rows: there is nothing to draw")
