"""The thresholds of events, and the false alarms an hour that they are expected to give."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from aurist.config import duration
from aurist.ensemble.thresholds import SILENT, Thresholds, is_silent
from aurist.errors import ConfigError, rounded
from aurist.inference.thresholds import never_named, thresholds_of
from aurist.plan import ENSEMBLE
from aurist.run import ModelFiles
from aurist.run.events_file import read_event_curve, read_events

_RATE = re.compile(r"\s*([0-9.]+)\s*(?:/\s*(h|hour|d|day))?\s*")
#: If nothing happened in h hours, up to this / h an hour may happen: the rule of three, by Hanley and Lippman-Hand
#: (1983).
_RULE_OF_THREE = 3.0


class EventThresholds(NamedTuple):
    """The lowest score of each class of a run, (n_classes,), or None for 0.5, and notes for people."""

    lowest: Thresholds | None
    notes: tuple[str, ...] = ()


def event_thresholds(
    files: ModelFiles,
    model: str | None = None,
    *,
    min_score: float | None = None,
    precision: float | None = None,
    false_alarms: float | None = None,
) -> EventThresholds:
    """Read or choose the thresholds of events.

    Parameters
    ----------
    files, model
        A run or a model folder, and a row of its leaderboard; None: the ensemble.
    min_score
        One threshold for all classes.
    precision
        As in `aurist.inference.thresholds.thresholds_of`.
    false_alarms
        False alarms in an hour of background, all classes together: one threshold for all classes with skill.

    Raises
    ------
    ConfigError
        If more than one of these is given, or false alarms were not measured.
    """
    given = {"min_score": min_score, "precision": precision, "false_alarms": false_alarms}
    names = [name for name, value in given.items() if value is not None]
    if len(names) > 1:
        raise ConfigError(f"{'= and '.join(names)}= both choose thresholds: give one of them.")
    if min_score is not None:
        return EventThresholds(thresholds_of(files, model))
    if false_alarms is not None:
        return _for_false_alarms(files, model, false_alarms)
    thresholds = thresholds_of(files, model, precision)
    notes = never_named(files.spec.task.classes, thresholds, precision)
    scores = (
        read_events(files.folder, files.remedy) if precision is None and model in (None, ENSEMBLE) else None
    )
    if scores is not None and np.isfinite(scores.false_alarms.score):
        rate = scores.false_alarms.score
        expected = (
            f"expect {rounded(rate)}"
            if rate
            else f"none, which shows no rate below {rounded(smallest_rate(scores.hours))}"
        )
        notes.append(
            f"false alarms: {expected} an hour, all classes together, as out of fold in "
            f"{duration(3600 * scores.hours)} "
            'of background; false_alarms="1/h" chooses a threshold for fewer'
        )
    return EventThresholds(thresholds, tuple(notes))


def _for_false_alarms(files: ModelFiles, model: str | None, rate: float) -> EventThresholds:
    """Choose the lowest threshold from which on there are no more false alarms than these."""
    scores, curve = read_events(files.folder, files.remedy), read_event_curve(files.folder, files.remedy)
    default = thresholds_of(files, model)
    if scores is None or curve is None or default is None or model not in (None, ENSEMBLE):
        raise ConfigError(
            "False alarms were measured for the ensemble of runs on annotated recordings only, not for "
            f"{model or files.folder}. Leave false_alarms= or model= out; `aurist evaluate RUN "
            "--quiet-recordings NIGHT` measures them."
        )
    silent = is_silent(default)
    alarms = (
        curve[~np.isin(curve["column"], np.flatnonzero(silent))]
        .groupby("threshold")["alarms"]
        .sum()
        .sort_index()
    )
    # more events may be found at a higher threshold, where one event falls into two
    most_from_here = np.maximum.accumulate(alarms.to_numpy()[::-1])[::-1]
    enough = np.flatnonzero(most_from_here <= rate * scores.hours)
    chosen = float(alarms.index[enough[0]]) if len(enough) else np.inf
    n_alarms = int(most_from_here[enough[0]]) if len(enough) else 0
    notes = [
        f"threshold {chosen:.3g} for all classes: {n_alarms} false alarms in {duration(3600 * scores.hours)} of "
        "background, out of fold"
    ]
    if not len(enough):
        notes = [f"no threshold has at most {rate:g} false alarms an hour, out of fold: nothing is reported"]
    elif rate * scores.hours < _RULE_OF_THREE:
        notes.append(
            f"{duration(3600 * scores.hours)} of background show no rate below {rounded(smallest_rate(scores.hours))} "
            "an hour; measure it on more: aurist evaluate RUN --quiet-recordings NIGHT"
        )
    notes += never_named(files.spec.task.classes, default, None)
    return EventThresholds(np.where(silent, SILENT, chosen), tuple(notes))


def smallest_rate(hours: float) -> float:
    """Give the smallest rate an hour that can be shown if nothing happens in these hours."""
    return _RULE_OF_THREE / max(hours, 1e-9)


def parse_rate(text: str) -> float:
    """Parse a number of events "1/h", "0.5", "24/day" into events an hour.

    Raises
    ------
    ConfigError
        If it is none.

    Examples
    --------
    >>> parse_rate("1/h"), parse_rate("12/day"), parse_rate("0.5")
    (1.0, 0.5, 0.5)
    """
    match = _RATE.fullmatch(text)
    try:
        number = float(match[1]) if match else -1.0
    except ValueError:
        number = -1.0
    if match is None or not 0 <= number < float("inf"):
        raise ConfigError(
            f"False alarms of {text!r} cannot be read. Give a number an hour or a day, such as 1/h or 10/day."
        )
    return number / (24.0 if match[2] in ("d", "day") else 1.0)
