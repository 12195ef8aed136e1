"""Classic models for small data: support vector machines, discriminant analysis, logistic and ridge regression.

With a few hundred clips and several hundred features these are as good as trees, and make other mistakes. Features
are first brought to normal distributions by their ranks: no unit and no outlier counts for more.

Source: C. Cortes, V. Vapnik, "Support-vector networks", 1995; O. Ledoit, M. Wolf, "A well-conditioned estimator for
large-dimensional covariance matrices", 2004.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from aurist.calibration import apply_temperature, choose_temperature
from aurist.features.matrix import float_matrix
from aurist.files import write_arrays
from aurist.metrics import UNKNOWN, metric
from aurist.models.base import Examples, FitFailedError, Fitted, ModelSpec, Task, fit_again
from aurist.models.classic_model import CLASSIC_ARRAYS, ClassicModel, Rule
from aurist.models.learnable import always_present, learnable, require_classes
from aurist.models.normal_scores import NormalScores
from aurist.stored import read_arrays, stored

MODEL_FILE = "classic.npz"
#: Strengths to try on the validation part: C of the SVM and of the logistic regression, 1 / alpha of the ridge.
_STRENGTHS: dict[str, tuple[float, ...]] = {
    "svm": (1.0, 10.0),
    "logistic": (0.001, 0.01, 0.1),
    "lda": (1.0,),
    "ridge": (0.01,),
}
#: Ridge regression learns from at most this many rows: it ends in seconds, however large the table is.
_RIDGE_ROWS = 20_000
#: Logits per unit of distance from the boundary of a support vector machine or a ridge, before the calibration: with a
#: temperature they were better calibrated than by Platt's method, in a sixth of the time.
_STEEP = 4.0


class ClassicEngine:
    """Fits one of the classic models with scikit-learn and stores it as arrays."""

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
            temperature = choose_temperature(
                proba, validation.targets, validation.weight, multilabel=task.multilabel
            )
            calibrated = apply_temperature(proba, temperature, multilabel=task.multilabel)
            loss = log_loss(validation.targets, calibrated, validation.weight, multilabel=task.multilabel)
            tried.append((loss, -strength, temperature, calibrated))
        _, minus, temperature, validation_proba = max(tried, key=lambda trial: trial[:2])
        model = replace(_fit(kind, -minus, train.concat(validation), task), temperature=temperature)
        write_arrays(folder / MODEL_FILE, model.to_arrays())
        return Fitted(model, validation_proba)

    def load(self, folder: Path, task: Task, member: ModelSpec) -> ClassicModel:
        """Load the model.

        Raises
        ------
        RunError
            If its file is missing or damaged.
        """
        arrays = read_arrays(folder / MODEL_FILE, CLASSIC_ARRAYS, fit_again(folder))
        with stored(folder / MODEL_FILE, fit_again(folder)):
            return ClassicModel.from_arrays(arrays, task)

    def portable_files(self, folder: Path, task: Task) -> list[Path]:
        """List the one file of arrays."""
        return [folder / MODEL_FILE]


def _fit(kind: str, strength: float, examples: Examples, task: Task) -> ClassicModel:
    from sklearn.multiclass import OneVsRestClassifier
    from threadpoolctl import threadpool_limits

    if kind == "ridge":
        return _fit_ridge(strength, examples, task)
    learner = _learner(kind, strength)
    seen, truth = learnable(examples.targets, multilabel=task.multilabel)
    require_classes(seen, kind, multilabel=task.multilabel)
    each = task.multilabel or kind == "svm"
    if each:
        learner = OneVsRestClassifier(learner)
    matrix = float_matrix(examples.features)
    ready = NormalScores.fit(examples.features, matrix, task.seed)
    # one thread: on a shared machine a second one spins while it waits, and these small sums took forty times as long
    with threadpool_limits(1), warnings.catch_warnings():
        # a class of one clip has no variance of its own; it shares that of the others
        warnings.filterwarnings("ignore", "Only one sample available", UserWarning)
        scaled = ready.transform_sparse(matrix)
        if each:
            _fit_each(learner, scaled, truth, examples.weight, task.seed)
        else:
            _fit_weighted(learner, scaled, truth, examples.weight, task.seed)
    rule = _svm_rule(learner.estimators_) if kind == "svm" else _linear_rule(learner, each=each)
    if not task.multilabel and len(rule.intercept) == 1:
        rule = _two_classes(rule, symmetric=kind == "svm")
    return _model(ready, rule, matrix, examples.targets, seen, task)


def _fit_ridge(strength: float, examples: Examples, task: Task) -> ClassicModel:
    """Fit all classes at once in closed form. Of many rows, use a random sample.

    Unknown cells count as absent: all labels share one solution, so no cell can be left out.
    """
    from sklearn.linear_model import RidgeClassifier
    from threadpoolctl import threadpool_limits

    if len(examples.targets) > _RIDGE_ROWS:
        rng = np.random.default_rng(task.seed)
        examples = examples.take(np.sort(rng.choice(len(examples.targets), _RIDGE_ROWS, replace=False)))
    targets = (examples.targets > 0).astype(np.int8)
    seen, truth = learnable(targets, multilabel=task.multilabel)
    require_classes(seen, "ridge", multilabel=task.multilabel)
    truth = truth[:, 0] if truth.ndim > 1 and truth.shape[1] == 1 else truth
    matrix = float_matrix(examples.features)
    ready, learner = NormalScores.fit(examples.features, matrix, task.seed), RidgeClassifier(1 / strength)
    with threadpool_limits(1):
        learner.fit(ready.transform_sparse(matrix), truth, sample_weight=examples.weight)
    weight, intercept = np.atleast_2d(learner.coef_).T, np.atleast_1d(learner.intercept_)
    rule = Rule.linear(_STEEP * weight.astype(np.float64), _STEEP * intercept.astype(np.float64))
    if not task.multilabel and len(rule.intercept) == 1:
        rule = _two_classes(rule, symmetric=True)
    return _model(ready, rule, matrix, targets, seen, task)


def _model(
    ready: NormalScores,
    rule: Rule,
    matrix: npt.NDArray[np.float32],
    targets: npt.NDArray[np.int8],
    seen: list[int],
    task: Task,
) -> ClassicModel:
    always = always_present(targets) if task.multilabel else []
    return ClassicModel(ready, rule, 1.0, matrix.shape[1], len(task.classes), seen, always, task.multilabel)


def _linear_rule(learner: Any, *, each: bool) -> Rule:
    """Take the weights out of a linear model, or of one for each label."""
    learners = learner.estimators_ if each else [learner]
    weight = np.concatenate([np.atleast_2d(one.coef_) for one in learners]).T
    intercept = np.concatenate([np.atleast_1d(one.intercept_) for one in learners])
    return Rule.linear(weight.astype(np.float64), intercept.astype(np.float64))


def _svm_rule(machines: Sequence[Any]) -> Rule:
    """Join the support vectors of the machines of all classes, each vector once."""
    vectors = [_dense(machine.support_vectors_) for machine in machines]
    joined, position = np.unique(np.concatenate(vectors), axis=0, return_inverse=True)
    owner = np.repeat(np.arange(len(machines)), [len(rows) for rows in vectors])
    weight = np.zeros((len(joined), len(machines)))
    dual = np.concatenate([_dense(machine.dual_coef_)[0] for machine in machines])
    np.add.at(weight, (position.ravel(), owner), _STEEP * dual)
    intercept = _STEEP * np.array([float(machine.intercept_[0]) for machine in machines])
    gamma = np.array([float(machine._gamma) for machine in machines])
    return Rule(weight, intercept, joined.astype(np.float32), gamma)


def _two_classes(rule: Rule, *, symmetric: bool) -> Rule:
    """Make the logits of two classes of one: the other class has its negative, or 0."""
    other = -1.0 if symmetric else 0.0
    weight, intercept = rule.weight * [[other, 1.0]], rule.intercept * [other, 1.0]
    return replace(rule, weight=weight, intercept=intercept, gamma=np.repeat(rule.gamma, 2))


def _dense(values: Any) -> npt.NDArray[Any]:
    return np.asarray(values.toarray() if hasattr(values, "toarray") else values)


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


def _learner(kind: str, strength: float) -> Any:
    if kind == "svm":
        from sklearn.svm import SVC

        return SVC(C=strength)
    if kind == "lda":
        from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

        return LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=strength, max_iter=1000)
