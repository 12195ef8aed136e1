"""The page of a map of windows: a picture to point at, and sounds of each group to hear."""

from __future__ import annotations

import colorsys
from pathlib import Path
from typing import Any

from aurist.errors import DataError
from aurist.files import write_text
from aurist.report.pictures import read_for_page, sound, spectrogram
from aurist.report.templates import template
from aurist.search import SoundMap, WindowIndex


def write_map(path: Path, index: WindowIndex, made: SoundMap, *, examples: int = 3) -> None:
    """Write a map as one page that needs no connection.

    Parameters
    ----------
    path
        The page.
    index
        The index.
    made
        Its map.
    examples
        Sounds of each group in the page; those of moved recordings are left out.
    """
    colours = [_colour(number, len(made.examples)) for number in range(len(made.examples))]
    numbers: dict[int, int] = {}
    groups = []
    for members, colour in zip(made.examples, colours, strict=True):
        shown = [
            one for position in members[: 3 * examples] if (one := _example(index, made, position, numbers))
        ]
        for extra in shown[examples:]:
            numbers = {position: number for position, number in numbers.items() if number != extra["number"]}
        share = f"{len(members) / len(made.rows):.0%}"
        groups.append({"size": len(members), "share": share, "colour": colour, "examples": shown[:examples]})
    points = [
        {
            "x": round(100 * float(x), 2),
            "y": round(100 * float(1 - y), 2),
            "colour": colours[cluster],
            "cluster": int(cluster),
            "example": numbers.get(position),
            "title": _title(index, int(made.rows[position])),
        }
        for position, ((x, y), cluster) in enumerate(zip(made.places, made.cluster, strict=True))
    ]
    spec = index.settings.embedder.embedder
    page = template("map.html").render(
        name=index.folder.resolve().name,
        embedder=spec.name,
        seconds=f"{spec.seconds:g}",
        n_windows=f"{len(index):,}",
        n_recordings=f"{len(index.recordings):,}",
        points=points,
        groups=groups,
    )
    write_text(path, page)


def _example(
    index: WindowIndex, made: SoundMap, position: int, numbers: dict[int, int]
) -> dict[str, Any] | None:
    """Read a window for the page, and number it; None if its recording was moved."""
    row = int(made.rows[position])
    start = float(index.windows["start"][row])
    recording = index.recordings[int(index.windows["recording"][row])]
    try:
        clip = read_for_page(
            recording.file, start=start, end=start + index.settings.embedder.embedder.seconds
        )
    except (DataError, OSError):
        return None
    numbers[position] = len(numbers)
    return {
        "number": numbers[position],
        "title": _title(index, row),
        "picture": spectrogram(clip),
        "sound": sound(clip),
    }


def _title(index: WindowIndex, row: int) -> str:
    recording = index.recordings[int(index.windows["recording"][row])]
    return f"{recording.name}, {float(index.windows['start'][row]):.1f} s"


def _colour(number: int, n: int) -> str:
    red, green, blue = colorsys.hls_to_rgb(number / n, 0.42 + 0.12 * (number % 2), 0.6)
    return f"#{round(255 * red):02x}{round(255 * green):02x}{round(255 * blue):02x}"
