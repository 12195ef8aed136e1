"""mljar-supervised as a second engine: its AutoML on one fold, which chooses on the validation part alone."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from aurist.arrays import Proba
from aurist.errors import MissingExtraError, reason
from aurist.files import write_json
from aurist.models.base import (
    Examples,
    FitFailedError,
    Fitted,
    Inputs,
    ModelSpec,
    NotPortableError,
    Task,
    fit_again,
)
from aurist.models.trust import require_trust, sign
from aurist.stored import read_json

#: mljar's modes: they set the number of models and the stacking.
_MODES = {"quick": "Explain", "good": "Perform", "best": "Compete"}
_LEARNERS = ["Linear", "LightGBM", "Xgboost", "CatBoost", "Neural Network", "Random Forest", "Extra Trees"]
#: mljar's name of a metric that it has; the others use the log loss.
_METRICS = {"accuracy": "accuracy", "f1_macro": "f1", "roc_auc": "auc"}
_BINARY_ONLY = ("auc",)
#: Share of the time that mljar gets as its limit: it finishes the model in hand, and took up to twice its limit.
_TIME_SHARE = 0.5
#: Seconds if there is no limit: mljar needs a number, and chooses its trials by it.
_LONG = 36_000.0


@dataclass
class MljarModel:
    """One AutoML, or one for each label; a constant for a label that does not vary."""

    automls: list[Any]
    constants: list[float | None]
    seen: list[int]
    task: Task

    def predict_proba(self, inputs: Inputs) -> Proba:
        """Return (n, n_classes) of mljar's best model, mostly its ensemble."""
        plain = _plain(inputs.features)
        if not self.task.multilabel:
            out = np.zeros((len(inputs), len(self.task.classes)))
            with _quiet():
                out[:, self.seen] = self.automls[0].predict_proba(plain)
            return out
        columns = []
        for automl, constant in zip(self.automls, self.constants, strict=True):
            if automl is None:
                columns.append(np.full(len(inputs), constant))
            else:
                with _quiet():
                    columns.append(automl.predict_proba(plain)[:, 1])
        return np.column_stack(columns)


class MljarEngine:
    """Fits mljar's AutoML on one fold."""

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
        """Fit on ``train`` in about ``seconds``, with ``validation`` as mljar's only validation."""
        mode = _MODES[str(member.settings.get("preset", "good"))]
        model = MljarModel([], [], [], task)
        if not task.multilabel:
            model.seen = [int(c) for c in np.flatnonzero(train.targets.sum(axis=0) > 0)]
            known_class = validation.take(np.flatnonzero(validation.targets[:, model.seen].any(axis=1)))
            truth = [np.searchsorted(model.seen, e.targets.argmax(axis=1)) for e in (train, known_class)]
            model.automls = [
                _fit_automl(
                    folder / "automl", task, mode, (train, truth[0]), (known_class, truth[1]), seconds
                )
            ]
        for column in range(len(task.classes)) if task.multilabel else ():
            parts = [e.with_known_label(column) for e in (train, validation)]
            truth = [e.targets[:, column].astype(np.int64) for e in parts]
            varies = len(np.unique(truth[0])) == 2
            model.constants.append(None if varies else float(truth[0].mean()) if len(truth[0]) else 0.0)
            label_folder = _label_folder(folder, column)
            share = seconds / len(task.classes)
            model.automls.append(
                _fit_automl(label_folder, task, mode, (parts[0], truth[0]), (parts[1], truth[1]), share)
                if varies
                else None
            )
        write_json(folder / "aurist.json", {"constants": model.constants, "seen": model.seen})
        sign(folder)
        return Fitted(model, model.predict_proba(validation.inputs))

    def load(self, folder: Path, task: Task, member: ModelSpec) -> MljarModel:
        """Load the models. They are pickles: see `aurist.models.trust.require_trust`."""
        shape = {"constants": [(float, None)], "seen": [int]}
        stored = read_json(folder / "aurist.json", shape, fit_again(folder))
        require_trust(folder, "mljar")
        if not task.multilabel:
            return MljarModel(
                [_automl_class()(results_path=str(folder / "automl"))], [], stored["seen"], task
            )
        automls = [
            _automl_class()(results_path=str(_label_folder(folder, column))) if constant is None else None
            for column, constant in enumerate(stored["constants"])
        ]
        return MljarModel(automls, stored["constants"], [], task)

    def portable_files(self, folder: Path, task: Task) -> list[Path]:
        """Refuse: mljar's models are pickles."""
        raise NotPortableError("mljar stores it as pickles")


def _label_folder(folder: Path, column: int) -> Path:
    return folder / f"label{column:03d}"


def _automl_class() -> Any:
    try:
        with _quiet():
            from supervised.automl import AutoML
    except ImportError as error:
        raise MissingExtraError("The engine mljar", "mljar") from error
    return AutoML


def _fit_automl(
    folder: Path,
    task: Task,
    mode: str,
    train: tuple[Examples, Any],
    validation: tuple[Examples, Any],
    seconds: float,
) -> Any:
    shutil.rmtree(folder, ignore_errors=True)
    multiclass = len(np.unique(train[1])) > 2
    objective = _METRICS.get(task.metric, "logloss")
    if multiclass and objective in _BINARY_ONLY:
        objective = "logloss"
    automl = _automl_class()(
        results_path=str(folder),
        mode=mode,
        ml_task="multiclass_classification" if multiclass else "binary_classification",
        algorithms=_LEARNERS,
        total_time_limit=max(int(_TIME_SHARE * min(seconds, _LONG)), 1),
        eval_metric=objective,
        validation_strategy={"validation_type": "custom"},
        explain_level=0,
        golden_features=False,
        kmeans_features=False,
        features_selection=False,
        random_state=task.seed,
        n_jobs=task.jobs,
        verbose=0,
    )
    # mljar's metrics fail if its validation lacks a class: add the first training row of that class
    missing = np.setdiff1d(train[1], validation[1])
    joined = np.array([int(np.flatnonzero(train[1] == name)[0]) for name in missing], dtype=np.intp)
    checked = validation[0].concat(train[0].take(joined))
    features = pd.concat([_plain(train[0].features), _plain(checked.features)], ignore_index=True)
    truth = np.concatenate([train[1], validation[1], train[1][joined]])
    weight = np.concatenate([train[0].weight, checked.weight])
    rows = np.arange(len(truth))
    try:
        with _quiet():
            automl.fit(
                features,
                truth,
                sample_weight=None if (weight == 1).all() else weight,
                cv=[(rows[: len(train[1])], rows[len(train[1]) :])],
            )
    except Exception as error:  # a learner may raise anything; the other models go on
        raise FitFailedError(
            f"mljar: nothing fitted in {max(0.0, seconds):.0f} s: {reason(error)}"
        ) from error
    return automl


def _plain(features: pd.DataFrame) -> pd.DataFrame:
    """Return categories as text: mljar encodes them itself."""
    out = features.copy()
    for name in out.columns:
        if isinstance(out[name].dtype, pd.CategoricalDtype):
            out[name] = out[name].astype(object)
    return out


@contextmanager
def _quiet() -> Iterator[None]:
    """Hide mljar's prints and warnings; errors still raise."""
    with (
        Path(os.devnull).open("w", encoding="utf-8") as sink,
        redirect_stdout(sink),
        redirect_stderr(sink),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        yield
