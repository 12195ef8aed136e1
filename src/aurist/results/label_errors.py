"""Likely label errors of the training data: clips that are confidently predicted, out of fold, as another class."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.arrays import Proba
from aurist.plan import ENSEMBLE
from aurist.run import RunFolder, read_data

#: Surer than this is sure: of classes that are told easily, half of the wrong labels lie below the mean.
_SURE = 0.75
#: A clip is also listed if another class is likelier by this, however sure others of that class are.
_CLEARLY = 0.25
COLUMNS = ("clip_id", "path", "start", "end", "label", "suggestion", "given", "suggested")


def likely_label_errors(run: RunFolder, *, most: int = 500) -> pd.DataFrame:
    """List clips whose labels are likely wrong, the most suspicious first.

    It is confident learning on out-of-fold predictions. Source: C. G. Northcutt, L. Jiang and I. L. Chuang, "Confident
    learning: estimating uncertainty in dataset labels", JAIR 70, 2021: a clip is likely of class j if its probability
    of j reaches the mean probability of j among the clips that are labelled j, or 0.75. With one label a clip, clips of
    which another class is likelier by 0.25 are listed, too.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`: ``label`` as the data has it; ``suggestion``: the label that it should rather have; ``given`` and
        ``suggested``: the probabilities of both. With several labels a clip, a row is about one class: the suggestion
        is all labels of the clip with this class added or taken away.

    Raises
    ------
    RunError
        If the run is not finished.
    """
    data = read_data(run)
    classes = data.task.classes
    oof = run.out_of_fold(classes)[ENSEMBLE]
    table = data.clips.table.set_index("clip_id", drop=False).loc[list(oof.clip_id)].reset_index(drop=True)
    rows = pd.Index(data.clips.table["clip_id"]).get_indexer(pd.Index(oof.clip_id))
    targets = data.clips.targets(classes)[rows]
    find = _several if data.task.multilabel else _single
    suspects = find(targets, oof.proba)[:most]
    names = np.asarray(classes, dtype=object)
    records = []
    for row, column, given, suggested in suspects:
        labels = set(table["labels"].iloc[row])
        rather = labels ^ {str(names[column])} if data.task.multilabel else {str(names[column])}
        clip = [table[name].iloc[row] for name in ("clip_id", "path", "start", "end")]
        records.append([*clip, ";".join(sorted(labels)), ";".join(sorted(rather)), given, suggested])
    return pd.DataFrame(records, columns=list(COLUMNS))


def _single(targets: npt.NDArray[np.int8], proba: Proba) -> list[tuple[int, int, float, float]]:
    """Give the row, the likelier class, and the probabilities of the label and of that class.

    Examples
    --------
    >>> targets = np.array([[1, 0], [1, 0], [1, 0], [0, 1], [0, 1]], np.int8)
    >>> _single(targets, np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.45, 0.55]]))
    [(2, 1, 0.1, 0.9)]
    >>> _single(targets[1:], np.array([[0.9, 0.1], [0.35, 0.65], [0.1, 0.9], [0.0, 1.0]]))
    [(1, 1, 0.35, 0.65)]
    """
    label = targets.argmax(axis=1)
    bars = np.minimum(_means(proba, targets == 1), _SURE)
    confident = np.where(proba >= bars, proba, -1.0)
    rather = confident.argmax(axis=1)
    every = np.arange(len(label))
    given = proba[every, label]
    is_wrong = (rather != label) & (confident[every, rather] > given)
    best = proba.argmax(axis=1)
    rather = np.where(is_wrong, rather, best)
    is_wrong |= proba[every, best] - given >= _CLEARLY
    suggested = proba[every, rather]
    wrong = np.flatnonzero(is_wrong & (targets.max(axis=1) == 1))
    order = wrong[np.argsort((given - suggested)[wrong], kind="stable")]
    return [(int(i), int(rather[i]), float(given[i]), float(suggested[i])) for i in order]


def _several(targets: npt.NDArray[np.int8], proba: Proba) -> list[tuple[int, int, float, float]]:
    """Give the row, the class to add or to take away, and the probabilities of the label and of the change.

    Examples
    --------
    >>> targets = np.array([[1], [1], [0], [0], [0]], np.int8)
    >>> _several(targets, np.array([[0.9], [0.03], [0.1], [0.95], [0.0]]))
    [(3, 0, 0.05, 0.95), (1, 0, 0.03, 0.97)]
    """
    present, absent = targets == 1, targets == 0
    high, low = np.minimum(_means(proba, present), _SURE), _means(proba, absent)
    low = np.where(
        high >= 0.5, np.maximum(low, 1 - _SURE), low
    )  # a class that is hardly told is never surely absent
    missing = absent & (proba >= np.maximum(high, 0.5))
    too_many = present & (proba <= low)
    suspects = [
        (
            int(row),
            int(column),
            float(round(1 - p if add else p, 12)),
            float(round(p if add else 1 - p, 12)),
            float(gap),
        )
        for cells, add, bar in ((missing, True, high), (too_many, False, low))
        for row, column in zip(*np.nonzero(cells), strict=True)
        for p, gap in [(proba[row, column], (bar[column] - proba[row, column]) * (1 if add else -1))]
    ]
    return [
        (row, column, given, suggested)
        for row, column, given, suggested, _ in sorted(suspects, key=lambda one: one[4])
    ]


def _means(proba: Proba, chosen: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Give the mean probability of each class among the chosen cells, (n_classes,); infinite without any."""
    counts = chosen.sum(axis=0)
    sums = np.where(chosen, proba, 0.0).sum(axis=0)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)
