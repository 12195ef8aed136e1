"""The thresholds of a run for clips with several labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from aurist.ensemble.thresholds import Thresholds, precision_thresholds
from aurist.errors import ConfigError
from aurist.plan import ENSEMBLE
from aurist.run import RunFolder, read_data
from aurist.run.thresholds_file import NAME, read_thresholds
from aurist.stored import stored


def thresholds_of(
    run: RunFolder, model: str | None = None, precision: float | None = None
) -> Thresholds | None:
    """Read or choose the threshold of each class.

    Parameters
    ----------
    run
        A finished run.
    model
        A row of its leaderboard; None: the ensemble.
    precision
        The precision to reach; a class that cannot reach it gets an infinite threshold. None: thresholds of the best
        F1.

    Returns
    -------
    (n_classes,), or None if clips have one label, or the run is of an older version without thresholds.

    Raises
    ------
    ConfigError
        If the precision is not between 0 and 1, clips have one label, or there is no such model.
    """
    name = model or ENSEMBLE
    if precision is not None:
        return _for_precision(run, name, precision)
    thresholds = read_thresholds(run)
    if name not in thresholds:
        return None
    with stored(run.folder / NAME, run.remedy):
        return np.array([thresholds[name][label] for label in run.classes()])


def _for_precision(run: RunFolder, name: str, precision: float) -> Thresholds:
    if not 0 < precision < 1:
        raise ConfigError(f"precision is {precision:g}, but must be between 0 and 1.")
    data = read_data(run)
    if not data.task.multilabel:
        raise ConfigError(
            "precision is only for runs with several labels per clip: this run predicts the most probable "
            "class."
        )
    by_model = run.out_of_fold(data.task.classes)
    if name not in by_model:
        raise ConfigError(f"This run has no model {name!r}. It has: {', '.join(by_model)}.")
    predictions = by_model[name]
    rows = pd.Index(data.clips.table["clip_id"]).get_indexer(pd.Index(predictions.clip_id))
    clips = data.clips.take(rows)
    weight = clips.table["weight"].to_numpy(dtype=float)
    return precision_thresholds(predictions.proba, clips.targets(data.task.classes), precision, weight)


def never_named(classes: Sequence[str], thresholds: Thresholds | None, precision: float | None) -> list[str]:
    """Write a sentence about the classes that cannot reach a precision, if there are some."""
    if thresholds is None or precision is None:
        return []
    missed = [name for name, t in zip(classes, thresholds, strict=True) if np.isinf(t)]
    if not missed:
        return []
    return [
        f"{len(missed)} of {len(classes)} classes cannot be trusted to reach a precision of {precision:g} "
        f"(out of fold), and "
        f"{'is' if len(missed) == 1 else 'are'} never predicted: {', '.join(missed)}"
    ]
