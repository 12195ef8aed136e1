"""Which detections a person should hear: the best, the most uncertain, and some drawn by lot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aurist.detection.store import Detections, Recording
from aurist.detection.window_scores import Scores
from aurist.errors import ConfigError
from aurist.events import Event, score_over_time

BEST, UNCERTAIN, RANDOM = "best", "uncertain", "random"
#: Of a longer event the surest stretch of so many seconds is cut: nobody judges a minute as a whole.
LONGEST = 20.0
#: What is uncertain may score less than is announced, down to this share of it.
_NEARLY = 0.5

Thresholds = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sampling:
    """Which detections of each class are cut.

    Parameters
    ----------
    best
        So many with the highest scores.
    uncertain
        So many with scores nearest to the one from which the class is announced, on both sides of it.
    random
        So many of those announced, evenly over their scores, each as likely as the others: their share of right ones
        is that of all announced.
    seed
        Of the draw.

    Raises
    ------
    ConfigError
        Where nothing is to be cut.
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
    """An event of a recording, and by which ways it was drawn."""

    recording: Recording
    event: Event
    drawn: tuple[str, ...] = ()


def draw_detections(
    detections: Detections,
    recordings: Sequence[Recording],
    columns: npt.NDArray[np.intp],
    thresholds: Thresholds,
    sampling: Sampling,
) -> list[Detection]:
    """Draw detections to be judged, the highest score first.

    Parameters
    ----------
    detections, recordings
        The scores, and of what.
    columns
        Of the classes.
    thresholds
        (n_classes,): the score from which each is announced; a class whose threshold is above 1 is not, and only its
        best are drawn.
    sampling
        How many of each class.
    """
    by_class: dict[int, list[Detection]] = {int(column): [] for column in columns}
    for one in recordings:
        for event in _events(detections.scores(one, columns), thresholds[columns]):
            own = event._replace(column=int(columns[event.column]))
            by_class[own.column].append(Detection(one, own))
    rng = np.random.default_rng(sampling.seed)
    drawn = []
    for column, found in by_class.items():
        found.sort(key=lambda d: (-d.event.score, d.recording.name, d.event.start))
        scores = np.array([d.event.score for d in found])
        ways = _drawn(scores, float(thresholds[column]), sampling, rng)
        drawn += [Detection(found[i].recording, found[i].event, tuple(names)) for i, names in ways.items()]
    return sorted(drawn, key=lambda d: (-d.event.score, d.recording.name, d.event.start, d.event.column))


def _events(scores: Scores, asked: Thresholds) -> list[Event]:
    """What is announced, and what comes near to that and holds nothing that is."""
    near = scores.events(_NEARLY * np.minimum(asked, 1.0))
    both = scores.events(asked) + [event for event in near if event.score < asked[event.column]]
    return [_surest(scores, event) for event in both]


def _surest(scores: Scores, event: Event) -> Event:
    """An event, or the stretch of `LONGEST` seconds about the middle of where a longer one is surest."""
    if event.end - event.start <= LONGEST:
        return event
    own = slice(*np.searchsorted(scores.starts, [event.start - LONGEST, event.end]))
    edges, values = score_over_time(
        scores.starts[own], scores.ends[own], scores.proba[own, event.column].astype(np.float64)
    )
    inside = (edges[:-1] >= event.start) & (edges[1:] <= event.end)
    top = int(np.argmax(np.where(inside, np.nan_to_num(values), -1.0)))
    middle = (edges[top] + edges[top + 1]) / 2
    start = float(np.clip(middle - LONGEST / 2, event.start, event.end - LONGEST))
    return event._replace(start=start, end=start + LONGEST)


def _drawn(
    scores: npt.NDArray[np.float64], threshold: float, sampling: Sampling, rng: np.random.Generator
) -> dict[int, list[str]]:
    """By position in falling scores, the ways by which each is drawn."""
    ways: dict[int, list[str]] = {}
    bar = min(threshold, 1.0)
    picks = {
        BEST: np.arange(min(sampling.best, len(scores))),
        UNCERTAIN: np.argsort(np.abs(scores - bar), kind="stable")[: sampling.uncertain],
        RANDOM: systematic(int((scores >= threshold).sum()), sampling.random, rng),
    }
    for name, rows in picks.items():
        for row in rows.tolist():
            ways.setdefault(row, []).append(name)
    return ways


def systematic(n: int, wanted: int, rng: np.random.Generator) -> npt.NDArray[np.intp]:
    """Every (n / wanted)-th of n things in order, from a random start: each is as likely as the others.

    In the order of their scores that is as good as a stratified draw, with a stratum for each thing drawn. Source:
    W. G. Cochran, Sampling Techniques (1977), chapter 8.

    Examples
    --------
    >>> systematic(6, 3, np.random.default_rng(0)).tolist(), systematic(2, 3, np.random.default_rng(0)).tolist()
    ([1, 3, 5], [0, 1])
    """
    if wanted >= n or wanted == 0:
        return np.arange(min(n, wanted), dtype=np.intp)
    return np.floor((rng.uniform() + np.arange(wanted)) * n / wanted).astype(np.intp)
