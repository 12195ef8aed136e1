"""Write Raven's selection tables (Cornell Lab of Ornithology), of one or several recordings."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from aurist.annotations.raven import HEADER
from aurist.annotations.table import Annotations
from aurist.files import atomic_path

#: Characters in the name of a recording that would end a cell or a line.
_BREAKS = re.compile(r"[\t\r\n]")
#: The column of clock times.
_CLOCK = "Begin Date Time"


@dataclass(frozen=True)
class RecordingFacts:
    """Properties of a recording for tables of other programs.

    Parameters
    ----------
    file
        The recording, by the path that Raven shall open.
    seconds
        Its length.
    nyquist
        Half of its sample rate, in Hz; NaN: unknown.
    channel
        The channel of the annotations, counted from 1.
    began
        The clock time at its start; None: unknown.
    """

    file: Path
    seconds: float
    nyquist: float
    channel: int = 1
    began: datetime | None = None

    def clock(self, second: float) -> str:
        """Return the clock time of a second of the recording, empty if it is unknown.

        Examples
        --------
        >>> RecordingFacts(Path("a.wav"), 60.0, 8000.0, began=datetime(2023, 6, 1, 23, 59, 30)).clock(31.5)
        '2023-06-02T00:00:01.500'
        """
        if self.began is None:
            return ""
        return (self.began + timedelta(seconds=second)).isoformat(timespec="milliseconds")


def write_raven(
    annotations: Annotations, path: Path, *, facts: Mapping[str, RecordingFacts] | None = None
) -> None:
    """Write a selection table of one or several recordings, for Raven Pro and Raven Lite.

    Parameters
    ----------
    annotations
        The annotations.
    path
        The file; it is replaced as a whole.
    facts
        Properties by recording. With them, times of several recordings count in sequence, as in Raven when it opens the
        recordings one after another, and boxes without a band get the whole band, as Raven needs one. Without them
        every recording begins at 0, and unknown bands are empty.
    """
    facts = facts or {}
    before = _sequence(annotations, facts)
    dated = any(recording.began is not None for recording in facts.values())
    lines = ["\t".join([*HEADER, _CLOCK] if dated else HEADER)]
    for number, annotation in enumerate(annotations, start=1):
        recording = facts.get(annotation.path, RecordingFacts(Path(annotation.path), 0.0, math.nan))
        shift = before.get(annotation.path, 0.0)
        times = [f"{shift + annotation.start:.6f}", f"{shift + annotation.end:.6f}"]
        low = 0.0 if math.isnan(annotation.low) and not math.isnan(recording.nyquist) else annotation.low
        high = recording.nyquist if math.isnan(annotation.high) else annotation.high
        bounds = ["" if math.isnan(value) else f"{value:.3f}" for value in (low, high)]
        file = recording.file
        source = [*(_BREAKS.sub(" ", name) for name in (str(file), file.name)), f"{annotation.start:.6f}"]
        score = "" if math.isnan(annotation.score) else f"{annotation.score:.6f}"
        label = " ".join(annotation.label.split())
        cells = [str(number), "Spectrogram 1", str(recording.channel), *times, *bounds, *source, label, score]
        if dated:
            cells.append(recording.clock(annotation.start).replace("T", " "))
        lines.append("\t".join(cells))
    with atomic_path(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _sequence(annotations: Annotations, facts: Mapping[str, RecordingFacts]) -> dict[str, float]:
    """Return the seconds before each recording if they are opened one after another."""
    before, total = {}, 0.0
    for path in annotations.recordings:
        before[path] = total
        total += facts[path].seconds if path in facts else 0.0
    return before
