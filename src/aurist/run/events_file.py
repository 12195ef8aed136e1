"""``events.json`` and ``event_curve.csv``: scores of events, out of fold, and their counts at every threshold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pandas as pd

from aurist.config import duration
from aurist.files import atomic_path
from aurist.metrics import Interval
from aurist.records import OPTIONAL, read_record, write_record
from aurist.stored import read_frame

#: What the times of events are made of.
TimesOf = Literal["windows", "frames", "sound"]
#: How sentences name what the times of events are made of.
_MADE_OF = {"windows": "", "frames": ", cut by frames", "sound": ", trimmed to the sound of the class"}
NAME, CURVE = "events.json", "event_curve.csv"
_CURVE = {
    "column": "i",
    "threshold": "f",
    "events": "i",
    "right": "i",
    "touching": "i",
    "boxes": "i",
    "alarms": "i",
}


@dataclass(frozen=True)
class FrameScores:
    """F1 of events cut by the frames of networks, and of events of whole windows.

    Parameters
    ----------
    windows, frames
        Both F1.
    gain
        Frames minus windows, on the same resamples of the groups.
    """

    windows: float
    frames: float
    gain: Interval

    @property
    def are_better(self) -> bool:
        """True if frames surely time events better than windows."""
        return self.gain.low > 0


@dataclass(frozen=True)
class SoundScores:
    """F1 of events of whole windows, and of the same events trimmed to the sound of their class.

    Parameters
    ----------
    windows, sound
        Both F1.
    gain
        Trimmed minus whole, on the same resamples of the groups.
    """

    windows: float
    sound: float
    gain: Interval

    @property
    def is_better(self) -> bool:
        """True if trimmed events surely have better times."""
        return self.gain.low > 0


def better_times(frames: FrameScores | None, sound: SoundScores | None) -> TimesOf:
    """Choose what tells times: what surely is better than windows, and of two such the one with the higher F1."""
    by_frames = frames is not None and frames.are_better
    by_sound = sound is not None and sound.is_better
    if by_frames and by_sound:
        assert frames is not None and sound is not None
        return "frames" if frames.frames >= sound.sound else "sound"
    return "frames" if by_frames else "sound" if by_sound else "windows"


@dataclass(frozen=True, kw_only=True)
class EventScores:
    """Scores of the ensemble's events in the annotated recordings, out of fold, by thresholds of the other folds.

    Parameters
    ----------
    window, hop
        Seconds of a window, and to the next one (the median).
    precision, recall
        By events whose intersection over union with a box of their class is at least 0.3.
    touching, touched
        The share of events that touch a box of their class; of boxes that an event touches.
    false_alarms
        Events that touch no box of any class, per hour of background.
    hours
        Hours of background: annotated sound that no box covers.
    events, boxes
        Their numbers.
    frames
        By row of the leaderboard with networks that score frames, what cuts events better.
    sound
        If events of the ensemble's windows are better trimmed to the sound of their class.
    times
        What the times of these events are made of, as those in new recordings are: windows, frames, or sound.
    """

    window: float
    hop: float
    precision: Interval
    recall: Interval
    touching: Interval
    touched: Interval
    false_alarms: Interval
    hours: float
    events: int
    boxes: int
    frames: Mapping[str, FrameScores] = field(default_factory=dict, metadata=OPTIONAL)
    sound: SoundScores | None = field(default=None, metadata=OPTIONAL)
    times: TimesOf = field(default="windows", metadata=OPTIONAL)

    def sentence(self) -> str:
        """State the scores for people."""
        return (
            f"Events, out of fold: {self.touching.score:.0%} of {self.events:,} events (made of windows of "
            f"{self.window:g} s{_MADE_OF[self.times]}) touch a call of their class, and {self.touched.score:.0%} of "
            f"{self.boxes:,} calls are touched. With an intersection over union of at least 0.3, precision is "
            f"{_shown(self.precision)} and recall {_shown(self.recall)}. False alarms in "
            f"{duration(3600 * self.hours)} of background: {_shown(self.false_alarms, 1)} an hour, all classes "
            "together."
        )


def _shown(score: Interval, digits: int = 2) -> str:
    bounds = f" [{score.low:.{digits}f}, {score.high:.{digits}f}]" if score.low == score.low else ""
    return f"{score.score:.{digits}f}{bounds}"


def write_events(folder: Path, scores: EventScores, curve: pd.DataFrame) -> None:
    """Write the scores of events of a run."""
    with atomic_path(folder / CURVE) as part:
        curve.to_csv(part, index=False, float_format="%.6g")
    write_record(folder / NAME, scores)


def remove_events(folder: Path) -> None:
    """Remove them, before models change."""
    for name in (NAME, CURVE):
        (folder / name).unlink(missing_ok=True)


def read_events(folder: Path, remedy: str) -> EventScores | None:
    """Read the scores of events; None if the folder has none: no annotated recordings, or an older version."""
    return read_record(folder / NAME, EventScores, remedy) if (folder / NAME).exists() else None


def read_event_curve(folder: Path, remedy: str) -> pd.DataFrame | None:
    """Read the counts of events by ``column`` and ``threshold``; None if there are none."""
    return read_frame(folder / CURVE, _CURVE, remedy) if (folder / CURVE).exists() else None
