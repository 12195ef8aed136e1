"""Sample detections for a person to judge: the best, the most uncertain, and some at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from aurist.detection.store import Detections, Recording
from aurist.detection.window_scores import Scores
from aurist.errors import ConfigError, plural
from aurist.events import Event, score_over_time
from aurist.progress import logger
from aurist.search import Distinct, IndexedVectors

BEST, UNCERTAIN, RANDOM = "best", "uncertain", "random"
#: Longest clip in seconds. A longer event is cut to its most probable part, because nobody judges a whole minute.
LONGEST = 20.0
#: Uncertain detections may score below the threshold, down to this share of it.
_NEARLY = 0.5

Thresholds = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Sampling:
    """Numbers of detections to sample per class.

    Parameters
    ----------
    best
        Number of detections with the highest scores.
    uncertain
        Number of detections with scores nearest to the threshold of the class, above and below it.
    random
        Number of detections above the threshold, drawn evenly over their scores with equal probability: their
        precision estimates that of all detections.
    seed
        Seed of the random sample.

    Raises
    ------
    ConfigError
        If nothing is to be sampled.
    """

    best: int = 0
    uncertain: int = 0
    random: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        counts = (self.best, self.uncertain, self.random)
        if min(counts) < 0 or max(counts) < 1:
            raise ConfigError(
                f"best, uncertain and random are {counts}, but one must be at least 1, none below 0."
            )


@dataclass(frozen=True)
class Detection:
    """An event of a recording.

    Parameters
    ----------
    recording, event
        The event.
    drawn
        The kinds of samples that it is in.
    surest
        Where the score is highest, in seconds; None: the whole event. If somebody confirms an event of many seconds,
        the class is surely there, and elsewhere in it perhaps not.
    """

    recording: Recording
    event: Event
    drawn: tuple[str, ...] = ()
    surest: tuple[float, float] | None = None


def draw_detections(
    detections: Detections,
    recordings: Sequence[Recording],
    columns: npt.NDArray[np.intp],
    thresholds: Thresholds,
    sampling: Sampling,
    vectors: IndexedVectors | None = None,
) -> list[Detection]:
    """Sample detections for a person to judge, highest score first.

    Parameters
    ----------
    detections, recordings
        The scores, and the recordings to sample from.
    columns
        The columns of the classes.
    thresholds
        (n_classes,): the lowest score of a detection. A class with a threshold above 1 has no detections; only its
        best events are sampled.
    sampling
        Numbers of detections per class.
    vectors
        The vectors of the recordings: the best and the uncertain detections of a class are chosen one after another,
        and those that sound almost the same as a chosen one are left out. Random ones are not, as their precision
        stands for all. None: none is left out.
    """
    by_class: dict[int, list[Detection]] = {int(column): [] for column in columns}
    for recording in recordings:
        for event, surest in _events(detections.scores(recording, columns), thresholds[columns]):
            class_event = event._replace(column=int(columns[event.column]))
            by_class[class_event.column].append(Detection(recording, class_event, surest=surest))
    rng = np.random.default_rng(sampling.seed)
    drawn, alike = [], 0
    for column, candidates in by_class.items():
        candidates.sort(key=lambda d: (-d.event.score, d.recording.name, d.event.start))
        scores = np.array([d.event.score for d in candidates])
        chooser = _Chooser(candidates, vectors)
        samples = _drawn(scores, float(thresholds[column]), sampling, rng, chooser)
        alike += len(chooser.alike)
        drawn += [replace(candidates[i], drawn=tuple(names)) for i, names in samples.items()]
    if alike:
        logger.info(f"left out: {plural(alike, 'detection')}, almost the same as a chosen one")
    return sorted(drawn, key=lambda d: (-d.event.score, d.recording.name, d.event.start, d.event.column))


def _events(scores: Scores, thresholds: Thresholds) -> list[tuple[Event, tuple[float, float] | None]]:
    """Find detections, and events that come near the threshold and hold no detection.

    A class that is never predicted has those that come near its highest score.
    """
    highest = scores.proba.max(axis=0, initial=0.0)
    near = scores.events(_NEARLY * np.where(thresholds > 1, np.maximum(highest, 1e-6), thresholds))
    events = scores.events(thresholds) + [event for event in near if event.score < thresholds[event.column]]
    return [_surest(scores, event) for event in events]


def _surest(scores: Scores, event: Event) -> tuple[Event, tuple[float, float] | None]:
    """Find where an event has its highest score, and shorten a long one to `LONGEST` seconds around it."""
    if event.end - event.start <= float((scores.ends - scores.starts).max()) + 1e-6:
        return event, None
    rows = slice(*np.searchsorted(scores.starts, [event.start - LONGEST, event.end]))
    edges, values = score_over_time(
        scores.starts[rows], scores.ends[rows], scores.proba[rows, event.column].astype(np.float64)
    )
    inside = (edges[:-1] >= event.start) & (edges[1:] <= event.end)
    top = int(np.argmax(np.where(inside, np.nan_to_num(values), -1.0)))
    surest = float(edges[top]), float(edges[top + 1])
    if event.end - event.start <= LONGEST:
        return event, surest
    start = float(np.clip(sum(surest) / 2 - LONGEST / 2, event.start, event.end - LONGEST))
    return event._replace(start=start, end=start + LONGEST), surest


def _drawn(
    scores: npt.NDArray[np.float64],
    threshold: float,
    sampling: Sampling,
    rng: np.random.Generator,
    chooser: _Chooser,
) -> dict[int, list[str]]:
    """Give the kinds of samples of each drawn detection, by its position in falling scores."""
    samples: dict[int, list[str]] = {}
    bar = min(threshold, 1.0)
    picks = {
        BEST: chooser.first(np.arange(len(scores)), sampling.best),
        UNCERTAIN: chooser.first(np.argsort(np.abs(scores - bar), kind="stable"), sampling.uncertain),
        RANDOM: systematic(int((scores >= threshold).sum()), sampling.random, rng),
    }
    for name, rows in picks.items():
        for row in rows.tolist():
            samples.setdefault(row, []).append(name)
    return samples


class _Chooser:
    """Chooses detections of a class in order; with vectors, none that sounds almost the same as a chosen one."""

    def __init__(self, candidates: Sequence[Detection], vectors: IndexedVectors | None) -> None:
        self._candidates, self._vectors = candidates, vectors
        self._distinct, self._chosen = Distinct(), set[int]()
        #: The rows that were left out.
        self.alike: set[int] = set()

    def first(self, rows: Rows, count: int) -> Rows:
        """Choose the first ``count`` of some rows."""
        if self._vectors is None:
            return rows[:count]
        picked: list[int] = []
        for row in rows.tolist():
            if len(picked) == count:
                break
            if row in self._chosen or self._distinct.add(self._vector(row, self._vectors)):
                picked.append(row)
            else:
                self.alike.add(row)
        self._chosen.update(picked)
        return np.array(picked, dtype=np.intp)

    def _vector(self, row: int, vectors: IndexedVectors) -> npt.NDArray[np.float32]:
        detection = self._candidates[row]
        start, end = detection.surest or detection.event[:2]
        return vectors.at(detection.recording.file, start, end)


def systematic(n: int, size: int, rng: np.random.Generator) -> npt.NDArray[np.intp]:
    """Sample ``size`` of n ordered items at equal steps from a random start: all are equally likely.

    If items are ordered by score, this is as good as a stratified sample with a stratum per drawn item. Source:
    W. G. Cochran, Sampling Techniques (1977), chapter 8.

    Examples
    --------
    >>> systematic(6, 3, np.random.default_rng(0)).tolist(), systematic(2, 3, np.random.default_rng(0)).tolist()
    ([1, 3, 5], [0, 1])
    """
    if size >= n or size == 0:
        return np.arange(min(n, size), dtype=np.intp)
    return np.floor((rng.uniform() + np.arange(size)) * n / size).astype(np.intp)
