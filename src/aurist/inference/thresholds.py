"""From which score each class of a run is named, where clips may have several labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from aurist.ensemble.thresholds import Thresholds, precision_thresholds
from aurist.errors import ConfigError
from aurist.plan import ENSEMBLE
from aurist.run import RunFolder, read_data
from aurist.run.shapes import THRESHOLDS
from aurist.stored import stored

FILE = "thresholds.json"


def thresholds_of(
    run: RunFolder, model: str | None = None, precision: float | None = None
) -> Thresholds | None:
    """The score from which each class is named.

    Parameters
    ----------
    run
        A finished run.
    model
        A row of its leaderboard; None: the ensemble.
    precision
        What is wanted; infinite thresholds are of classes that cannot reach it. None: those of the best F1.

    Returns
    -------
    (n_classes,), or None where clips have one label, or the run is of a version that chose none.

    Raises
    ------
    ConfigError
        Where a precision is wanted that is none, or of a run whose clips have one label, or there is no such model.
    """
    name = model or ENSEMBLE
    if precision is not None:
        return _for_precision(run, name, precision)
    path = run.folder / FILE
    known = run.read_json(FILE, THRESHOLDS) if path.exists() else {}
    if name not in known:
        return None
    with stored(path, run.remedy):
        return np.array([known[name][label] for label in run.classes()])


def _for_precision(run: RunFolder, name: str, precision: float) -> Thresholds:
    if not 0 < precision < 1:
        raise ConfigError(f"precision is {precision:g}, but must be between 0 and 1.")
    data = read_data(run)
    if not data.task.multilabel:
        raise ConfigError(
            "A precision can be wanted only of a run whose clips may have several labels: this one names the most "
            "probable class."
        )
    told = run.out_of_fold(data.task.classes)
    if name not in told:
        raise ConfigError(f"This run has no model {name!r}. It has: {', '.join(told)}.")
    said = told[name]
    rows = pd.Index(data.clips.table["clip_id"]).get_indexer(pd.Index(said.clip_id))
    clips = data.clips.take(rows)
    weight = clips.table["weight"].to_numpy(dtype=float)
    return precision_thresholds(said.proba, clips.targets(data.task.classes), precision, weight)


def never_named(classes: Sequence[str], thresholds: Thresholds | None, precision: float | None) -> list[str]:
    """A sentence about the classes that cannot reach a precision, if there are some."""
    if thresholds is None or precision is None:
        return []
    lost = [name for name, t in zip(classes, thresholds, strict=True) if np.isinf(t)]
    if not lost:
        return []
    return [
        f"{len(lost)} of {len(classes)} classes did not surely reach a precision of {precision:g} out of fold, and "
        f"{'is' if len(lost) == 1 else 'are'} never named: {', '.join(lost)}"
    ]
