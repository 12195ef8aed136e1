"""The solution of kernel ridge regression with Laplace's kernel, as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from aurist.arrays import Proba
from aurist.calibration import apply_temperature
from aurist.models.base import Inputs, Task
from aurist.models.learnable import checked_classes
from aurist.models.loops import model_loops
from aurist.models.normal_scores import SCORE_ARRAYS, NormalScores

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.float32]
#: Logits between the targets 0 and 1, before the calibration.
_STEEP = 12.0
#: Rows to predict at once.
_CHUNK_ROWS = 1024


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

    ready: NormalScores
    rows: Rows
    dual: Floats
    prior: Floats
    fall: float
    temperature: float
    n_features: int
    n_classes: int
    seen: list[int]
    always: list[int]
    multilabel: bool

    def predict_proba(self, inputs: Inputs) -> Proba:
        """Return (n, n_classes), calibrated on the validation part.

        Raises
        ------
        ValueError
            If there is another number of features.
        """
        scaled = self.ready.transform(inputs.matrix(self.n_features))
        chunks = np.split(scaled, range(_CHUNK_ROWS, len(scaled), _CHUNK_ROWS))
        return np.concatenate([self.at(distances(chunk, self.rows)) for chunk in chunks])

    def at(self, distances: Floats) -> Proba:
        """Return (n, n_classes) at these distances from the rows, (n, n_rows)."""
        from scipy.special import expit, softmax

        logits = _STEEP * (self.prior + np.exp(-self.fall * distances) @ self.dual - 0.5)
        out = np.zeros((len(distances), self.n_classes))
        out[:, self.seen] = expit(logits) if self.multilabel else softmax(logits, axis=1)
        proba = apply_temperature(out, self.temperature, multilabel=self.multilabel)
        proba[:, self.always] = 1.0
        return proba

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Give the arrays by name, for a file."""
        return self.ready.to_arrays() | {
            "rows": self.rows,
            "dual": self.dual,
            "prior": self.prior,
            "fall": np.asarray(self.fall),
            "temperature": np.asarray(self.temperature),
            "seen": np.asarray(self.seen, dtype=np.int32),
            "always": np.asarray(self.always, dtype=np.int32),
            "n_features": np.asarray(self.n_features),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], task: Task) -> Self:
        """Make a model from the arrays of a file, and check them.

        Raises
        ------
        ValueError
            If they do not fit each other.
        """
        ready = NormalScores.from_arrays(arrays, int(arrays["n_features"]))
        rows, dual, prior = (arrays[name] for name in ("rows", "dual", "prior"))
        seen, always = (checked_classes(arrays[name], len(task.classes)) for name in ("seen", "always"))
        if (
            rows.shape[1] != ready.n_columns
            or dual.shape != (len(rows), len(seen))
            or prior.shape != (len(seen),)
        ):
            raise ValueError(f"its rows and weights have the shapes {rows.shape} and {dual.shape}")
        return cls(
            ready,
            rows.astype(np.float32),
            dual.astype(np.float64),
            prior.astype(np.float64),
            float(arrays["fall"]),
            float(arrays["temperature"]),
            int(arrays["n_features"]),
            len(task.classes),
            seen,
            always,
            task.multilabel,
        )


#: Dimensions of the arrays of a file, for `aurist.stored.read_arrays`.
KERNEL_ARRAYS: dict[str, tuple[int, ...]] = SCORE_ARRAYS | {
    "rows": (2,), "dual": (2,), "prior": (1,), "fall": (0,), "temperature": (0,), "seen": (1,), "always": (1,),
    "n_features": (0,),
}  # fmt: skip


def distances(scaled: Rows, rows: Rows) -> Floats:
    """Return (n, n_rows): sums of absolute differences."""
    out = np.empty((len(scaled), len(rows)))
    model_loops(len(scaled)).city_block(np.ascontiguousarray(scaled), np.ascontiguousarray(rows), out)
    return out
