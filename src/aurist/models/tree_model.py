"""A model of trees: the columns that they look at, their sums, and the step from sums to probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from aurist.arrays import Proba
from aurist.files import write_arrays
from aurist.models.base import Inputs, Task, fit_again
from aurist.models.learnable import checked_classes
from aurist.models.trees import TREE_ARRAYS, Trees
from aurist.stored import read_arrays, stored

#: From sums to probabilities: the sums themselves, or their logistic function, or their softmax.
SHARES, SIGMOID, SOFTMAX = 0, 1, 2
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class TreeColumn:
    """A column that trees look at, made of one feature.

    Parameters
    ----------
    source
        The position of the feature.
    missing
        It takes the place of a missing number; None: it stays missing.
    codes
        For a category, the number of each of its values; the last one is that of a missing value.
    zero_is_missing
        True if zeros count as missing numbers, as in a sparse matrix.
    equals
        The column is 1 where the feature is this number, else 0; None: it is the feature itself.
    """

    source: int
    missing: float | None = None
    codes: tuple[float, ...] = ()
    zero_is_missing: bool = False
    equals: float | None = None

    def values(self, matrix: Floats) -> Floats:
        """Make the column, (n,), of the features, (n, n_features)."""
        values = matrix[:, self.source]
        if self.codes:
            last = len(self.codes) - 1
            rows = np.where(np.isnan(values), last, np.clip(np.nan_to_num(values), 0, last)).astype(np.intp)
            values = np.asarray(self.codes, dtype=np.float32)[rows]
        if self.equals is not None:
            values = (values == np.float32(self.equals)).astype(np.float32)
        if self.zero_is_missing:
            values = np.where(values == 0, np.float32(np.nan), values)
        if self.missing is not None:
            values = np.where(np.isnan(values), np.float32(self.missing), values)
        return np.asarray(values)


@dataclass(frozen=True)
class TreeModel:
    """Trees fitted on one fold.

    Parameters
    ----------
    trees
        Their sums have a column for each class of ``seen``.
    link
        `SHARES`, `SIGMOID` or `SOFTMAX`.
    n_features, n_classes
        Numbers of features and of classes.
    seen
        The classes in the training rows, by position.
    constants
        The probability of labels that do not vary in the training rows, by position.
    columns
        The columns that the trees look at; empty: the features as they are.
    intercept
        (n_seen,): added to the sums.
    jobs
        Threads.
    """

    trees: Trees
    link: int
    n_features: int
    n_classes: int
    seen: Sequence[int]
    constants: Mapping[int, float] = field(default_factory=dict)
    columns: Sequence[TreeColumn] = ()
    intercept: npt.NDArray[np.float64] | None = None
    jobs: int = 1

    def predict_proba(self, inputs: Inputs) -> Proba:
        """Return (n, n_classes).

        Raises
        ------
        ValueError
            If there is another number of features.
        """
        matrix = inputs.matrix(self.n_features)
        out = np.zeros((len(matrix), self.n_classes))
        out[:, list(self.seen)] = self._linked(self.trees.sums(self._visible(matrix), self.jobs))
        for column, value in self.constants.items():
            out[:, column] = value
        return out

    def _visible(self, matrix: Floats) -> Floats:
        if not self.columns:
            return matrix
        return np.stack([column.values(matrix) for column in self.columns], axis=1)

    def _linked(self, sums: npt.NDArray[np.float64]) -> Proba:
        from scipy.special import expit, softmax

        if self.link == SHARES:
            return sums
        raw = sums if self.intercept is None else sums + self.intercept
        return np.asarray(expit(raw) if self.link == SIGMOID else softmax(raw, axis=1), dtype=np.float64)

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Give the arrays by name, for a file."""
        width = max((len(column.codes) for column in self.columns), default=0)
        codes = np.full((len(self.columns), width), np.nan, dtype=np.float32)
        for row, column in zip(codes, self.columns, strict=True):
            row[: len(column.codes)] = column.codes
        return self.trees.to_arrays() | {
            "link": np.asarray(self.link),
            "n_features": np.asarray(self.n_features),
            "seen": np.asarray(self.seen, dtype=np.int32),
            "constant_of": np.asarray(list(self.constants), dtype=np.int32),
            "constant": np.asarray(list(self.constants.values()), dtype=np.float64),
            "intercept": np.zeros(0) if self.intercept is None else self.intercept,
            "source": np.asarray([column.source for column in self.columns], dtype=np.int32),
            "missing": _with_nan([column.missing for column in self.columns]),
            "zero_is_missing": np.asarray([column.zero_is_missing for column in self.columns], dtype=bool),
            "equals": _with_nan([column.equals for column in self.columns]),
            "n_codes": np.asarray([len(column.codes) for column in self.columns], dtype=np.int32),
            "codes": codes,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], n_classes: int, jobs: int) -> Self:
        """Make a model from the arrays of a file, and check them.

        Raises
        ------
        ValueError
            If they do not fit each other.
        """
        n_features, n_columns = int(arrays["n_features"]), len(arrays["source"])
        columns = [
            TreeColumn(
                int(arrays["source"][row]),
                _without_nan(arrays["missing"][row]),
                tuple(arrays["codes"][row, : arrays["n_codes"][row]].tolist()),
                bool(arrays["zero_is_missing"][row]),
                _without_nan(arrays["equals"][row]),
            )
            for row in range(n_columns)
        ]
        trees = Trees.from_arrays(arrays, n_columns or n_features)
        seen = checked_classes(arrays["seen"], n_classes)
        intercept = arrays["intercept"].astype(np.float64)
        constants = dict(
            zip(
                checked_classes(arrays["constant_of"], n_classes), map(float, arrays["constant"]), strict=True
            )
        )
        if trees.n_columns != len(seen) or len(intercept) not in (0, len(seen)):
            raise ValueError(f"its trees have {trees.n_columns} columns for {len(seen)} classes")
        if not all(0 <= column.source < n_features for column in columns):
            raise ValueError(f"it names columns beyond the {n_features} features")
        link = int(arrays["link"])
        if link not in (SHARES, SIGMOID, SOFTMAX):
            raise ValueError(f"link is {link}")
        return cls(
            trees,
            link,
            n_features,
            n_classes,
            seen,
            constants,
            columns,
            intercept if len(intercept) else None,
            jobs,
        )


def _with_nan(values: Sequence[float | None]) -> Floats:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float32)


def _without_nan(value: np.float32) -> float | None:
    return None if np.isnan(value) else float(value)


def one_per_label(
    models: Sequence[TreeModel],
    labels: Sequence[int],
    constants: Mapping[int, float],
    n_features: int,
    n_classes: int,
    jobs: int,
) -> TreeModel:
    """Join models of one label each, of which the second class is "present".

    Parameters
    ----------
    models, labels
        The models, and the positions of their labels.
    constants, n_features, n_classes, jobs
        As in `TreeModel`.
    """
    columns: dict[TreeColumn, int] = {}
    parts, intercept = [], np.zeros(len(models))
    for label, model in enumerate(models):
        own = model.columns or [TreeColumn(source) for source in range(n_features)]
        position = np.array([columns.setdefault(column, len(columns)) for column in own])
        present = list(model.seen).index(1)
        parts.append(model.trees.only(present, label).with_features(position))
        if model.intercept is not None:
            intercept[label] = model.intercept[present]
    trees = Trees.concatenate(parts, len(models))
    link = SHARES if all(model.link == SHARES for model in models) else SIGMOID
    trees, chosen = without_copies(trees, list(columns))
    return TreeModel(
        trees,
        link,
        n_features,
        n_classes,
        labels,
        constants,
        chosen,
        None if link == SHARES else intercept,
        jobs,
    )


def without_copies(trees: Trees, columns: Sequence[TreeColumn]) -> tuple[Trees, Sequence[TreeColumn]]:
    """Let trees look at the features themselves, if no column changes a feature."""
    if any(column != TreeColumn(column.source) for column in columns):
        return trees, columns
    return trees.with_features(np.array([column.source for column in columns])), ()


_FILE: Mapping[str, tuple[int, ...]] = {
    **TREE_ARRAYS,
    "link": (0,), "n_features": (0,), "seen": (1,), "constant_of": (1,), "constant": (1,), "intercept": (1,),
    "source": (1,), "missing": (1,), "zero_is_missing": (1,), "equals": (1,), "n_codes": (1,), "codes": (2,),
}  # fmt: skip


def write_tree_model(path: Path, model: TreeModel) -> None:
    """Write a model to an ``.npz`` file of arrays."""
    write_arrays(path, model.to_arrays())


def read_tree_model(path: Path, task: Task) -> TreeModel:
    """Read a file of `write_tree_model`.

    Raises
    ------
    RunError
        If it is missing or damaged, or has other classes.
    """
    arrays = read_arrays(path, _FILE, fit_again(path.parent))
    with stored(path, fit_again(path.parent)):
        return TreeModel.from_arrays(arrays, len(task.classes), task.jobs)
