"""Compare two runs on the clips that both have scored, out of fold in each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.arrays import Proba
from aurist.clips import Clips
from aurist.errors import DataError, plural
from aurist.metrics import METRICS, Interval, metric
from aurist.results.bootstrap import bootstrap, resamples
from aurist.results.differences import Difference, paired
from aurist.results.reported import ReportedModel, decisions, model_predictions
from aurist.results.shared_clips import features_of, joined_groups, shared_rows
from aurist.run import RunData, RunFolder, read_data

Decisions = npt.NDArray[np.bool_]
Number = TypeVar("Number", bound=np.generic)
#: Scores of every comparison, if they fit the data, after the metric of the first run.
_SCORES = ("accuracy", "f1_macro", "average_precision", "log_loss")
_ROUNDS = 1000


@dataclass(frozen=True)
class Compared:
    """One score of both runs, and the difference, the second minus the first, on the same resamples."""

    metric: str
    first: Interval
    second: Interval
    difference: Difference


@dataclass(frozen=True)
class RunComparison:
    """Two runs on the n clips that they share.

    Parameters
    ----------
    clips
        The shared clips, as the first run has them.
    classes
        The names of the m columns. With one label a clip: all classes of either run. With several: those of both.
    multilabel
        True if clips may have several labels.
    truth : (n, m)
    decided
        (n, m) of each run.
    proba
        (n, m) of each run.
    scores
        The metric of the first run comes first.
    per_class
        ``class, n, first, second, difference, low, high``: F1 of both runs.
    notes
        Sentences about clips and classes that are not compared, and about what else differs.
    """

    clips: Clips
    classes: tuple[str, ...]
    multilabel: bool
    truth: npt.NDArray[np.int8]
    decided: tuple[Decisions, Decisions]
    proba: tuple[Proba, Proba]
    scores: tuple[Compared, ...]
    per_class: pd.DataFrame
    notes: tuple[str, ...]


def compare_runs(first: RunFolder, second: RunFolder) -> RunComparison:
    """Compare the models of two runs that predict, on the clips that both have scored (`shared_rows`).

    Raises
    ------
    DataError
        If the runs share no clip or no class, or only one of them allows several labels per clip.
    """
    data = (read_data(first), read_data(second))
    multilabel = data[0].task.multilabel
    if multilabel != data[1].task.multilabel:
        raise DataError(
            f"In {(second if data[1].task.multilabel else first).folder} a clip may have several labels, in the other "
            "run it has one: their scores cannot be compared."
        )
    a, b = model_predictions(first, data[0], None), model_predictions(second, data[1], None)
    features = features_of(data[0], a.clips), features_of(data[1], b.clips)
    rows = shared_rows(a.clips, b.clips, features)
    if not len(rows[0]):
        raise DataError(
            f"{first.folder} and {second.folder} share no clip: they were fitted on other recordings, or these were "
            "moved. Score both on the same new clips with `aurist evaluate`."
        )
    classes, notes = _classes(data)
    notes += _left_out(data, len(rows[0]))
    sides = [
        _side(a, rows[0], data[0].task.classes, classes),
        _side(b, rows[1], data[1].task.classes, classes),
    ]
    same = _same_labels(sides, data, classes)
    if not same.any():
        raise DataError(
            f"No clip of {first.folder} and {second.folder} has a label that is the same in both runs."
        )
    if not same.all():
        notes.append(
            f"{plural(int((~same).sum()), 'shared clip')} have other labels in the other run, or a class that only one "
            "run has: they are left out."
        )
    a_side, b_side = (side.take(np.flatnonzero(same)) for side in sides)
    groups = joined_groups(a_side.groups, b_side.groups)
    names = dict.fromkeys([data[0].task.metric, *_SCORES])
    scores = [
        _compared(name, a_side, b_side, groups, multilabel)
        for name in names
        if (METRICS[name].multilabel if multilabel else METRICS[name].singlelabel)
    ]
    return RunComparison(
        a.clips.take(rows[0][same]),
        classes,
        multilabel,
        a_side.truth,
        (a_side.decided, b_side.decided),
        (a_side.proba, b_side.proba),
        tuple(scores),
        _per_class(a_side, b_side, classes, groups),
        tuple(notes),
    )


@dataclass(frozen=True)
class _Side:
    """The answers of one run for the shared clips: truth, proba, decided (n, m), groups (n,)."""

    truth: npt.NDArray[np.int8]
    proba: Proba
    decided: Decisions
    groups: npt.NDArray[np.int64]

    def take(self, rows: npt.NDArray[np.intp]) -> _Side:
        return _Side(self.truth[rows], self.proba[rows], self.decided[rows], self.groups[rows])


def _side(
    model: ReportedModel, rows: npt.NDArray[np.intp], given: Sequence[str], wanted: Sequence[str]
) -> _Side:
    """Arrange the columns of a run by the wanted classes; a class that it does not know is never there."""
    position = {name: column for column, name in enumerate(given)}
    at = np.array([position.get(name, len(given)) for name in wanted])

    def arranged(values: npt.NDArray[Number]) -> npt.NDArray[Number]:
        missing = np.zeros((len(rows), 1), dtype=values.dtype)
        return np.concatenate([values[rows], missing], axis=1)[:, at]

    return _Side(arranged(model.truth), arranged(model.proba), arranged(decisions(model)), model.groups[rows])


def _same_labels(sides: Sequence[_Side], data: Sequence[RunData], classes: Sequence[str]) -> Decisions:
    """Tell which clips have the same labels in both runs, of classes that both know, (n,)."""
    same = (sides[0].truth == sides[1].truth).all(axis=1)
    if data[0].task.multilabel:
        return np.asarray(same)
    common = np.array([all(name in of.task.classes for of in data) for name in classes])
    return np.asarray(same & (sides[0].truth > 0)[:, common].any(axis=1))


def _classes(data: Sequence[RunData]) -> tuple[tuple[str, ...], list[str]]:
    """Choose the columns, and say which classes only one run has."""
    multilabel = data[0].task.multilabel
    sets = [set(of.task.classes) for of in data]
    both = sets[0] & sets[1]
    if not both:
        raise DataError(
            f"The runs share no class: one knows {', '.join(data[0].task.classes)}, the other "
            f"{', '.join(data[1].task.classes)}."
        )
    notes = []
    for name, only in (("first", sets[0] - sets[1]), ("second", sets[1] - sets[0])):
        if only:
            effect = (
                "They are not compared."
                if multilabel
                else "Clips with these labels are left out; on other clips they count as errors of this run."
            )
            notes.append(f"Classes of the {name} run alone: {', '.join(sorted(only))}. {effect}")
    if multilabel:
        return tuple(sorted(both)), notes
    return tuple(sorted(sets[0] | sets[1])), notes


def _left_out(data: Sequence[RunData], n: int) -> list[str]:
    notes = []
    for name, of in zip(("first", "second"), data, strict=True):
        more = int((of.folds >= 0).sum()) - n
        if more:
            notes.append(f"{more:,} scored clips of the {name} run are not in the other one.")
    if data[0].task.metric != data[1].task.metric:
        notes.append(
            f"The runs were fitted for other metrics: {data[0].task.metric} and {data[1].task.metric}."
        )
    return notes


def _compared(name: str, a: _Side, b: _Side, groups: npt.NDArray[np.int64], multilabel: bool) -> Compared:
    chosen = metric(name)
    # with several labels, each run decides by its own thresholds
    by_labels = multilabel and not chosen.needs_proba
    probas = [side.decided.astype(np.float64) if by_labels else side.proba for side in (a, b)]
    first, second = (
        bootstrap(a.truth, one, groups, chosen, multilabel=multilabel, out_of_fold=True) for one in probas
    )
    difference = paired(a.truth, probas[1], probas[0], groups, chosen, multilabel=multilabel)
    return Compared(name, first, second, difference)


def _per_class(a: _Side, b: _Side, classes: Sequence[str], groups: npt.NDArray[np.int64]) -> pd.DataFrame:
    """Compare F1 class by class, on resamples of the groups."""
    truth = a.truth
    present = (truth == 1).astype(float)
    hits = [(side.decided & (truth == 1)).astype(float) for side in (a, b)]
    sizes = [(side.decided & (truth >= 0)).astype(float) + present for side in (a, b)]

    def scores(weights: npt.NDArray[np.float64]) -> list[npt.NDArray[np.float64]]:
        """F1 of each class in each resample, (rounds, n_classes), of both runs."""
        out = []
        for hit, size in zip(hits, sizes, strict=True):
            above, below = 2 * (weights.T @ hit), weights.T @ size
            out.append(np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0))
        return out

    first, second = scores(np.ones((len(truth), 1)))
    gaps = [
        after - before
        for before, after in map(scores, resamples(truth, groups, _ROUNDS, 0, over_classes=True))
    ]
    gap = np.concatenate(gaps) if gaps else np.full((1, len(classes)), np.nan)
    bounds = np.full((2, len(classes)), np.nan)
    for column in range(len(classes)):
        defined = gap[np.isfinite(gap[:, column]), column]
        if len(defined):
            bounds[:, column] = np.quantile(defined, [0.025, 0.975])
    table = pd.DataFrame(
        {
            "class": list(classes),
            "n": present.sum(axis=0).astype(np.int64),
            "first": first[0],
            "second": second[0],
            "difference": second[0] - first[0],
            "low": bounds[0],
            "high": bounds[1],
        }
    )
    return table[table["n"] > 0].sort_values("difference", kind="stable", ignore_index=True)
