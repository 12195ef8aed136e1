"""AutoGluon as an engine: one predictor for each model and fold, fitted inside the training folds alone.

AutoGluon's own bagging would stop early on the fold that it then scores. Here it chooses on a validation part of the
training folds, and refits with these choices (docs/decisions/0001).
"""

from __future__ import annotations

import math
import shutil
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from aurist.arrays import Proba
from aurist.errors import MissingExtraError, reason
from aurist.files import write_json
from aurist.folders import empty_folder
from aurist.models.base import (
    Examples,
    FitFailedError,
    Fitted,
    Inputs,
    Model,
    ModelSpec,
    NotPortableError,
    Task,
    fit_again,
)
from aurist.models.gluon_start import shorten_start
from aurist.models.gluon_trees import convert_all
from aurist.models.tree_model import read_tree_model, write_tree_model
from aurist.models.trust import require_trust, sign
from aurist.stored import read_json

MODEL_FILE = "trees.npz"
#: Beside predictors that could not be converted.
SETTINGS_FILE = "aurist.json"
LABEL = "__label__"
WEIGHT = "__weight__"
#: Settings of aurist in a model; all others are AutoGluon's hyper-parameters.
KIND, REFIT = "kind", "refit"

#: The name of the seed in each of AutoGluon's models.
_SEED_NAMES = {
    "GBM": "seed", "XGB": "seed", "CAT": "random_seed", "NN_TORCH": "seed_value",
    "RF": "random_state", "XT": "random_state", "LR": "random_state", "TABM": "random_state",
}  # fmt: skip
#: The metric for AutoGluon's early stopping. F1 and similar ones vary much on few rows, and the ensemble needs good
#: probabilities, so the rest use the log loss.
_WATCHED = {"roc_auc": "roc_auc_ovr_macro", "accuracy": "accuracy"}


@dataclass
class AutoGluonModel:
    """One predictor, or one for each label; a constant for a label that does not vary."""

    predictors: list[Any]
    constants: list[float | None]
    task: Task
    chosen: list[str | None]

    def predict_proba(self, inputs: Inputs) -> Proba:
        """Return (n, n_classes) of the refitted model if there is one."""
        return self._proba(inputs.features, self.chosen)

    def _proba(self, features: pd.DataFrame, names: list[str | None]) -> Proba:
        if not self.task.multilabel:
            out = np.zeros((len(features), len(self.task.classes)))
            table = self.predictors[0].predict_proba(features, model=names[0])
            out[:, [self.task.classes.index(str(c)) for c in table.columns]] = table.to_numpy()
            return out
        columns = []
        for predictor, constant, name in zip(self.predictors, self.constants, names, strict=True):
            if predictor is None:
                columns.append(np.full(len(features), constant))
            else:
                columns.append(predictor.predict_proba(features, model=name)["yes"].to_numpy())
        return np.column_stack(columns)


class AutoGluonEngine:
    """Fits one kind of AutoGluon's models (GBM, CAT, XGB, RF, XT, NN_TORCH, TABM ...) on one fold."""

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
        """Fit on ``train``, stop early on ``validation``; with the setting ``refit``, fit again on both."""
        if member.settings[KIND] in ("NN_TORCH", "TABM"):
            _need_torch(member)
        columns = [*range(len(task.classes))] if task.multilabel else [None]
        until = time.monotonic() + seconds
        model = AutoGluonModel([], [], task, [])
        partial: list[str | None] = []
        for done, column in enumerate(columns):
            path = folder if column is None else folder / f"label{column:03d}"
            shutil.rmtree(path, ignore_errors=True)
            fitted, chosen = _with_known_label(train, validation, column)
            truth = _truth(fitted, task, column)
            if column is not None and truth.nunique() < 2:
                model.predictors.append(None)
                model.constants.append(float((truth == "yes").mean()) if len(truth) else 0.0)
                names: tuple[str | None, str | None] = (None, None)
            else:
                share = (until - time.monotonic()) / (len(columns) - done)
                predictor, names = _fit_predictor(
                    path, task, member, (fitted, truth), (chosen, _truth(chosen, task, column)), share
                )
                model.predictors.append(predictor)
                model.constants.append(None)
            partial.append(names[0])
            model.chosen.append(names[1])
        validation_proba = model._proba(validation.features, partial)
        with _quiet():
            converted = convert_all(model.predictors, model.chosen, model.constants, task, train.features)
        if converted is not None:
            empty_folder(folder)
            write_tree_model(folder / MODEL_FILE, converted)
            return Fitted(converted, validation_proba)
        write_json(folder / SETTINGS_FILE, {"constants": model.constants, "chosen": model.chosen})
        sign(folder)
        return Fitted(model, validation_proba)

    def load(self, folder: Path, task: Task, member: ModelSpec) -> Model:
        """Load the trees; or the predictors, if they could not be converted.

        AutoGluon's predictors are pickles: see `aurist.models.trust.require_trust`.
        """
        if (folder / MODEL_FILE).exists():
            return read_tree_model(folder / MODEL_FILE, task)
        return _load_predictors(folder, task)

    def portable_files(self, folder: Path, task: Task) -> list[Path]:
        """List the file of trees; predictors that could not be converted hold pickles."""
        if not (folder / MODEL_FILE).exists():
            raise NotPortableError("AutoGluon stores it as pickles, and its trees could not be converted")
        return [folder / MODEL_FILE]


def _load_predictors(folder: Path, task: Task) -> AutoGluonModel:
    shape = {"constants": [(float, None)], "chosen": [(str, None)]}
    stored = read_json(folder / SETTINGS_FILE, shape, fit_again(folder))
    require_trust(folder, "AutoGluon")
    try:
        from autogluon.tabular import TabularPredictor
    except ImportError as error:
        raise MissingExtraError("A model of AutoGluon", "automl") from error
    predictors = []
    for column, constant in enumerate(stored["constants"]):
        label_folder = folder / f"label{column:03d}" if task.multilabel else folder
        with _quiet():
            predictors.append(
                None if constant is not None else TabularPredictor.load(str(label_folder), verbosity=0)
            )
    return AutoGluonModel(predictors, stored["constants"], task, stored["chosen"])


def _fit_predictor(
    path: Path,
    task: Task,
    member: ModelSpec,
    train: tuple[Examples, pd.Series[str]],
    validation: tuple[Examples, pd.Series[str]],
    seconds: float,
) -> tuple[Any, tuple[str, str]]:
    """Fit one predictor. Return it with the names of its model before and after the refit."""
    from autogluon.tabular import TabularPredictor

    shorten_start()
    settings = {key: value for key, value in member.settings.items() if key not in (KIND, REFIT)}
    kind = member.settings[KIND]
    watched = _WATCHED.get(task.metric, "log_loss")
    with _quiet():
        predictor = TabularPredictor(
            label=LABEL,
            path=str(path),
            problem_type="binary" if train[1].nunique() == 2 else "multiclass",
            eval_metric="roc_auc" if watched.startswith("roc") and train[1].nunique() == 2 else watched,
            sample_weight=WEIGHT,
            weight_evaluation=False,
            verbosity=0,
            log_to_file=False,
            # the default drops classes of fewer than ten rows without a message
            learner_kwargs={"label_count_threshold": 1},
        )
        try:
            predictor.fit(
                _frame(*train),
                tuning_data=_frame(*validation),
                hyperparameters={kind: settings | {_SEED_NAMES[kind]: task.seed}},
                fit_weighted_ensemble=False,
                time_limit=None
                if math.isinf(seconds)
                else seconds / (2 if member.settings.get(REFIT) else 1),
                num_cpus=task.jobs,
                calibrate=False,
                raise_on_model_failure=True,
            )
        except Exception as error:  # a learner may raise anything; the other models go on
            raise FitFailedError(
                f"{member.name}: nothing fitted in {max(0.0, seconds):.0f} s: {_why(error)}"
            ) from error
        first = predictor.model_names()[0]
        if not member.settings.get(REFIT):
            return predictor, (first, first)
        refitted = predictor.refit_full(model=first, set_best_to_refit_full=True)
        return predictor, (first, refitted[first])


def _why(error: Exception) -> str:
    """Say why AutoGluon fitted nothing; it has several words for too little time, some with a negative rest."""
    text = reason(error)
    too_late = "TimeLimitExceeded" in text or "time left" in text
    return "the time was too short" if too_late else text


def _with_known_label(train: Examples, validation: Examples, column: int | None) -> tuple[Examples, Examples]:
    """Keep the rows whose label is known. If the validation part has none, choose on the training rows."""
    if column is None:
        return train, validation
    fitted, chosen = train.with_known_label(column), validation.with_known_label(column)
    return fitted, chosen if len(chosen.targets) else fitted


def _truth(examples: Examples, task: Task, column: int | None) -> pd.Series[str]:
    if column is None:
        return pd.Series(np.asarray(task.classes, dtype=object)[examples.targets.argmax(axis=1)])
    return pd.Series(np.where(examples.targets[:, column] > 0, "yes", "no").astype(object))


def _frame(examples: Examples, truth: pd.Series[str]) -> pd.DataFrame:
    table = examples.features.copy()
    table[LABEL] = truth.to_numpy()
    table[WEIGHT] = examples.weight
    return table


def _need_torch(member: ModelSpec) -> None:
    from importlib.util import find_spec

    if find_spec("torch") is None:
        raise MissingExtraError(f"The model {member.name}", "networks")


@contextmanager
def _quiet() -> Iterator[None]:
    """Hide the notices of AutoGluon and its libraries; errors still raise."""
    import logging

    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def select_weights(
    probas: list[Proba], targets: np.ndarray[tuple[int, int], np.dtype[np.int8]], task: Task
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Weigh models by AutoGluon's ensemble selection, as its WeightedEnsemble_L2 does.

    Parameters
    ----------
    probas
        One (n, n_classes) a model.
    targets : (n, n_classes)
        Indicator matrix, one label a row.
    task
        Its metric is the objective if AutoGluon has it, else the log loss.
    """
    from autogluon.core.metrics import METRICS
    from autogluon.core.models.greedy_ensemble.ensemble_selection import EnsembleSelection

    metrics = METRICS["multiclass"]
    chosen = metrics[task.metric if task.metric in metrics and task.metric != "roc_auc" else "log_loss"]
    # the log loss needs a positive probability for every class
    floored = [np.clip(proba, 1e-7, None) for proba in probas]
    floored = [proba / proba.sum(axis=1, keepdims=True) for proba in floored]
    selection = EnsembleSelection(
        ensemble_size=25,
        problem_type="multiclass",
        metric=chosen,
        random_state=np.random.RandomState(task.seed),
    )
    with _quiet():
        selection.fit(floored, targets.argmax(axis=1))
    weights: np.ndarray[tuple[int], np.dtype[np.float64]] = np.asarray(selection.weights_, dtype=np.float64)
    return weights
