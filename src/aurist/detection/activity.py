"""Summarise detections: events of each class by day and hour, with the hours that were listened to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from aurist.annotations import Annotations, read_annotations
from aurist.config import duration
from aurist.detection.export import NAMES
from aurist.detection.priors import PRIOR
from aurist.detection.result import began_of
from aurist.detection.store import Recording, open_detections
from aurist.detection.thresholds import smallest_rate
from aurist.errors import ConfigError, DataError, plural
from aurist.run import ModelFiles
from aurist.run.events_file import read_event_curve, read_events

_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Effort:
    """The sound that was listened to in a recording.

    Parameters
    ----------
    began
        The clock time at its start; None: unknown.
    seconds
        Its length.
    """

    began: datetime | None
    seconds: float


@dataclass(frozen=True)
class Activity:
    """Detections by class, and by class, day and hour.

    Parameters
    ----------
    classes
        One row per class, most events first: ``label``, ``events``, ``recordings`` (that have some), ``hours``
        (listened to), ``events_per_hour``, ``lowest_score``, ``first`` and ``last`` (clock times, or empty),
        ``busiest_hour`` (of the day, by events per hour listened to, or empty).
    hours
        One row per class and hour that was listened to, also without events: ``label``, ``day``, ``hour``, ``events``,
        ``minutes`` (listened to), ``events_per_hour``.
    notes
        For people.
    weighed
        True if a prior weighed the scores of the events.
    """

    classes: pd.DataFrame
    hours: pd.DataFrame
    notes: tuple[str, ...]
    weighed: bool = False


def activity_of(folder: Path) -> Activity:
    """Summarise the events in a folder of detections.

    Raises
    ------
    DataError
        If it is no such folder, or has no table of events.
    """
    detections = open_detections(folder)
    tables = [folder / NAMES[form] for form in ("csv", "jsonl")]
    table = next((path for path in tables if path.is_file()), None)
    if table is None:
        raise DataError(
            f"{folder} has no {' or '.join(path.name for path in tables)}. Give the command of the detections again, "
            'with formats="csv": nothing is scanned again.'
        )
    lengths = detections.lengths()
    effort = {
        name: Effort(began_of(Recording(name, file)), seconds) for name, (file, seconds) in lengths.items()
    }
    summary = summarise(read_annotations(table, audio_root=folder), effort)
    with table.open(encoding="utf-8") as file:
        first_row = file.readline()
    return replace(summary, weighed=bool(re.search(rf"\b{PRIOR}\b", first_row)))


def summarise(events: Annotations, effort: Mapping[str, Effort]) -> Activity:
    """Summarise events of recordings.

    Parameters
    ----------
    events
        The events; those of recordings without effort are left out, with a note.
    effort
        By recording.

    Examples
    --------
    >>> from aurist.annotations import make_annotations
    >>> rows = [{"path": "a.wav", "start": start, "end": start + 1, "label": "wren"} for start in (10, 1900)]
    >>> effort = {"a.wav": Effort(datetime(2023, 6, 1, 5, 30), 3600.0)}
    >>> summarise(make_annotations(rows, "events"), effort).hours[["day", "hour", "events", "minutes"]]
              day  hour  events  minutes
    0  2023-06-01     5       1     30.0
    1  2023-06-01     6       1     30.0
    """
    table = events.table[events.table["path"].isin(list(effort))].reset_index(drop=True)
    began = [effort[path].began for path in table["path"]]
    seconds = [timedelta(seconds=start) for start in table["start"].tolist()]
    clock = [None if at is None else _local(at) + after for at, after in zip(began, seconds, strict=True)]
    table = table.assign(clock=pd.Series(clock, dtype="datetime64[ns]"))
    hours = _by_hour(table, effort)
    return Activity(_by_class(table, hours, effort), hours, _notes(events, table, effort))


def with_expected_false(activity: Activity, files: ModelFiles) -> Activity:
    """Add how many events of each class are expected to be false: the column ``expected_false``.

    These are the false alarms an hour that the run's out-of-fold events had in background, from the lowest score of the
    class's events on, times the hours listened to.

    Parameters
    ----------
    activity
        A summary with the lowest score of each class.
    files
        The run or the model folder that made the detections.

    Raises
    ------
    ConfigError
        If the run has no such measure: it was not fitted on annotated recordings, or by an older version.
    """
    scores, curve = read_events(files.folder, files.remedy), read_event_curve(files.folder, files.remedy)
    if scores is None or curve is None or not scores.hours:
        raise ConfigError(
            f"{files.folder} has no false alarms of annotated recordings. Leave the run out, or measure them with: "
            "aurist evaluate RUN --quiet-recordings NIGHT"
        )
    classes = list(files.spec.task.classes)
    expected = []
    columns = [activity.classes[name].tolist() for name in ("label", "lowest_score", "hours")]
    for label, lowest, hours in zip(*columns, strict=True):
        of_class = curve[curve["column"] == classes.index(str(label))].sort_values("threshold")
        below = of_class[of_class["threshold"] <= lowest]
        alarms = int(below["alarms"].iloc[-1]) if len(below) else int(of_class["alarms"].max())
        expected.append(round(alarms / scores.hours * hours, 1))
    listened = float(activity.classes["hours"].max()) if expected else 0.0
    table = activity.classes.copy()
    table.insert(5, "expected_false", pd.Series(expected, dtype=float))
    notes = [
        f"expected_false: by the false alarms in {duration(3600 * scores.hours)} of background, out of fold"
    ]
    if 0.0 in expected:
        notes.append(
            f"expected_false of 0: none in that time, so up to {smallest_rate(scores.hours) * listened:.0f} events "
            "of such a class may be false all the same"
        )
    if activity.weighed:
        notes.append(
            "a prior weighed the events, but not the false alarms: expected_false is too high where the prior is "
            "below 1, and too low where it is above"
        )
    return replace(activity, classes=table, notes=(*activity.notes, *notes))


def _by_hour(table: pd.DataFrame, effort: Mapping[str, Effort]) -> pd.DataFrame:
    minutes_of: dict[datetime, float] = {}
    for one in effort.values():
        for hour, minutes in _hours_of(one):
            minutes_of[hour] = minutes_of.get(hour, 0.0) + minutes
    counts = table.groupby(["label", table["clock"].dt.floor("h")]).size()
    rows = [
        {
            "label": label,
            "day": f"{hour:%Y-%m-%d}",
            "hour": hour.hour,
            "events": int(counts.get((label, hour), 0)),
            "minutes": round(minutes_of[hour], 3),
        }
        for label in sorted(table["label"].unique())
        for hour in sorted(minutes_of)
    ]
    out = pd.DataFrame(rows, columns=["label", "day", "hour", "events", "minutes"])
    return out.assign(events_per_hour=_rate(out["events"], out["minutes"] / 60))


def _hours_of(effort: Effort) -> Iterator[tuple[datetime, float]]:
    """Yield the hours of the clock that a recording touches, with its minutes in each."""
    if effort.began is None:
        return
    time = _local(effort.began)
    end = time + timedelta(seconds=effort.seconds)
    while time < end:
        hour = time.replace(minute=0, second=0, microsecond=0)
        until = min(end, hour + _HOUR)
        yield hour, (until - time).total_seconds() / 60
        time = until


def _by_class(table: pd.DataFrame, hours: pd.DataFrame, effort: Mapping[str, Effort]) -> pd.DataFrame:
    listened = sum(one.seconds for one in effort.values()) / 3600
    rows = []
    for label, events in table.groupby("label"):
        of_day = hours[hours["label"] == label].groupby("hour")[["events", "minutes"]].sum()
        rate = _rate(of_day["events"], of_day["minutes"] / 60)
        clock = events["clock"].dropna().sort_values()
        rows.append(
            {
                "label": label,
                "events": len(events),
                "recordings": events["path"].nunique(),
                "hours": round(listened, 4),
                "lowest_score": float(events["score"].min()),
                "first": f"{clock.iloc[0]:%Y-%m-%d %H:%M:%S}" if len(clock) else "",
                "last": f"{clock.iloc[-1]:%Y-%m-%d %H:%M:%S}" if len(clock) else "",
                "busiest_hour": f"{int(rate.idxmax()):02}:00" if len(clock) else "",
            }
        )
    columns = ["label", "events", "recordings", "hours", "lowest_score", "first", "last", "busiest_hour"]
    out = pd.DataFrame(rows, columns=columns).sort_values("events", ascending=False, kind="stable")
    out.insert(4, "events_per_hour", _rate(out["events"], out["hours"]))
    return out.reset_index(drop=True)


def _rate(events: pd.Series[int], hours: pd.Series[float]) -> pd.Series[float]:
    return (events.astype(float) / hours.astype(float).replace(0, np.nan)).round(4)


def _notes(events: Annotations, table: pd.DataFrame, effort: Mapping[str, Effort]) -> tuple[str, ...]:
    notes = []
    if len(table) < len(events):
        notes.append(
            f"{plural(len(events) - len(table), 'event')} of recordings that were not scanned to their end: left out"
        )
    undated = sum(one.began is None for one in effort.values())
    if undated:
        notes.append(
            f"{plural(undated, 'recording')} of {len(effort)} without a date in the header or the name: counted by "
            "class, not by hour"
        )
    zones = {
        str(one.began.tzinfo or "the recorder's clock") for one in effort.values() if one.began is not None
    }
    if zones:
        notes.append(f"hours are those of: {', '.join(sorted(zones))}")
    return tuple(notes)


def _local(time: datetime) -> datetime:
    return time.replace(tzinfo=None)
