"""The thresholds of a run for clips with several labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.arrays import Proba
from aurist.ensemble.thresholds import (
    SILENT,
    Thresholds,
    in_whole_rows,
    is_silent,
    precision_thresholds,
    thresholds_at,
)
from aurist.errors import ConfigError
from aurist.plan import ENSEMBLE
from aurist.run import ModelFiles, RunFolder, read_data
from aurist.run.thresholds_file import read_thresholds
from aurist.stored import stored


def thresholds_of(
    files: ModelFiles, model: str | None = None, precision: float | None = None
) -> Thresholds | None:
    """Read or choose the threshold of each class.

    Parameters
    ----------
    files
        Of a finished run, or of a model folder.
    model
        A row of its leaderboard; None: the ensemble.
    precision
        The precision to reach; a class that cannot reach it gets an infinite threshold. None: thresholds of the best
        F1, see `aurist.ensemble.thresholds.default_thresholds`.

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
        return _for_precision(files, name, precision)
    if name not in files.thresholds:
        return None
    with stored(files.folder, files.remedy):
        return np.array([files.thresholds[name][label] for label in files.spec.task.classes])


def _for_precision(files: ModelFiles, name: str, precision: float) -> Thresholds:
    if not 0 < precision < 1:
        raise ConfigError(f"precision is {precision:g}, but must be between 0 and 1.")
    if not files.spec.task.multilabel:
        raise ConfigError(
            "precision is only for runs with several labels per clip: this run predicts the most probable "
            "class."
        )
    files.ensemble.check_row(name)
    if files.run is None:
        with stored(files.folder, files.remedy):
            steps = (files.precisions or {})[name]
            return thresholds_at([steps[label] for label in files.spec.task.classes], precision)
    proba, truth, weight = scored_clips(files.run, name)
    return precision_thresholds(proba, in_whole_rows(truth), precision, weight)


def scored_clips(run: RunFolder, name: str) -> tuple[Proba, npt.NDArray[np.int8], npt.NDArray[np.float64]]:
    """Read the out-of-fold predictions of a row, with the truth and the weights of their clips."""
    data = read_data(run)
    predictions = run.out_of_fold(data.task.classes)[name]
    rows = pd.Index(data.clips.table["clip_id"]).get_indexer(pd.Index(predictions.clip_id))
    clips = data.clips.take(rows)
    weight = clips.table["weight"].to_numpy(dtype=float)
    return predictions.proba, clips.targets(data.task.classes), weight


def never_named(classes: Sequence[str], thresholds: Thresholds | None, precision: float | None) -> list[str]:
    """Write a sentence about the classes that cannot reach a precision, or have no skill, if there are some."""
    if thresholds is None:
        return []
    if precision is None:
        return no_skill_sentence(
            [name for name, t in zip(classes, is_silent(thresholds), strict=True) if t], len(classes)
        )
    missed = [name for name, t in zip(classes, thresholds, strict=True) if np.isinf(t)]
    if not missed:
        return []
    return [
        f"{len(missed)} of {len(classes)} classes cannot be trusted to reach a precision of {precision:g} "
        f"(out of fold), and "
        f"{'is' if len(missed) == 1 else 'are'} never predicted: {', '.join(missed)}"
    ]


def no_skill_sentence(silent: Sequence[str], n_classes: int) -> list[str]:
    """Write a sentence about the classes that are never predicted for lack of skill, if there are some.

    Examples
    --------
    >>> no_skill_sentence(["wren"], 12)[0]
    'No skill: 1 of 12 classes is not surely better than chance (out of fold), and never predicted: wren'
    """
    if not silent:
        return []
    verb = "is" if len(silent) == 1 else "are"
    return [
        f"No skill: {len(silent)} of {n_classes} classes {verb} not surely better than chance (out of fold), and "
        f"never predicted: {', '.join(silent)}"
    ]


def silent_classes(run: RunFolder, name: str) -> list[str]:
    """Give the classes that a row of the leaderboard never predicts for lack of skill; none in older runs."""
    thresholds = read_thresholds(run).get(name, {})
    return [label for label, threshold in thresholds.items() if threshold >= SILENT]
