"""The out-of-fold predictions of one model, with the truth and the decisions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.clips import Clips
from aurist.ensemble.thresholds import default_decisions
from aurist.errors import ConfigError
from aurist.metrics.scorer import decide
from aurist.run import RunData, RunFolder


@dataclass(frozen=True)
class ReportedModel:
    """The out-of-fold predictions of one model.

    Parameters
    ----------
    model
        The name of its row on the leaderboard.
    clips
        The n scored clips.
    truth, proba
        (n, n_classes).
    groups
        (n,).
    named
        (n, n_classes): the decisions if clips may have several labels, by thresholds chosen on the other folds; None:
        the most probable class.
    """

    model: str
    clips: Clips
    truth: npt.NDArray[np.int8]
    proba: npt.NDArray[np.float64]
    groups: npt.NDArray[np.int64]
    named: npt.NDArray[np.bool_] | None


def model_predictions(run: RunFolder, data: RunData, model: str | None) -> ReportedModel:
    """Read the out-of-fold predictions of a row of the leaderboard; None: the one that predicts.

    Raises
    ------
    ConfigError
        If there is no such row.
    """
    out_of_fold = run.out_of_fold(data.task.classes)
    name = model or run.scores().best
    if name not in out_of_fold:
        raise ConfigError(f"This run has no model {name!r}. It has: {', '.join(out_of_fold)}.")
    ids = out_of_fold[name].clip_id.tolist()
    rows = pd.Index(data.clips.table["clip_id"]).get_indexer(pd.Index(ids))
    clips, proba = data.clips.take(rows), out_of_fold[name].aligned(ids)
    truth, named = clips.targets(data.task.classes), None
    if clips.multilabel:
        weight = clips.table["weight"].to_numpy(dtype=float)
        named = default_decisions(proba, truth, data.groups[rows], data.folds[rows], weight) > 0
    return ReportedModel(name, clips, truth, proba, data.groups[rows], named)


def decisions(reported: ReportedModel) -> npt.NDArray[np.bool_]:
    """Give the decided classes, (n, n_classes): those named, or the most probable one."""
    if reported.named is not None:
        return reported.named
    return decide(reported.proba, multilabel=False).astype(bool)
