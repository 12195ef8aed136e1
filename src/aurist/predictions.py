"""Predictions: the common format between models and everything that uses their results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

#: "oof": out of fold, by a model that never saw the clip; "validation": on the validation part of the training folds;
#: "test": on held-out or new clips, by the mean of the fold models.
PredictionPart = Literal["oof", "validation", "test"]


#: The columns of `Predictions.to_frame`, with the numpy kinds of their cells.
COLUMNS = {
    "model": "O", "clip_id": "O", "start": "f", "end": "f", "repeat": "iu", "fold": "iu", "part": "O", "proba": "O",
}  # fmt: skip


@dataclass(frozen=True)
class Predictions:
    """Predictions of one model for clips or windows.

    Parameters
    ----------
    model
        Name of the model, as on the leaderboard.
    clip_id
        (n,), the clip of each row.
    proba
        (n, n_classes), float: a distribution per row if clips have one label, else independent probabilities.
    classes
        The columns of ``proba``.
    fold
        (n,), int: the fold that the model was not fitted on; -1: none.
    part
        The kind of data of the rows.
    start, end
        (n,), seconds: the window; NaN for the whole clip.
    repeat
        Number of the repetition of the folds.
    """

    model: str
    clip_id: npt.NDArray[np.object_]
    proba: npt.NDArray[np.float64]
    classes: tuple[str, ...]
    fold: npt.NDArray[np.int64]
    part: PredictionPart = "oof"
    start: npt.NDArray[np.float64] | None = None
    end: npt.NDArray[np.float64] | None = None
    repeat: int = 0

    def aligned(self, clip_ids: Sequence[str]) -> npt.NDArray[np.float64]:
        """Return the probabilities in the order of ``clip_ids``, (len(clip_ids), n_classes).

        Raises
        ------
        KeyError
            If a clip has no prediction.
        """
        rows = pd.Index(self.clip_id).get_indexer(pd.Index(clip_ids))
        if (rows < 0).any():
            raise KeyError(f"{self.model} has no prediction for {(rows < 0).sum()} of {len(rows)} clips")
        return self.proba[rows]

    def to_frame(self) -> pd.DataFrame:
        """Return one row per prediction, with ``proba`` as a list column, as in ``predictions.parquet``."""
        n = len(self.clip_id)
        nan = np.full(n, np.nan)
        return pd.DataFrame(
            {
                "model": self.model,
                "clip_id": self.clip_id,
                "start": nan if self.start is None else self.start,
                "end": nan if self.end is None else self.end,
                "repeat": self.repeat,
                "fold": self.fold,
                "part": self.part,
                "proba": list(self.proba.astype(np.float32)),
            }
        )


def from_frame(table: pd.DataFrame, classes: Sequence[str]) -> list[Predictions]:
    """Read the table of `Predictions.to_frame`, of one or several models.

    Raises
    ------
    ValueError
        If the number of probabilities and of classes differ.
    """
    predictions = []
    keys = ["model", "part", "repeat"]
    for _, rows in table.groupby(keys, sort=False, observed=True):
        first = rows.iloc[0]
        proba = np.stack(rows["proba"].to_list()).astype(np.float64)
        if proba.shape[1:] != (len(classes),):
            raise ValueError(
                f"{first['model']} has {proba.shape[1:]} probabilities per row, but there are {len(classes)} classes"
            )
        predictions.append(
            Predictions(
                model=str(first["model"]),
                clip_id=rows["clip_id"].to_numpy(dtype=object),
                proba=proba,
                classes=tuple(classes),
                fold=rows["fold"].to_numpy(dtype=np.int64),
                part=first["part"],
                start=rows["start"].to_numpy(dtype=float),
                end=rows["end"].to_numpy(dtype=float),
                repeat=int(first["repeat"]),
            )
        )
    return predictions
