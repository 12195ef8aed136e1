"""Kernel ridge regression with Laplace's kernel: all labels of a set at once, from the distances to its rows.

Where clips are few and features many this is the strongest single model of features that we know, and takes seconds.
Many rows are seen through landmarks, some of them drawn by lot (Nystrom's approximation).

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
from aurist.metrics import UNKNOWN, metric
from aurist.models.base import Examples, FitFailedError, Fitted, Inputs, ModelSpec, Task
from aurist.models.forest import as_numbers
from aurist.models.sklearn_io import everywhere, learnable, normal_features, read_kept, write_kept

MODEL_FILE = "kernel.skops"
Floats = npt.NDArray[np.float64]
#: What is tried on the validation part: how fast likeness falls, over the median distance of rows; and how little an
#: own row is believed.
_FALLS, _RIDGES = (0.25, 0.5, 1.0, 2.0), (0.03, 0.1, 0.3, 1.0)
#: More rows than these are seen through as many of them.
LANDMARKS = 3000
#: Logits between the answers 0 and 1, before they are tempered.
_STEEP = 12.0
#: Rows that are answered at once.
_HELD = 1024
_LEAST = 1e-6


@dataclass(frozen=True)
class KernelModel:
    """What one fold was fitted to.

    Parameters
    ----------
    ready
        Brings features to normal distributions.
    rows
        (n, n_ready): the rows that were learnt from, or landmarks among them.
    dual
        (n, n_seen): how much each of them says of each class.
    prior
        (n_seen,): what is answered far from all rows.
    fall
        By which likeness falls with distance.
    seen, always
        Positions of the classes that were met, and of labels that all rows had.
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
        """(n, n_classes): calibrated on the validation part."""
        shown = _dense(self.ready.transform(as_numbers(inputs.features)))
        told = [self.at(_distances(shown[i : i + _HELD], self.rows)) for i in range(0, len(shown), _HELD)]
        return np.concatenate(told)

    def at(self, distances: Floats) -> Proba:
        """(n, n_classes): at these distances from the rows, (n, n_rows)."""
        from scipy.special import expit, softmax

        logits = _STEEP * (self.prior + np.exp(-self.fall * distances) @ self.dual - 0.5)
        out = np.zeros((len(distances), self.n_classes))
        out[:, self.seen] = expit(logits) if self.multilabel else softmax(logits, axis=1)
        said = apply_temperature(out, self.temperature, multilabel=self.multilabel)
        said[:, self.always] = 1.0
        return said


class KernelEngine:
    """Solves for the weights of the rows, and keeps them with skops, without pickle."""

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
        """Choose fall, ridge and temperature on ``validation``, then solve for all of the training rows."""
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1):
            fall, ridge = _chosen(task, train, validation)
            validation_proba = _learnt(train, task, fall, ridge).predict_proba(validation.inputs)
            heat = choose_temperature(
                validation_proba, validation.targets, validation.weight, multilabel=task.multilabel
            )
            validation_proba = apply_temperature(validation_proba, heat, multilabel=task.multilabel)
            model = replace(_learnt(train.together(validation), task, fall, ridge), temperature=heat)
        names = ("ready", "rows", "dual", "prior", "fall", "temperature", "seen", "always")
        write_kept(folder / MODEL_FILE, {name: getattr(model, name) for name in names})
        return Fitted(model, validation_proba)

    def load(self, folder: Path, task: Task, member: ModelSpec) -> KernelModel:
        """Read it back; see `aurist.models.sklearn_io.read_kept`."""
        kept = read_kept(folder / MODEL_FILE)
        return KernelModel(**kept, n_classes=len(task.classes), multilabel=task.multilabel)


def _chosen(task: Task, train: Examples, validation: Examples) -> tuple[float, float]:
    """Fall, by the median distance, and ridge with the best log loss of ``validation``; from some of many rows."""
    log_loss = metric("log_loss")
    drawn = np.random.default_rng(task.seed).permutation(len(train.targets))[:LANDMARKS]
    train = train.take(np.sort(drawn))
    start, _ = _begun(train, task)
    among = _distances(start.rows, start.rows)
    across = _distances(_dense(start.ready.transform(as_numbers(validation.features))), start.rows)
    middle = _middle(among)
    tried = []
    for fall in _FALLS:
        kernel = np.exp(-fall / middle * among)
        for ridge in _RIDGES:
            model = replace(start, fall=fall / middle, dual=_solved(start, kernel, ridge, train))
            proba = model.at(across)
            heat = choose_temperature(
                proba, validation.targets, validation.weight, multilabel=task.multilabel
            )
            said = apply_temperature(proba, heat, multilabel=task.multilabel)
            tried.append(
                (
                    log_loss(validation.targets, said, validation.weight, multilabel=task.multilabel),
                    ridge,
                    -fall,
                )
            )
    _, ridge, minus = max(tried)
    return -minus, ridge


def _learnt(examples: Examples, task: Task, fall: float, ridge: float) -> KernelModel:
    """Not tempered yet; ``fall`` is by the median distance."""
    start, shown = _begun(examples, task)
    among = _distances(start.rows, start.rows)
    start = replace(start, fall=fall / _middle(among))
    kernel = np.exp(-start.fall * among)
    if len(start.rows) == len(shown):
        return replace(start, dual=_solved(start, kernel, ridge, examples))
    return replace(start, dual=_solved_by_landmarks(start, shown, kernel, ridge, examples))


def _begun(examples: Examples, task: Task) -> tuple[KernelModel, Floats]:
    """A model whose weights are not known yet, and all rows as it sees them."""
    seen, _ = learnable(examples.targets, multilabel=task.multilabel)
    if len(seen) < (1 if task.multilabel else 2):
        raise FitFailedError("kernel: the rows to learn from hold a single class.")
    targets = examples.targets[:, seen]
    weight = examples.weight[:, None] * (targets != UNKNOWN)
    prior = ((targets == 1) * weight).sum(axis=0) / np.maximum(weight.sum(axis=0), _LEAST)
    ready = normal_features(examples.features, task.seed)
    shown = _dense(ready.fit_transform(as_numbers(examples.features)))
    rows = _landmarks(shown, task.seed)
    always = everywhere(examples.targets) if task.multilabel else []
    none = np.zeros((len(rows), len(seen)))
    model = KernelModel(ready, rows, none, prior, 1.0, 1.0, len(task.classes), seen, always, task.multilabel)
    return model, shown


def _landmarks(shown: Floats, seed: int) -> Floats:
    """All rows, or so many of them by lot, none twice."""
    if len(shown) <= LANDMARKS:
        return shown
    different = np.unique(shown, axis=0)
    return different[np.sort(np.random.default_rng(seed).permutation(len(different))[:LANDMARKS])]


def _solved(start: KernelModel, kernel: Floats, ridge: float, examples: Examples) -> Floats:
    """(n, n_seen): the weights of the rows; those of which a label is not known have none in it."""
    from scipy.linalg import solve

    own = ridge * examples.weight.mean() / np.maximum(examples.weight, _LEAST)
    targets, dual = examples.targets[:, start.seen], np.zeros(start.dual.shape)
    for known, columns in _alike(targets):
        rows = np.flatnonzero(known)
        system = kernel[np.ix_(rows, rows)]
        system[np.diag_indices_from(system)] += own[rows]
        wanted = (targets[np.ix_(rows, columns)] == 1) - start.prior[columns]
        dual[np.ix_(rows, columns)] = solve(system, wanted, assume_a="pos", overwrite_a=True)
    return dual


def _solved_by_landmarks(
    start: KernelModel, shown: Floats, kernel: Floats, ridge: float, examples: Examples
) -> Floats:
    """(n_landmarks, n_seen): the weights with which they come nearest to all rows, by the same ridge."""
    from scipy.linalg import solve

    weight = examples.weight / examples.weight.mean()
    targets, dual = examples.targets[:, start.seen], np.zeros(start.dual.shape)
    for known, columns in _alike(targets):
        system, wanted = ridge * kernel, np.zeros((len(kernel), len(columns)))
        system[np.diag_indices_from(system)] += _LEAST
        for i in range(0, len(shown), _HELD):
            rows = slice(i, i + _HELD)
            near = np.exp(-start.fall * _distances(shown[rows], start.rows))
            counted = near * (weight[rows] * known[rows])[:, None]
            system += counted.T @ near
            wanted += counted.T @ ((targets[rows, columns] == 1) - start.prior[columns])
        dual[:, columns] = solve(system, wanted, assume_a="pos", overwrite_a=True)
    return dual


def _alike(targets: npt.NDArray[np.int8]) -> Iterator[tuple[npt.NDArray[np.bool_], npt.NDArray[np.intp]]]:
    """Labels of which the same rows are known: these rows, and the columns of the labels."""
    patterns, which = np.unique(targets != UNKNOWN, axis=1, return_inverse=True)
    for place, known in enumerate(patterns.T):
        yield known, np.flatnonzero(which.ravel() == place)


def _middle(distances: Floats) -> float:
    """The median distance; 1 where all rows are alike."""
    return float(np.median(distances)) or 1.0


def _distances(shown: Floats, rows: Floats) -> Floats:
    """(n, n_rows): sums of absolute differences."""
    from scipy.spatial.distance import cdist

    return np.asarray(cdist(shown, rows, "cityblock"))


def _dense(shown: Any) -> Floats:
    """Many categories come as a sparse matrix."""
    return np.asarray(shown.toarray() if hasattr(shown, "toarray") else shown, dtype=np.float64)
