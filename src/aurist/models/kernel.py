"""Kernel ridge regression with Laplace's kernel: predict all labels at once, from the distances to the training rows.

With few clips and many features this is the strongest single model of features that we know, and takes seconds. Large
data are approximated by a random sample of rows, the landmarks (Nystrom's approximation).

Sources: C. Saunders, A. Gammerman, V. Vovk, "Ridge regression learning algorithm in dual variables", ICML 1998; on
why Laplace's kernel and not the Gaussian one, A. Geifman et al., "On the similarity between the Laplace and neural
tangent kernels", NeurIPS 2020; on landmarks, A. Rudi et al., "Less is more: Nystrom computational regularization",
NeurIPS 2015.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aurist.arrays import Proba
from aurist.calibration import apply_temperature, choose_temperature
from aurist.features.matrix import float_matrix
from aurist.files import write_arrays
from aurist.metrics import UNKNOWN, metric
from aurist.models.base import Examples, Fitted, Inputs, ModelSpec, Task, fit_again
from aurist.models.kernel_model import KERNEL_ARRAYS, Floats, KernelModel, Rows, distances
from aurist.models.learnable import always_present, learnable, require_classes
from aurist.models.normal_scores import NormalScores
from aurist.stored import read_arrays, stored

MODEL_FILE = "kernel.npz"
#: Tried on the validation part: the decay of similarity over the median distance of rows, and the ridge.
_FALLS, _RIDGES = (0.25, 0.5, 1.0, 2.0), (0.03, 0.1, 0.3, 1.0)
#: The fall and the ridge that are chosen most.
_USUAL = 0.5, 0.1
#: The most rows that are used as they are; more are approximated by this many of them.
LANDMARKS = 3000
#: Rows to compare with the landmarks at once.
_CHUNK_ROWS = 1024
_LEAST = 1e-6


class KernelEngine:
    """Solves for the weights of the rows, and stores them as arrays."""

    alone = False
    resumes = False

    def fit(
        self,
        folder: Path,
        task: Task,
        member: ModelSpec,
        train: Examples,
        validation: Examples,
        seconds: float,
    ) -> Fitted:
        """Choose fall, ridge and temperature on ``validation``, then solve for all training rows."""
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1):
            fall, ridge = _choose(task, train, validation)
            validation_proba = _fit(train, task, fall, ridge).predict_proba(validation.inputs)
            temperature = choose_temperature(
                validation_proba, validation.targets, validation.weight, multilabel=task.multilabel
            )
            validation_proba = apply_temperature(validation_proba, temperature, multilabel=task.multilabel)
            model = replace(_fit(train.concat(validation), task, fall, ridge), temperature=temperature)
        write_arrays(folder / MODEL_FILE, model.to_arrays())
        return Fitted(model, validation_proba)

    def load(self, folder: Path, task: Task, member: ModelSpec) -> KernelModel:
        """Load the model.

        Raises
        ------
        RunError
            If its file is missing or damaged.
        """
        path = folder / MODEL_FILE
        arrays = read_arrays(path, KERNEL_ARRAYS, fit_again(folder))
        with stored(path, fit_again(folder)):
            return KernelModel.from_arrays(arrays, task)

    def portable_files(self, folder: Path, task: Task) -> list[Path]:
        """List the one file of arrays."""
        return [folder / MODEL_FILE]


def kernel_proba(task: Task, train: Examples, inputs: Inputs) -> Proba:
    """Fit on ``train`` with usual settings, neither chosen nor calibrated, and return predictions (n, n_classes)."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        return _fit(train, task, *_USUAL).predict_proba(inputs)


def _choose(task: Task, train: Examples, validation: Examples) -> tuple[float, float]:
    """Choose the fall (per median distance) and the ridge by the log loss of ``validation``, on a sample of rows."""
    log_loss = metric("log_loss")
    drawn = np.random.default_rng(task.seed).permutation(len(train.targets))[:LANDMARKS]
    train = train.take(np.sort(drawn))
    start, _ = _start(train, task)
    within = distances(start.rows, start.rows)
    across = distances(start.ready.transform(float_matrix(validation.features)), start.rows)
    middle = _median(within)
    tried = []
    for fall in _FALLS:
        kernel = np.exp(-fall / middle * within)
        for ridge in _RIDGES:
            model = replace(start, fall=fall / middle, dual=_solve(start, kernel, ridge, train))
            proba = model.at(across)
            temperature = choose_temperature(
                proba, validation.targets, validation.weight, multilabel=task.multilabel
            )
            calibrated = apply_temperature(proba, temperature, multilabel=task.multilabel)
            tried.append(
                (
                    log_loss(validation.targets, calibrated, validation.weight, multilabel=task.multilabel),
                    ridge,
                    -fall,
                )
            )
    _, ridge, minus = max(tried)
    return -minus, ridge


def _fit(examples: Examples, task: Task, fall: float, ridge: float) -> KernelModel:
    """Fit without calibration. ``fall`` is per median distance."""
    start, scaled = _start(examples, task)
    within = distances(start.rows, start.rows)
    start = replace(start, fall=fall / _median(within))
    kernel = np.exp(-start.fall * within)
    if len(start.rows) == len(scaled):
        return replace(start, dual=_solve(start, kernel, ridge, examples))
    return replace(start, dual=_solve_by_landmarks(start, scaled, kernel, ridge, examples))


def _start(examples: Examples, task: Task) -> tuple[KernelModel, Rows]:
    """Return a model without its weights, and all rows with scaled features."""
    seen, _ = learnable(examples.targets, multilabel=task.multilabel)
    require_classes(seen, "kernel", multilabel=task.multilabel)
    targets = examples.targets[:, seen]
    weight = examples.weight[:, None] * (targets != UNKNOWN)
    prior = ((targets == 1) * weight).sum(axis=0) / np.maximum(weight.sum(axis=0), _LEAST)
    matrix = float_matrix(examples.features)
    ready = NormalScores.fit(examples.features, matrix, task.seed)
    scaled = ready.transform(matrix)
    rows = _landmarks(scaled, task.seed)
    always = always_present(examples.targets) if task.multilabel else []
    none = np.zeros((len(rows), len(seen)))
    n_features, n_classes = matrix.shape[1], len(task.classes)
    model = KernelModel(
        ready, rows, none, prior, 1.0, 1.0, n_features, n_classes, seen, always, task.multilabel
    )
    return model, scaled


def _landmarks(scaled: Rows, seed: int) -> Rows:
    """Return all rows, or `LANDMARKS` different ones at random."""
    if len(scaled) <= LANDMARKS:
        return scaled
    different = np.unique(scaled, axis=0)
    return different[np.sort(np.random.default_rng(seed).permutation(len(different))[:LANDMARKS])]


def _solve(start: KernelModel, kernel: Floats, ridge: float, examples: Examples) -> Floats:
    """Solve for the weights of the rows, (n, n_seen); 0 for rows whose label is unknown."""
    from scipy.linalg import solve

    own = ridge * examples.weight.mean() / np.maximum(examples.weight, _LEAST)
    targets, dual = examples.targets[:, start.seen], np.zeros(start.dual.shape)
    for is_known, columns in _labels_by_known_rows(targets):
        rows = np.flatnonzero(is_known)
        system = kernel[np.ix_(rows, rows)]
        system[np.diag_indices_from(system)] += own[rows]
        residual = (targets[np.ix_(rows, columns)] == 1) - start.prior[columns]
        dual[np.ix_(rows, columns)] = solve(system, residual, assume_a="pos", overwrite_a=True)
    return dual


def _solve_by_landmarks(
    start: KernelModel, scaled: Rows, kernel: Floats, ridge: float, examples: Examples
) -> Floats:
    """Solve for the weights of the landmarks, (n_landmarks, n_seen), with the least error over all rows."""
    from scipy.linalg import solve

    weight = examples.weight / examples.weight.mean()
    targets, dual = examples.targets[:, start.seen], np.zeros(start.dual.shape)
    for is_known, columns in _labels_by_known_rows(targets):
        system, residual = ridge * kernel, np.zeros((len(kernel), len(columns)))
        system[np.diag_indices_from(system)] += _LEAST
        for i in range(0, len(scaled), _CHUNK_ROWS):
            rows = slice(i, i + _CHUNK_ROWS)
            near = np.exp(-start.fall * distances(scaled[rows], start.rows))
            counted = near * (weight[rows] * is_known[rows])[:, None]
            system += counted.T @ near
            residual += counted.T @ ((targets[rows, columns] == 1) - start.prior[columns])
        dual[:, columns] = solve(system, residual, assume_a="pos", overwrite_a=True)
    return dual


def _labels_by_known_rows(
    targets: npt.NDArray[np.int8],
) -> Iterator[tuple[npt.NDArray[np.bool_], npt.NDArray[np.intp]]]:
    """Group labels that are known for the same rows: yield these rows, and the columns of the labels."""
    patterns, which = np.unique(targets != UNKNOWN, axis=1, return_inverse=True)
    for pattern, is_known in enumerate(patterns.T):
        yield is_known, np.flatnonzero(which.ravel() == pattern)


def _median(distances: Floats) -> float:
    """Return the median distance; 1 if all rows are equal."""
    return float(np.median(distances)) or 1.0
