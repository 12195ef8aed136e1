"""False alarms an hour in recordings in which nothing of the classes occurs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.config import duration
from aurist.detection.result import ScanResult
from aurist.detection.thresholds import smallest_rate
from aurist.ensemble.thresholds import GRID
from aurist.errors import DataError, rounded
from aurist.files import write_csv, write_json
from aurist.metrics import Interval

#: Rates an hour for which thresholds are listed, if the recordings are long enough to show them.
RATES = (10.0, 1.0, 0.1)
#: Seconds of the pieces that are resampled for the interval: false alarms come in bursts.
_PIECE = 60.0
#: With fewer pieces the interval would be far too narrow: of one piece it is a point.
_FEWEST_PIECES = 5
_ROUNDS, _LEVEL = 1000, 0.95


@dataclass(frozen=True)
class QuietScores:
    """False alarms in recordings in which nothing of the classes occurs.

    Parameters
    ----------
    hours
        Hours of these recordings.
    by_class
        ``class, threshold, false_alarms, per_hour``; the threshold is NaN if the class is never predicted.
    per_hour
        All classes together, with an interval over minutes: NaN if there are fewer than five.
    thresholds
        ``per_hour, threshold``: the lowest threshold, one for all classes, with no more false alarms than these. Only
        for rates that would have three false alarms in these hours or more.
    none_from
        The lowest threshold, one for all classes, without a false alarm; NaN if there is none.
    """

    hours: float
    by_class: pd.DataFrame
    per_hour: Interval
    thresholds: pd.DataFrame
    none_from: float

    def sentence(self) -> str:
        """State the figures for people."""
        low, high = self.per_hour.low, self.per_hour.high
        bounds = f" [{rounded(low, 3)}, {rounded(high, 3)}]" if self.per_hour.score and low == low else ""
        return (
            f"False alarms in {duration(3600 * self.hours)} of quiet recordings: "
            f"{rounded(self.per_hour.score, 3)}{bounds} an hour, all classes together. "
            f"Fewer than {rounded(smallest_rate(self.hours))} an hour cannot be shown in this time."
        )

    def sentence_of_rates(self) -> str:
        """State from which score on there is no false alarm, and which rates need more recordings.

        Examples
        --------
        >>> nothing = pd.DataFrame({"per_hour": [], "threshold": []})
        >>> scores = QuietScores(0.25, nothing, Interval(2.0, 0.0, 6.0), nothing, 0.62)
        >>> scores.sentence_of_rates()
        'From a score of 0.62 on there is none here. A threshold for 10 an hour needs 18 min of quiet recordings, \
for 1 an hour 3 h, for 0.1 an hour 30 h.'
        """
        none = "There is no score from which on there is none here."
        if not math.isnan(self.none_from):
            none = f"From a score of {self.none_from:.3g} on there is none here."
        longer = [
            f"for {rate:g} an hour {duration(3600 / rate * smallest_rate(1.0))}"
            for rate in RATES
            if rate < smallest_rate(self.hours)
        ]
        if not longer:
            return none
        first, *rest = longer
        needed = first.replace(" an hour ", " an hour needs ", 1) + " of quiet recordings"
        return f"{none} A threshold {', '.join([needed, *rest])}."

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as a dictionary for JSON."""
        return {
            "hours": self.hours,
            "per_hour": {
                "score": self.per_hour.score,
                "low": _or_none(self.per_hour.low),
                "high": _or_none(self.per_hour.high),
            },
            "by_class": _records(self.by_class),
            "thresholds": _records(self.thresholds),
            "none_from": _or_none(self.none_from),
        }

    def write(self, folder: Path, *, safe_csv: bool = False) -> None:
        """Write ``quiet.json`` and ``quiet.csv``."""
        write_json(folder / "quiet.json", self.to_dict())
        write_csv(self.by_class, folder / "quiet.csv", safe=safe_csv, float_format="%.6g")


def score_quiet(scan: ScanResult, lowest: npt.NDArray[np.float64]) -> QuietScores:
    """Count all events of scanned recordings as false alarms.

    Parameters
    ----------
    scan
        The scan of recordings in which nothing of the classes occurs.
    lowest
        (n_classes,): the lowest score of each class.

    Raises
    ------
    DataError
        If no recording could be read.
    """
    hours = sum(scan.seconds.values()) / 3600
    if not hours:
        raise DataError("None of the quiet recordings can be read.")
    counts = np.zeros(len(scan.classes), dtype=np.int64)
    pieces: list[npt.NDArray[np.int64]] = []
    at_threshold = np.zeros(len(GRID), dtype=np.int64)
    reported = np.flatnonzero(lowest <= 1)
    for recording in scan.recordings:
        scores = scan.detections.scores(recording)
        events = scores.events(lowest)
        counts += np.bincount([event.column for event in events], minlength=len(counts)).astype(np.int64)
        n = max(1, round(scan.seconds[recording.name] / _PIECE))
        piece = np.array([event.start / scan.seconds[recording.name] * n for event in events], dtype=np.int64)
        pieces.append(np.bincount(np.minimum(piece, n - 1), minlength=n).astype(np.int64))
        of_classes = scan.detections.scores(recording, reported)
        for index, threshold in enumerate(GRID):
            at_threshold[index] += len(of_classes.events(np.full(len(reported), threshold)))
    by_class = pd.DataFrame(
        {
            "class": list(scan.classes),
            "threshold": np.where(lowest <= 1, lowest, np.nan),
            "false_alarms": counts,
            "per_hour": counts / hours,
        }
    )
    # more events may be found at a higher threshold, where one event falls into two
    most = np.maximum.accumulate(at_threshold[::-1])[::-1]
    rates = [rate for rate in RATES if rate >= smallest_rate(hours)]
    of_rates = [_lowest(most <= rate * hours) for rate in rates]
    thresholds = pd.DataFrame({"per_hour": rates, "threshold": of_rates}, dtype=float)
    interval = _interval(np.concatenate(pieces), hours)
    return QuietScores(hours, by_class, interval, thresholds, _lowest(most == 0))


def _lowest(enough: npt.NDArray[np.bool_]) -> float:
    """Return the lowest threshold of the grid that is enough; NaN if none is."""
    rows = np.flatnonzero(enough)
    return float(GRID[rows[0]]) if len(rows) else math.nan


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table; None for what is missing."""
    return [{str(name): _or_none(value) for name, value in row.items()} for row in table.to_dict("records")]


def _or_none(value: Any) -> Any:
    return None if value != value else value


def _interval(pieces: npt.NDArray[np.int64], hours: float) -> Interval:
    if len(pieces) < _FEWEST_PIECES:
        return Interval(float(pieces.sum() / hours), math.nan, math.nan)
    rng = np.random.default_rng(0)
    drawn = rng.multinomial(len(pieces), np.full(len(pieces), 1 / len(pieces)), size=_ROUNDS) @ pieces
    low, high = np.quantile(drawn, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return Interval(float(pieces.sum() / hours), float(low / hours), float(high / hours))
