"""Shared by the charts: colours, text in any script, the figure and its file."""

from __future__ import annotations

import logging
import unicodedata
import warnings
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from aurist.errors import DataError
from aurist.extras import has_extra, need_extra, pip_line
from aurist.files import atomic_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_log = logging.getLogger(__name__)

INK, MUTED, FAINT, ACCENT = "#22303c", "#6b7884", "#dde3e8", "#1f6f9f"
_DPI = 150
_LONGEST = 34  # the most characters of a name

#: Fonts with the scripts that DejaVu Sans lacks, Hangul first; on Linux, Windows and macOS.
_FALLBACKS = (
    *("Noto Sans CJK KR", "Noto Sans KR", "NanumGothic", "Malgun Gothic", "Apple SD Gothic Neo"),
    *("Noto Sans CJK JP", "Yu Gothic", "Hiragino Sans", "Noto Sans CJK SC", "Microsoft YaHei"),
    *("Noto Sans Thai", "Noto Sans Devanagari", "Arial Unicode MS"),
)


def can_draw(name: str) -> bool:
    """Return True if matplotlib is installed; else log a note that a picture is left out."""
    if not has_extra("plots"):
        _log.warning("%s is left out: pictures need matplotlib (%s)", name, pip_line("plots"))
    return has_extra("plots")


def blank_figure(width: float, height: float) -> Figure:
    """Make an empty figure of this size in inches."""
    need_extra("plots", "A chart")
    # not a figure of pyplot: no global state, no display
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def put_title(axes: Axes, title: str, detail: str) -> None:
    """Add a title, and a line of detail below it."""
    heading: dict[str, Any] = {"fontsize": 12, "fontweight": "bold", "color": INK}
    for text, up, style in ((title, 24, heading), (detail, 9, {"fontsize": 9, "color": MUTED})):
        axes.annotate(
            text, (0, 1), xycoords="axes fraction", xytext=(0, up), textcoords="offset points", **style
        )


def plain_axes(axes: Axes) -> None:
    """Remove the frame of axes at the top and on the right."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(FAINT)
    axes.tick_params(colors=INK, length=0, labelsize=9)


def fitting_size(size: float, cell: float, largest: int) -> float:
    """Return a font size in points with which the largest count fits in a cell of this many inches."""
    return min(size, cell * 72 * 0.85 / (0.62 * max(len(str(largest)), 1)))


def short_names(names: Iterable[object]) -> list[str]:
    """Put each name on one line, and shorten long ones."""
    lines = [" ".join(str(name).split()) for name in names]
    return [line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…" for line in lines]


def width_of(name: str) -> int:
    """Return the width in columns: a Hangul, Han or Kana letter takes two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in name)


def text_style() -> dict[str, Any]:
    """Return the style of a user's text: a ``$`` is no formula, and every script gets a font if there is one."""
    return {"parse_math": False, "fontfamily": _fonts()}


@cache
def _fonts() -> tuple[str, ...]:
    from matplotlib import font_manager

    installed = set(font_manager.get_font_names())
    return ("DejaVu Sans", *(name for name in _FALLBACKS if name in installed))


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, or as SVG if the path ends so. Warn once if letters have no font."""
    kind = "svg" if path.suffix == ".svg" else "png"
    unnamed: dict[str, Any] = {"Date": None} if kind == "svg" else {"Software": None}
    with warnings.catch_warnings(record=True) as caught, atomic_path(path) as part:
        warnings.simplefilter("always")
        figure.savefig(part, format=kind, dpi=_DPI, metadata=unnamed)
    if any("missing from font" in str(warning.message) for warning in caught):
        _log.warning(
            "%s: no installed font has all the letters of the names, so some are shown as boxes. "
            "Install one that does, such as Noto Sans CJK (package fonts-noto-cjk).",
            path,
        )


def need_columns(table: pd.DataFrame, columns: Sequence[str], what: str) -> None:
    """Raise DataError if columns are missing or there is no row."""
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise DataError(
            f"The {what} lacks the columns {', '.join(missing)}; it has {', '.join(table.columns)}"
        )
    if table.empty:
        raise DataError(f"The {what} has no rows: there is nothing to draw")
