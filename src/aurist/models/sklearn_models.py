"""The classics of small sets: support vector machines, discriminant analysis, logistic and ridge regression.

Where there are few hundred clips and several hundred features these are as good as trees, and wrong on other clips.
Features are brought to normal distributions first, by their ranks: no unit and no outlier counts for more.

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
from aurist.metrics import UNKNOWN, metric
from aurist.models.base import Examples, FitFailedError, Fitted, Inputs, ModelSpec, Task
from aurist.models.forest import as_numbers
from aurist.models.sklearn_io import everywhere, learnable, normal_features, read_kept, write_kept

MODEL_FILE = "classic.skops"
#: What is tried on the validation part: how much is forgiven for a simpler boundary.
_STRENGTHS: dict[str, tuple[float, ...]] = {
    "svm": (1.0, 10.0),
    "logistic": (0.001, 0.01, 0.1),
    "lda": (1.0,),
    "ridge": (0.01,),
}
#: Rows that ridge regression learns from at the most: it is there to end in seconds, however large a table is.
_RIDGE_ROWS = 20_000
#: Logits a unit of distance, before they are tempered.
_STEEP = 4.0


@dataclass
class ClassicModel:
    """A pipeline fitted on one fold.

    ``seen`` are the positions of the classes that it met, ``always`` of labels that all rows had.
    """

    pipeline: Any
    temperature: float
    n_classes: int
    seen: list[int]
    multilabel: bool
    always: list[int]

    def predict_proba(self, inputs: Inputs) -> Proba:
        """(n, n_classes): calibrated on the validation part."""
        out = np.zeros((len(inputs), self.n_classes))
        out[:, self.seen] = _proba(self.pipeline, as_numbers(inputs.features), multilabel=self.multilabel)
        said = apply_temperature(out, self.temperature, multilabel=self.multilabel)
        said[:, self.always] = 1.0
        return said


class ClassicEngine:
    """Fits one of the classics with scikit-learn and keeps it with skops, without pickle."""

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
        """Choose the strength and the temperature on ``validation``, then fit on all of the training rows."""
        kind = str(member.settings["kind"])
        log_loss = metric("log_loss")
        tried = []
        for strength in _STRENGTHS[kind]:
            model = _fit(kind, strength, train, task)
            proba = model.predict_proba(validation.inputs)
            model.temperature = choose_temperature(
                proba, validation.targets, validation.weight, multilabel=task.multilabel
            )
            said = apply_temperature(proba, model.temperature, multilabel=task.multilabel)
            loss = log_loss(validation.targets, said, validation.weight, multilabel=task.multilabel)
            tried.append((loss, -strength, model, said))
        _, minus, best, validation_proba = max(tried, key=lambda one: one[:2])
        model = _fit(kind, -minus, train.together(validation), task)
        model.temperature = best.temperature
        write_kept(
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
        """Read the pipeline back; see `aurist.models.sklearn_io.read_kept`."""
        kept = read_kept(folder / MODEL_FILE)
        return ClassicModel(
            kept["pipeline"],
            float(kept["temperature"]),
            len(task.classes),
            list(kept["seen"]),
            task.multilabel,
            list(kept.get("always", [])),
        )


def _fit(kind: str, strength: float, examples: Examples, task: Task) -> ClassicModel:
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.pipeline import make_pipeline
    from threadpoolctl import threadpool_limits

    if kind == "ridge":
        return _fit_ridge(strength, examples, task)
    learner = _learner(kind, strength)
    seen, truth = learnable(examples.targets, multilabel=task.multilabel)
    if len(seen) < (1 if task.multilabel else 2):
        raise FitFailedError(f"{kind}: the rows to learn from hold a single class.")
    if task.multilabel or kind == "svm":
        learner = OneVsRestClassifier(learner)
    ready, numbers = normal_features(examples.features, task.seed), as_numbers(examples.features)
    # on a machine that others use too, a second thread made these small sums forty times as slow: it waits by spinning
    with threadpool_limits(1), warnings.catch_warnings():
        # a class of one clip has no spread of its own, and takes its part in that of the others
        warnings.filterwarnings("ignore", "Only one sample available", UserWarning)
        shown = ready.fit_transform(numbers)
        if task.multilabel or kind == "svm":
            _fit_each(learner, shown, truth, examples.weight, task.seed)
        else:
            _fit_weighted(learner, shown, truth, examples.weight, task.seed)
    pipeline = make_pipeline(ready, learner)
    always = everywhere(examples.targets) if task.multilabel else []
    return ClassicModel(pipeline, 1.0, len(task.classes), seen, task.multilabel, always)


def _fit_ridge(strength: float, examples: Examples, task: Task) -> ClassicModel:
    """Fit all classes at once in closed form, on a sample of the rows where there are many.

    What is not known of a label is taken for absent: no cell can be left out where all labels share one solution.
    """
    from sklearn.linear_model import RidgeClassifier
    from sklearn.pipeline import make_pipeline
    from threadpoolctl import threadpool_limits

    if len(examples.targets) > _RIDGE_ROWS:
        rng = np.random.default_rng(task.seed)
        examples = examples.take(np.sort(rng.choice(len(examples.targets), _RIDGE_ROWS, replace=False)))
    targets = (examples.targets > 0).astype(np.int8)
    seen, truth = learnable(targets, multilabel=task.multilabel)
    if len(seen) < (1 if task.multilabel else 2):
        raise FitFailedError("ridge: the rows to learn from hold a single class.")
    truth = truth[:, 0] if truth.ndim > 1 and truth.shape[1] == 1 else truth
    ready, learner = normal_features(examples.features, task.seed), RidgeClassifier(1 / strength)
    with threadpool_limits(1):
        shown = ready.fit_transform(as_numbers(examples.features))
        learner.fit(shown, truth, sample_weight=examples.weight)
    always = everywhere(targets) if task.multilabel else []
    return ClassicModel(make_pipeline(ready, learner), 1.0, len(task.classes), seen, task.multilabel, always)


def _fit_weighted(
    learner: Any, shown: Any, truth: npt.NDArray[np.integer[Any]], weight: npt.NDArray[np.float64], seed: int
) -> Any:
    """Fit on rows that count by their weight; discriminants, which take none, on a draw by weight."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    if isinstance(learner, LinearDiscriminantAnalysis):
        taken = _drawn_by_weight(truth, weight, seed)
        n_classes = len(np.unique(truth[taken]))
        if len(taken) <= n_classes:
            raise FitFailedError(f"lda: {len(taken)} rows to learn {n_classes} classes from are too few.")
        return learner.fit(shown[taken], truth[taken])
    return learner.fit(shown, truth, sample_weight=weight)


def _fit_each(
    learner: Any, shown: Any, truth: npt.NDArray[np.integer[Any]], weight: npt.NDArray[np.float64], seed: int
) -> None:
    """Fit each class against the rest: scikit-learn's own way leaves out no unknown cells, and takes no weights."""
    from sklearn.base import clone
    from sklearn.preprocessing import LabelBinarizer

    classes = LabelBinarizer(sparse_output=True).fit(
        (truth == 1).astype(np.int8) if truth.ndim > 1 else truth
    )
    columns = truth if truth.ndim > 1 else classes.transform(truth).toarray()
    learner.estimators_ = []
    for column in columns.T:
        known = np.flatnonzero(column != UNKNOWN)
        one = _fit_weighted(clone(learner.estimator), shown[known], column[known], weight[known], seed)
        learner.estimators_.append(one)
    learner.label_binarizer_ = classes


def _drawn_by_weight(
    truth: npt.NDArray[np.integer[Any]], weight: npt.NDArray[np.float64], seed: int
) -> npt.NDArray[np.intp]:
    """Rows for a learner that takes no weights: each as likely as it is heavy, the heaviest of a class surely."""
    if weight.min() == weight.max():
        return np.arange(len(weight))
    heaviest = np.zeros(int(truth.max()) + 1)
    np.maximum.at(heaviest, truth, weight)
    sure = weight >= heaviest[truth]
    return np.flatnonzero(sure | (np.random.default_rng(seed).random(len(weight)) < weight / weight.max()))


def _proba(
    pipeline: Any, numbers: np.ndarray[tuple[int, int], np.dtype[np.float32]], *, multilabel: bool
) -> Proba:
    """(n, n_seen). Distances from the boundaries of support vectors are taken for logits: tempered, these were better
    calibrated than by Platt's way, at a sixth of the time."""
    from scipy.special import expit, softmax

    if hasattr(pipeline, "predict_proba"):
        said = np.asarray(pipeline.predict_proba(numbers), dtype=np.float64)
        # one label alone is answered by two columns
        return said[:, 1:] if multilabel and len(pipeline[-1].estimators_) == 1 else said
    distance = _STEEP * np.asarray(pipeline.decision_function(numbers), dtype=np.float64)
    if distance.ndim == 1:
        distance = distance[:, None] if multilabel else np.column_stack([-distance, distance])
    found = expit(distance) if multilabel else softmax(distance, axis=1)
    return np.asarray(found, dtype=np.float64)


def _learner(kind: str, strength: float) -> Any:
    if kind == "svm":
        from sklearn.svm import SVC

        return SVC(C=strength)
    if kind == "lda":
        from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

        return LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=strength, max_iter=1000)
