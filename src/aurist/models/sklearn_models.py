"""Classic models for small data: support vector machines, discriminant analysis, logistic and ridge regression.

With a few hundred clips and several hundred features these are as good as trees, and make other mistakes. Features
are first brought to normal distributions by their ranks: no unit and no outlier counts for more.

Source: C. Cortes, V. Vapnik, "Support-vector networks", 1995; O. Ledoit, M. Wolf, "A well-conditioned estimator for
large-dimensional covariance matrices", 2004.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from aurist.arrays import Proba
from aurist.calibration import apply_temperature, choose_temperature
from aurist.features.matrix import float_matrix
from aurist.metrics import UNKNOWN, metric
from aurist.models.base import Examples, FitFailedError, Fitted, Inputs, ModelSpec, Task
from aurist.models.sklearn_io import (
    always_present,
    learnable,
    normal_features,
    read_skops,
    require_classes,
    write_skops,
)

MODEL_FILE = "classic.skops"
#: Strengths to try on the validation part: C of the SVM and of the logistic regression, 1 / alpha of the ridge.
_STRENGTHS: dict[str, tuple[float, ...]] = {
    "svm": (1.0, 10.0),
    "logistic": (0.001, 0.01, 0.1),
    "lda": (1.0,),
    "ridge": (0.01,),
}
#: Ridge regression learns from at most this many rows: it ends in seconds, however large the table is.
_RIDGE_ROWS = 20_000
#: Logits per unit of distance, before the calibration.
_STEEP = 4.0


@dataclass
class ClassicModel:
    """A pipeline fitted on one fold.

    ``seen`` are the positions of the classes in the training rows, ``always`` of labels that all of them had.
    """

    pipeline: Any
    temperature: float
    n_classes: int
    seen: list[int]
    multilabel: bool
    always: list[int]

    def predict_proba(self, inputs: Inputs) -> Proba:
        """Return (n, n_classes), calibrated on the validation part."""
        out = np.zeros((len(inputs), self.n_classes))
        out[:, self.seen] = _proba(self.pipeline, float_matrix(inputs.features), multilabel=self.multilabel)
        proba = apply_temperature(out, self.temperature, multilabel=self.multilabel)
        proba[:, self.always] = 1.0
        return proba


class ClassicEngine:
    """Fits one of the classic models with scikit-learn and stores it with skops, without pickle."""

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
        """Choose the strength and the temperature on ``validation``, then fit on all training rows."""
        kind = str(member.settings["kind"])
        log_loss = metric("log_loss")
        tried = []
        for strength in _STRENGTHS[kind]:
            model = _fit(kind, strength, train, task)
            proba = model.predict_proba(validation.inputs)
            model.temperature = choose_temperature(
                proba, validation.targets, validation.weight, multilabel=task.multilabel
            )
            calibrated = apply_temperature(proba, model.temperature, multilabel=task.multilabel)
            loss = log_loss(validation.targets, calibrated, validation.weight, multilabel=task.multilabel)
            tried.append((loss, -strength, model, calibrated))
        _, minus, best, validation_proba = max(tried, key=lambda trial: trial[:2])
        model = _fit(kind, -minus, train.concat(validation), task)
        model.temperature = best.temperature
        write_skops(
            folder / MODEL_FILE,
            {
                "pipeline": model.pipeline,
                "temperature": model.temperature,
                "seen": model.seen,
                "always": model.always,
            },
        )
        return Fitted(model, validation_proba)

    def load(self, folder: Path, task: Task, member: ModelSpec) -> ClassicModel:
        """Load the pipeline; see `aurist.models.sklearn_io.read_skops`."""
        stored = read_skops(folder / MODEL_FILE)
        return ClassicModel(
            stored["pipeline"],
            float(stored["temperature"]),
            len(task.classes),
            list(stored["seen"]),
            task.multilabel,
            list(stored.get("always", [])),
        )


def _fit(kind: str, strength: float, examples: Examples, task: Task) -> ClassicModel:
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.pipeline import make_pipeline
    from threadpoolctl import threadpool_limits

    if kind == "ridge":
        return _fit_ridge(strength, examples, task)
    learner = _learner(kind, strength)
    seen, truth = learnable(examples.targets, multilabel=task.multilabel)
    require_classes(seen, kind, multilabel=task.multilabel)
    if task.multilabel or kind == "svm":
        learner = OneVsRestClassifier(learner)
    ready, numbers = normal_features(examples.features, task.seed), float_matrix(examples.features)
    # one thread: on a shared machine a second one spins while it waits, and these small sums took forty times as long
    with threadpool_limits(1), warnings.catch_warnings():
        # a class of one clip has no variance of its own; it shares that of the others
        warnings.filterwarnings("ignore", "Only one sample available", UserWarning)
        scaled = ready.fit_transform(numbers)
        if task.multilabel or kind == "svm":
            _fit_each(learner, scaled, truth, examples.weight, task.seed)
        else:
            _fit_weighted(learner, scaled, truth, examples.weight, task.seed)
    pipeline = make_pipeline(ready, learner)
    always = always_present(examples.targets) if task.multilabel else []
    return ClassicModel(pipeline, 1.0, len(task.classes), seen, task.multilabel, always)


def _fit_ridge(strength: float, examples: Examples, task: Task) -> ClassicModel:
    """Fit all classes at once in closed form. Of many rows, use a random sample.

    Unknown cells count as absent: all labels share one solution, so no cell can be left out.
    """
    from sklearn.linear_model import RidgeClassifier
    from sklearn.pipeline import make_pipeline
    from threadpoolctl import threadpool_limits

    if len(examples.targets) > _RIDGE_ROWS:
        rng = np.random.default_rng(task.seed)
        examples = examples.take(np.sort(rng.choice(len(examples.targets), _RIDGE_ROWS, replace=False)))
    targets = (examples.targets > 0).astype(np.int8)
    seen, truth = learnable(targets, multilabel=task.multilabel)
    require_classes(seen, "ridge", multilabel=task.multilabel)
    truth = truth[:, 0] if truth.ndim > 1 and truth.shape[1] == 1 else truth
    ready, learner = normal_features(examples.features, task.seed), RidgeClassifier(1 / strength)
    with threadpool_limits(1):
        scaled = ready.fit_transform(float_matrix(examples.features))
        learner.fit(scaled, truth, sample_weight=examples.weight)
    always = always_present(targets) if task.multilabel else []
    return ClassicModel(make_pipeline(ready, learner), 1.0, len(task.classes), seen, task.multilabel, always)


def _fit_weighted(
    learner: Any, scaled: Any, truth: npt.NDArray[np.integer[Any]], weight: npt.NDArray[np.float64], seed: int
) -> Any:
    """Fit on weighted rows. Discriminant analysis takes no weights: it gets a sample by weight."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    if isinstance(learner, LinearDiscriminantAnalysis):
        taken = _sample_by_weight(truth, weight, seed)
        n_classes = len(np.unique(truth[taken]))
        if len(taken) <= n_classes:
            raise FitFailedError(f"lda: {len(taken)} rows are too few to learn {n_classes} classes.")
        return learner.fit(scaled[taken], truth[taken])
    return learner.fit(scaled, truth, sample_weight=weight)


def _fit_each(
    learner: Any, scaled: Any, truth: npt.NDArray[np.integer[Any]], weight: npt.NDArray[np.float64], seed: int
) -> None:
    """Fit each class against the rest. scikit-learn's own fit skips no unknown cells and takes no weights."""
    from sklearn.base import clone
    from sklearn.preprocessing import LabelBinarizer

    classes = LabelBinarizer(sparse_output=True).fit(
        (truth == 1).astype(np.int8) if truth.ndim > 1 else truth
    )
    columns = truth if truth.ndim > 1 else classes.transform(truth).toarray()
    learner.estimators_ = []
    for column in columns.T:
        rows = np.flatnonzero(column != UNKNOWN)
        fitted = _fit_weighted(clone(learner.estimator), scaled[rows], column[rows], weight[rows], seed)
        learner.estimators_.append(fitted)
    learner.label_binarizer_ = classes


def _sample_by_weight(
    truth: npt.NDArray[np.integer[Any]], weight: npt.NDArray[np.float64], seed: int
) -> npt.NDArray[np.intp]:
    """Sample rows with a chance in proportion to their weight; always keep the heaviest of each class."""
    if weight.min() == weight.max():
        return np.arange(len(weight))
    heaviest = np.zeros(int(truth.max()) + 1)
    np.maximum.at(heaviest, truth, weight)
    is_heaviest = weight >= heaviest[truth]
    return np.flatnonzero(
        is_heaviest | (np.random.default_rng(seed).random(len(weight)) < weight / weight.max())
    )


def _proba(
    pipeline: Any, numbers: np.ndarray[tuple[int, int], np.dtype[np.float32]], *, multilabel: bool
) -> Proba:
    """Return the probabilities (n, n_seen).

    Distances from the boundary of a support vector machine count as logits. With a temperature these were better
    calibrated than with Platt's method, in a sixth of the time.
    """
    from scipy.special import expit, softmax

    if hasattr(pipeline, "predict_proba"):
        proba = np.asarray(pipeline.predict_proba(numbers), dtype=np.float64)
        # a single label gets two columns
        return proba[:, 1:] if multilabel and len(pipeline[-1].estimators_) == 1 else proba
    distance = _STEEP * np.asarray(pipeline.decision_function(numbers), dtype=np.float64)
    if distance.ndim == 1:
        distance = distance[:, None] if multilabel else np.column_stack([-distance, distance])
    proba = expit(distance) if multilabel else softmax(distance, axis=1)
    return np.asarray(proba, dtype=np.float64)


def _learner(kind: str, strength: float) -> Any:
    if kind == "svm":
        from sklearn.svm import SVC

        return SVC(C=strength)
    if kind == "lda":
        from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

        return LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=strength, max_iter=1000)
