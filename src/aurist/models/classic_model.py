"""The result of a classic model as arrays: a linear rule, or support vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from aurist.arrays import Proba
from aurist.calibration import apply_temperature
from aurist.models.base import Inputs, Task
from aurist.models.learnable import checked_classes
from aurist.models.normal_scores import SCORE_ARRAYS, NormalScores

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.float32]
#: Rows predicted at once.
_BLOCK = 1024


@dataclass(frozen=True)
class Rule:
    """Logits of each class: linear in the features, or in the similarities to support vectors.

    Parameters
    ----------
    weight
        (d, k) of the features, or (n_vectors, k) of the similarities.
    intercept
        (k,)
    vectors
        (n_vectors, d); none for a linear rule.
    gamma
        (k,): the decay of similarity, ``exp(-gamma * squared distance)``; empty for a linear rule.
    """

    weight: Floats
    intercept: Floats
    vectors: Rows
    gamma: Floats

    @classmethod
    def linear(cls, weight: Floats, intercept: Floats) -> Self:
        """Make a rule that is linear in the features; see `Rule`."""
        return cls(weight, intercept, np.zeros((0, len(weight)), dtype=np.float32), np.zeros(0))

    @cached_property
    def _squares(self) -> Floats:
        """(n_vectors,): the squared length of each vector, which takes as long as the rest for a few rows."""
        return np.asarray((self.vectors.astype(np.float64) ** 2).sum(axis=1))

    def logits(self, scaled: Rows) -> Floats:
        """Return the logits of rows (n, d): (n, k)."""
        if not len(self.gamma):
            return scaled @ self.weight + self.intercept
        vectors = self.vectors.astype(np.float64)
        x = scaled.astype(np.float64)
        squared = (x**2).sum(axis=1)[:, None] + self._squares - 2 * x @ vectors.T
        distance = np.maximum(squared, 0)
        out = np.empty((len(x), len(self.intercept)))
        for gamma in np.unique(self.gamma):
            columns = self.gamma == gamma
            out[:, columns] = np.exp(-gamma * distance) @ self.weight[:, columns]
        return out + self.intercept


@dataclass(frozen=True)
class ClassicModel:
    """A rule fitted on one fold.

    ``seen`` are the positions of the classes in the training rows, ``always`` of labels that all of them had.
    """

    ready: NormalScores
    rule: Rule
    temperature: float
    n_features: int
    n_classes: int
    seen: Sequence[int]
    always: Sequence[int]
    multilabel: bool

    def predict_proba(self, inputs: Inputs) -> Proba:
        """Return (n, n_classes), calibrated on the validation part.

        Raises
        ------
        ValueError
            If there is another number of features.
        """
        from scipy.special import expit, softmax

        matrix = inputs.matrix(self.n_features)
        out = np.zeros((len(matrix), self.n_classes))
        for start in range(0, len(matrix), _BLOCK):
            rows = slice(start, start + _BLOCK)
            logits = self.rule.logits(self.ready.transform(matrix[rows]))
            out[rows, list(self.seen)] = expit(logits) if self.multilabel else softmax(logits, axis=1)
        proba = apply_temperature(out, self.temperature, multilabel=self.multilabel)
        proba[:, list(self.always)] = 1.0
        return proba

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Give the arrays by name, for a file."""
        return self.ready.to_arrays() | {
            "weight": self.rule.weight,
            "intercept": self.rule.intercept,
            "vectors": self.rule.vectors,
            "gamma": self.rule.gamma,
            "temperature": np.asarray(self.temperature),
            "n_features": np.asarray(self.n_features),
            "seen": np.asarray(self.seen, dtype=np.int32),
            "always": np.asarray(self.always, dtype=np.int32),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], task: Task) -> Self:
        """Make a model from the arrays of a file, and check them.

        Raises
        ------
        ValueError
            If they do not fit each other.
        """
        n_features, n_classes = int(arrays["n_features"]), len(task.classes)
        ready = NormalScores.from_arrays(arrays, n_features)
        seen, always = (checked_classes(arrays[name], n_classes) for name in ("seen", "always"))
        vectors = arrays["vectors"].astype(np.float32)
        weight, intercept, gamma = (
            arrays[name].astype(np.float64) for name in ("weight", "intercept", "gamma")
        )
        n_inputs = len(vectors) if len(gamma) else ready.n_columns
        if weight.shape != (n_inputs, len(seen)) or intercept.shape != (len(seen),):
            raise ValueError(f"its weights have the shape {weight.shape} for {len(seen)} classes")
        if len(gamma) not in (0, len(seen)) or vectors.shape[1] != ready.n_columns:
            raise ValueError(f"its vectors have the shape {vectors.shape}")
        rule = Rule(weight, intercept, vectors, gamma)
        return cls(
            ready, rule, float(arrays["temperature"]), n_features, n_classes, seen, always, task.multilabel
        )


#: Dimensions of the arrays of a file, for `aurist.stored.read_arrays`.
CLASSIC_ARRAYS: dict[str, tuple[int, ...]] = SCORE_ARRAYS | {
    "weight": (2,), "intercept": (1,), "vectors": (2,), "gamma": (1,), "temperature": (0,), "n_features": (0,),
    "seen": (1,), "always": (1,),
}  # fmt: skip
