"""Recordings and tables for tests of annotations."""

from __future__ import annotations

import math
from pathlib import Path

from aurist.annotations import Annotations

RAVEN = "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)"


def recordings(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")


def write(folder: Path, name: str, *lines: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def boxes(annotations: Annotations) -> list[tuple[object, ...]]:
    """Path, start, end, low, high, label, None for what is not known."""
    return [
        (
            box.path,
            *(None if math.isnan(x) else x for x in (box.start, box.end, box.low, box.high)),
            box.label,
        )
        for box in annotations
    ]
