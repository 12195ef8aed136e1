"""The frames of networks on the clips of the training data, each by the models that had not learnt from it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from aurist.crossval import TrainingData
from aurist.fold_files import load_fold
from aurist.models.base import Task
from aurist.models.network_member import ENGINE as NETWORK
from aurist.models.network_member import recipe_of
from aurist.models.network_model import NetworkModel
from aurist.models.together import predict_parts_together
from aurist.run import ModelFiles

#: Equal parts of a window, each with its own answer of a network that gives times. The number is even, so that the
#: parts of windows that overlap by half coincide.
PARTS = 20


def members_with_frames(files: ModelFiles, row: str) -> list[str]:
    """List the members of a row of the leaderboard that score frames."""
    specs = [files.ensemble.members[name] for name in files.ensemble.members_of(row)]
    return [spec.name for spec in specs if spec.engine == NETWORK and recipe_of(spec).network.has_frames]


def rows_with_frames(files: ModelFiles) -> list[str]:
    """List the rows of the leaderboard with members that score frames."""
    rows = dict.fromkeys([*files.ensemble.weights, *files.ensemble.members])
    return [row for row in rows if members_with_frames(files, row)]


def frames_out_of_fold(
    files: ModelFiles, row: str, learn: TrainingData, rows: npt.NDArray[np.intp]
) -> npt.NDArray[np.uint8]:
    """Predict when in each clip a class is, with the models of its fold.

    Parameters
    ----------
    files, row
        A run, and a row of its leaderboard with `members_with_frames`.
    learn, rows
        The training data, and the n rows to predict; all of them are scored in some fold.

    Returns
    -------
    (n, PARTS, n_classes)
        As `aurist.detection.window_scores.Scores` has it.
    """
    out = np.full((len(rows), PARTS, len(learn.task.classes)), 255, dtype=np.uint8)
    members = members_with_frames(files, row)
    for fold in np.unique(learn.folds[rows]):
        in_fold = np.flatnonzero(learn.folds[rows] == fold)
        weights = files.ensemble.weighted_members(row, int(fold))
        weighted = [(name, weights[name]) for name in members if weights.get(name, 0) > 0]
        if not weighted:
            continue
        models = [_network(files, learn.task, name, int(fold)) for name, _ in weighted]
        parts = predict_parts_together(models, learn.examples.inputs.take(rows[in_fold]), PARTS)
        when = sum(weight * of_parts for (_, weight), (_, of_parts) in zip(weighted, parts, strict=True))
        out[in_fold] = as_bytes(np.asarray(when))
    return out


def as_bytes(when: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    """Divide the parts of each window by their maximum, and scale them to 255."""
    return np.asarray(
        np.rint(when / np.maximum(when.max(axis=1, keepdims=True), 1e-12) * 255), dtype=np.uint8
    )


def _network(files: ModelFiles, task: Task, name: str, fold: int) -> NetworkModel:
    model = load_fold(files.models / name, task, files.ensemble.members[name], fold)
    assert isinstance(model, NetworkModel)
    return model
