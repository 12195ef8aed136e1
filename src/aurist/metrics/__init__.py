"""Metrics: pure functions of the truth and the probabilities; higher is always better.

Every metric is a function ``(truth, proba, weight=None, *, multilabel=None) -> float``:

``truth``
    (n, n_classes), 0 or 1: an indicator matrix, with exactly one 1 per row if clips have one label. With several
    labels a cell may be `UNKNOWN`, -1: it is left out of every metric.
``proba``
    (n, n_classes), float. The decision is the most probable class or, if a row may have several labels or none, every
    class above 0.5 (`decide`).
``weight``
    (n,), not negative: the weight of each row. 0 is the same as leaving the row out.
``multilabel``
    True if rows may have several labels or none. If not given, True if any row has.

`log_loss` is negated. A score that is not defined (no rows, no class with a positive) is NaN.

Examples
--------
>>> import numpy as np
>>> truth = np.eye(3)[[0, 1, 2, 2]]
>>> proba = np.array([[0.8, 0.1, 0.1], [0.2, 0.5, 0.3], [0.3, 0.4, 0.3], [0.1, 0.1, 0.8]])
>>> metric("accuracy")(truth, proba)
0.75
>>> metric("macro_f1").name
'f1_macro'
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Protocol

import numpy.typing as npt

from aurist.arrays import Proba
from aurist.errors import ConfigError
from aurist.metrics import classification, ranking
from aurist.metrics.classification import (
    accuracy,
    balanced_accuracy,
    f1_macro,
    f1_micro,
    f1_weighted,
    log_loss,
)
from aurist.metrics.interval import Interval
from aurist.metrics.ranking import average_precision, lwlrap, roc_auc, top_3, top_5, top_k
from aurist.metrics.scorer import UNKNOWN, Prepare, Scorer, Truth, check, decide, is_multilabel

__all__ = [
    "ALIASES",
    "METRICS",
    "UNKNOWN",
    "Interval",
    "Metric",
    "Scorer",
    "accuracy",
    "average_precision",
    "balanced_accuracy",
    "decide",
    "f1_macro",
    "f1_micro",
    "f1_weighted",
    "is_multilabel",
    "log_loss",
    "lwlrap",
    "metric",
    "roc_auc",
    "top_3",
    "top_5",
    "top_k",
]


class ScoreFunction(Protocol):
    """The signature of every metric."""

    def __call__(
        self,
        truth: Truth,
        proba: Proba,
        weight: npt.ArrayLike | None = None,
        *,
        multilabel: bool | None = None,
    ) -> float: ...


@dataclass(frozen=True)
class Metric:
    """A metric and its properties.

    Parameters
    ----------
    name
        The key in `METRICS`.
    function
        Computes the score; calling the metric calls it.
    prepare
        ``(truth, proba, multilabel) -> scorer``: does once all work that does not depend on the weights. Use `scorer`.
    singlelabel, multilabel
        True if it is defined for one label per row, and for several or none.
    needs_proba
        True if it uses the probabilities; False if only the decisions.
    over_classes
        True for a mean over classes, in which rare classes count like common ones.
    is_share
        True if it is between 0 and 1, and 1 is perfect.
    """

    name: str
    function: ScoreFunction
    prepare: Prepare
    singlelabel: bool = True
    multilabel: bool = True
    needs_proba: bool = True
    over_classes: bool = False
    is_share: bool = True

    def __call__(
        self,
        truth: Truth,
        proba: Proba,
        weight: npt.ArrayLike | None = None,
        *,
        multilabel: bool | None = None,
    ) -> float:
        return self.function(truth, proba, weight, multilabel=multilabel)

    def scorer(self, truth: Truth, proba: Proba, multilabel: bool | None = None) -> Scorer:
        """Return a function of row weights, (n, rounds) -> (rounds,), for many weightings of the same rows.

        Raises
        ------
        DataError
            If the arrays cannot be scored.
        """
        return self.prepare(*check(truth, proba, multilabel))


_ALL = (
    Metric("accuracy", accuracy, classification.accuracy_scorer, needs_proba=False),
    Metric(
        "balanced_accuracy",
        balanced_accuracy,
        classification.balanced_accuracy_scorer,
        multilabel=False,
        needs_proba=False,
        over_classes=True,
    ),
    Metric("f1_macro", f1_macro, classification.f1_macro_scorer, needs_proba=False, over_classes=True),
    Metric("f1_micro", f1_micro, classification.f1_micro_scorer, needs_proba=False),
    Metric("f1_weighted", f1_weighted, classification.f1_weighted_scorer, needs_proba=False),
    Metric("log_loss", log_loss, classification.log_loss_scorer, is_share=False),
    Metric("roc_auc", roc_auc, ranking.roc_auc_scorer, over_classes=True),
    Metric("average_precision", average_precision, ranking.average_precision_scorer, over_classes=True),
    Metric("lwlrap", lwlrap, ranking.lwlrap_scorer),
    Metric("top_3", top_3, ranking.top_3_scorer, multilabel=False),
    Metric("top_5", top_5, ranking.top_5_scorer, multilabel=False),
)
METRICS: dict[str, Metric] = {entry.name: entry for entry in _ALL}

ALIASES: dict[str, str] = {
    "acc": "accuracy",
    "auc": "roc_auc",
    "f1": "f1_macro",
    "logloss": "log_loss",
    "macro_f1": "f1_macro",
    "map": "average_precision",
    "micro_f1": "f1_micro",
    "weighted_f1": "f1_weighted",
}


def metric(name: str) -> Metric:
    """Find a metric by its name in `METRICS` or `ALIASES`; case, ``-`` and spaces do not matter.

    Raises
    ------
    ConfigError
        If there is none. The message suggests the nearest name and lists all.

    Examples
    --------
    >>> metric("F1-macro").name, metric("mAP").name
    ('f1_macro', 'average_precision')
    >>> metric("f1_makro")
    Traceback (most recent call last):
    ...
    aurist.errors.ConfigError: There is no metric 'f1_makro'. Did you mean 'f1_macro'? There are: ...
    """
    key = name.strip().lower().replace("-", "_").replace(" ", "_")
    key = ALIASES.get(key, key)
    if key in METRICS:
        return METRICS[key]
    near = difflib.get_close_matches(key, [*METRICS, *ALIASES], n=1, cutoff=0.5)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    raise ConfigError(f"There is no metric '{name}'.{hint} There are: {', '.join(METRICS)}")
