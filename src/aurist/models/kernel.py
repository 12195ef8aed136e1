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
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from aurist.arrays import Proba
from aurist.calibration import apply_temperature, choose_temperature
from aurist.features.matrix import float_matrix
from aurist.metrics import UNKNOWN, metric
from aurist.models.base import Examples, Fitted, Inputs, ModelSpec, Task
from aurist.models.sklearn_io import (
    always_present,
    learnable,
    normal_features,
    read_skops,
    require_classes,
    write_skops,
)

MODEL_FILE = "kernel.skops"
Floats = npt.NDArray[np.float64]
#: Tried on the validation part: the decay of similarity over the median distance of rows, and the ridge.
_FALLS, _RIDGES = (0.25, 0.5, 1.0, 2.0), (0.03, 0.1, 0.3, 1.0)
#: The most rows that are used as they are; more are approximated by this many of them.
LANDMARKS = 3000
#: Logits between the targets 0 and 1, before the calibration.
_STEEP = 12.0
#: Rows to predict at once.
_CHUNK_ROWS = 1024
_LEAST = 1e-6


@dataclass(frozen=True)
class KernelModel:
    """The solution of one fold.

    Parameters
    ----------
    ready
        Brings features to normal distributions.
    rows
        (n, n_ready): the training rows, or landmarks among them.
    dual
        (n, n_seen): the weight of each row for each class.
    prior
        (n_seen,): the prediction far from all rows.
    fall
        The decay of similarity per unit of distance.
    seen, always
        Positions of the classes in the training rows, and of labels that all of them had.
    """

    ready: Any
    rows: Floats
    dual: Floats
    prior: Floats
    fall: float
    temperature: float
    n_classes: int
    seen: list[int]
    always: list[int]
    multilabel: bool

    def predict_proba(self, inputs: Inputs) -> Proba:
        """Return (n, n_classes), calibrated on the validation part."""
        scaled = _dense(self.ready.transform(float_matrix(inputs.features)))
        chunks = np.split(scaled, range(_CHUNK_ROWS, len(scaled), _CHUNK_ROWS))
        return np.concatenate([self.at(_distances(chunk, self.rows)) for chunk in chunks])

    def at(self, distances: Floats) -> Proba:
        """Return (n, n_classes) at these distances from the rows, (n, n_rows)."""
        from scipy.special import expit, softmax

        logits = _STEEP * (self.prior + np.exp(-self.fall * distances) @ self.dual - 0.5)
        out = np.zeros((len(distances), self.n_classes))
        out[:, self.seen] = expit(logits) if self.multilabel else softmax(logits, axis=1)
        proba = apply_temperature(out, self.temperature, multilabel=self.multilabel)
        proba[:, self.always] = 1.0
        return proba


class KernelEngine:
    """Solves for the weights of the rows, and stores them with skops, without pickle."""

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
        names = ("ready", "rows", "dual", "prior", "fall", "temperature", "seen", "always")
        write_skops(folder / MODEL_FILE, {name: getattr(model, name) for name in names})
        return Fitted(model, validation_proba)

    def load(self, folder: Path, task: Task, member: ModelSpec) -> KernelModel:
        """Load the model; see `aurist.models.sklearn_io.read_skops`."""
        stored = read_skops(folder / MODEL_FILE)
        return KernelModel(**stored, n_classes=len(task.classes), multilabel=task.multilabel)


def _choose(task: Task, train: Examples, validation: Examples) -> tuple[float, float]:
    """Choose the fall (per median distance) and the ridge by the log loss of ``validation``, on a sample of rows."""
    log_loss = metric("log_loss")
    drawn = np.random.default_rng(task.seed).permutation(len(train.targets))[:LANDMARKS]
    train = train.take(np.sort(drawn))
    start, _ = _start(train, task)
    within = _distances(start.rows, start.rows)
    across = _distances(_dense(start.ready.transform(float_matrix(validation.features))), start.rows)
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
    within = _distances(start.rows, start.rows)
    start = replace(start, fall=fall / _median(within))
    kernel = np.exp(-start.fall * within)
    if len(start.rows) == len(scaled):
        return replace(start, dual=_solve(start, kernel, ridge, examples))
    return replace(start, dual=_solve_by_landmarks(start, scaled, kernel, ridge, examples))


def _start(examples: Examples, task: Task) -> tuple[KernelModel, Floats]:
    """Return a model without its weights, and all rows with scaled features."""
    seen, _ = learnable(examples.targets, multilabel=task.multilabel)
    require_classes(seen, "kernel", multilabel=task.multilabel)
    targets = examples.targets[:, seen]
    weight = examples.weight[:, None] * (targets != UNKNOWN)
    prior = ((targets == 1) * weight).sum(axis=0) / np.maximum(weight.sum(axis=0), _LEAST)
    ready = normal_features(examples.features, task.seed)
    scaled = _dense(ready.fit_transform(float_matrix(examples.features)))
    rows = _landmarks(scaled, task.seed)
    always = always_present(examples.targets) if task.multilabel else []
    none = np.zeros((len(rows), len(seen)))
    model = KernelModel(ready, rows, none, prior, 1.0, 1.0, len(task.classes), seen, always, task.multilabel)
    return model, scaled


def _landmarks(scaled: Floats, seed: int) -> Floats:
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
    start: KernelModel, scaled: Floats, kernel: Floats, ridge: float, examples: Examples
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
            near = np.exp(-start.fall * _distances(scaled[rows], start.rows))
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


def _distances(scaled: Floats, rows: Floats) -> Floats:
    """Return (n, n_rows): sums of absolute differences."""
    from scipy.spatial.distance import cdist

    return np.asarray(cdist(scaled, rows, "cityblock"))


def _dense(scaled: Any) -> Floats:
    """Return a dense array; many categories come as a sparse matrix."""
    return np.asarray(scaled.toarray() if hasattr(scaled, "toarray") else scaled, dtype=np.float64)
