"""A learning curve over the number of clips: the score of a forest that learns from a part of the data, out of fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from aurist.arrays import Proba
from aurist.crossval import TrainingData
from aurist.metrics import METRICS, Interval
from aurist.metrics.scorer import Floats
from aurist.models.forest import forest_proba
from aurist.progress import Advance
from aurist.records import OPTIONAL, read_record, write_record
from aurist.results.bootstrap import resampled_scores
from aurist.results.bounds import percentile_bounds
from aurist.run import RunFolder, read_data, training_data
from aurist.splits import Rows, Split

CURVE = "data_curve.json"
#: The parts of the data, each with the number of draws that are averaged.
_SHARES = ((0.125, 3), (0.25, 3), (0.5, 2), (1.0, 1))
_TREES = 100
#: The most folds that are scored; fewer above so many rows.
_FOLDS, _FEWER_FOLDS, _MANY_ROWS = 5, 3, 4000
#: A part needs so many groups of every class on average, or its score says nothing.
_GROUPS_EACH = 2
_ROUNDS = 1000


class CurvePoint(NamedTuple):
    """The score with a part of the clips."""

    clips: int
    score: Interval


@dataclass(frozen=True)
class DataCurve:
    """The score by the number of clips to learn from.

    Parameters
    ----------
    metric
        Of all scores.
    clips
        The number of clips that were learnt from, ascending; the last one is all.
    scores
        With so many clips.
    doubled
        The score to expect with twice the clips, if the share of errors falls by the factor by which it fell from half
        of the clips to all. It is extrapolated; None if half of the clips are too few.
    expected
        What the same rule, from a quarter and half of the clips, expected of all of them; None as above.
    """

    metric: str
    clips: tuple[int, ...]
    scores: tuple[Interval, ...]
    doubled: Interval | None = field(default=None, metadata=OPTIONAL)
    expected: float | None = field(default=None, metadata=OPTIONAL)

    def points(self) -> list[CurvePoint]:
        """Give the points of the curve."""
        return [CurvePoint(n, score) for n, score in zip(self.clips, self.scores, strict=True)]


def data_curve(run: RunFolder, *, progress: bool = False) -> DataCurve | None:
    """Measure the curve of a run, or read it if it was measured.

    A forest learns from an eighth, a quarter, half and all of the groups in the training part of each fold, class by
    class, from the stored features, and predicts the fold. The scored clips are the same for all parts.

    Returns
    -------
    DataCurve or None
        None if there are no features, or too few groups.
    """
    path = run.folder / CURVE
    if path.exists():
        return read_record(path, DataCurve, f"Remove {path}: it is measured again.")
    data = read_data(run)
    if not len(data.schema.columns):
        return None
    curve = measured_curve(training_data(data), progress=progress)
    if curve is not None:
        write_record(path, curve)
    return curve


def measured_curve(learn: TrainingData, *, progress: bool = False) -> DataCurve | None:
    """Measure the curve of training data, see `data_curve`."""
    task = learn.task
    name = task.metric
    if not METRICS[name].is_share:
        name = "average_precision" if task.multilabel else "f1_macro"
    splits = learn.splits[: _FOLDS if len(learn.folds) <= _MANY_ROWS else _FEWER_FOLDS]
    rows = np.concatenate([split.scored for split in splits])
    shares = [(share, draws) for share, draws in _SHARES if _enough(learn, splits, share)]
    scored, clips = [], []
    with Advance(sum(draws for _, draws in shares) * len(splits), progress, "curve") as advance:
        for share, draws in shares:
            probas, sizes = [], []
            for draw in range(draws):
                parts = [_part(learn, split, share, draw) for split in splits]
                probas.append(_predicted(learn, splits, parts, advance))
                sizes += [len(part) for part in parts]
            scored.append(probas)
            clips.append(round(float(np.mean(sizes))))
    if not scored:
        return None
    return _curve(learn, rows, name, clips, scored)


def _curve(
    learn: TrainingData, rows: Rows, name: str, clips: Sequence[int], scored: Sequence[Sequence[Proba]]
) -> DataCurve:
    metric, task, truth = METRICS[name], learn.task, learn.examples.targets[rows]
    points, resampled = [], []
    for probas in scored:
        scores, drawn = resampled_scores(
            [metric.scorer(truth, proba, task.multilabel) for proba in probas],
            truth,
            learn.groups[rows],
            _ROUNDS,
            task.seed,
            over_classes=metric.over_classes,
        )
        points.append(float(scores.mean()))
        resampled.append(drawn.mean(axis=0))
    biased = metric.over_classes
    bounded = (_interval(*point, biased) for point in zip(points, resampled, strict=True))
    curve = DataCurve(name, tuple(clips), tuple(bounded))
    if len(points) < 3:
        return curve
    doubled = twice(np.array([points[-2]]), np.array([points[-1]]))[0]
    expected = float(twice(np.array([points[-3]]), np.array([points[-2]]))[0])
    drawn = twice(resampled[-2], resampled[-1])
    return replace(curve, doubled=_interval(float(doubled), drawn, biased), expected=expected)


def twice(half: Floats, whole: Floats) -> Floats:
    """Expect the score with twice the clips: the share of errors falls by the same factor again, and never rises.

    This is the power law of learning curves (J. Hestness and others, "Deep learning scaling is predictable,
    empirically", 2017) without an error that no number of clips removes: it is rather too good.

    Examples
    --------
    >>> twice(np.array([0.6, 0.8]), np.array([0.8, 0.8])).round(3).tolist()
    [0.9, 0.8]
    """
    factor = np.divide(1 - whole, 1 - half, out=np.ones_like(whole), where=half < 1)
    return np.asarray(1 - (1 - whole) * np.clip(factor, 0.0, 1.0), dtype=np.float64)


def _interval(score: float, resampled: Floats, biased: bool) -> Interval:
    return Interval(score, *percentile_bounds(resampled, 0.95, score, biased=biased))


def _strata(learn: TrainingData, rows: Rows) -> list[npt.NDArray[np.int64]]:
    """Give the groups of these rows by their rarest class; those without any class are a stratum of their own."""
    present = learn.examples.targets[rows] > 0
    common = np.where(present, present.sum(axis=0), len(rows) + 1)
    rarest = np.where(present.any(axis=1), common.argmin(axis=1), -1)
    groups, first = np.unique(learn.groups[rows], return_index=True)
    return [groups[rarest[first] == value] for value in np.unique(rarest[first])]


def _enough(learn: TrainingData, splits: Sequence[Split], share: float) -> bool:
    strata = _strata(learn, np.concatenate([splits[0].train, splits[0].validation]))
    return share * sum(map(len, strata)) >= _GROUPS_EACH * len(strata)


def _part(learn: TrainingData, split: Split, share: float, draw: int) -> Rows:
    """Draw a part of the groups to learn from, class by class; smaller parts of a draw lie in the larger ones."""
    rows = np.sort(np.concatenate([split.train, split.validation]))
    rng = np.random.default_rng([learn.task.seed, split.fold, draw])
    chosen = [rng.permutation(of_class)[: _count(share, len(of_class))] for of_class in _strata(learn, rows)]
    return rows[np.isin(learn.groups[rows], np.concatenate(chosen))]


def _count(share: float, n: int) -> int:
    return max(1, round(share * n))


def _predicted(
    learn: TrainingData, splits: Sequence[Split], parts: Sequence[Rows], advance: Advance
) -> Proba:
    probas = []
    for split, part in zip(splits, parts, strict=True):
        train, inputs = learn.examples.take(part), learn.examples.inputs.take(split.scored)
        probas.append(forest_proba(learn.task, train, inputs, trees=_TREES))
        advance()
    return np.concatenate(probas)
