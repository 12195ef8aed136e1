"""The predictions of a run for clips, and their table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.arrays import Proba
from aurist.clips import Clips
from aurist.openset import UNKNOWN_LABEL, unlike

#: Number format of probabilities: a row still sums to 1 within 1e-6, and times within a day are exact to 1 ms.
PROBABILITY = "%.9g"
_DIGITS = 4


@dataclass(frozen=True)
class ClipPredictions:
    """The predictions of a run for clips.

    Parameters
    ----------
    clips
        The clips, in the order given.
    classes
        The columns of ``proba``.
    proba
        (n_clips, n_classes); NaN for a clip that could not be read.
    seen
        (n_clips,): True for clips that stand in the training data.
    failures
        Row -> reason why it could not be read.
    notes
        Notes for people, such as on what was passed over.
    thresholds
        (n_classes,): the lowest probability of a predicted class, for clips with several labels; None: above one half.
    likeness
        (n_clips,): the share of training clips that are at least as unlike the others, NaN for a clip that could not be
        read; None for models of older versions.
    unknown
        The likeness up to which a clip is labelled unknown; None: never.
    """

    clips: Clips
    classes: tuple[str, ...]
    multilabel: bool
    proba: Proba
    seen: npt.NDArray[np.bool_]
    failures: dict[int, str]
    notes: tuple[str, ...]
    thresholds: npt.NDArray[np.float64] | None = None
    likeness: npt.NDArray[np.float64] | None = None
    unknown: float | None = None

    def named(self) -> npt.NDArray[np.bool_]:
        """Decide the classes of clips with several labels, (n_clips, n_classes)."""
        proba = np.nan_to_num(self.proba)
        return np.asarray(proba > 0.5 if self.thresholds is None else proba >= self.thresholds)

    def labels(self) -> list[str]:
        """Give the label of each clip: the most probable class.

        With several labels a clip, give all classes that reach their thresholds, joined by ``;``. A clip that could not
        be read has an empty label."""
        names = np.asarray(self.classes, dtype=object)
        if self.multilabel:
            labels = [";".join(names[row]) for row in self.named()]
        else:
            labels = ["" if np.isnan(row).any() else str(names[row.argmax()]) for row in self.proba]
        return [UNKNOWN_LABEL if row else label for row, label in zip(self.is_unknown(), labels, strict=True)]

    def is_unknown(self) -> npt.NDArray[np.bool_]:
        """Decide which clips are labelled unknown, (n_clips,)."""
        return unlike(self.likeness, self.unknown, len(self.clips))

    def to_frame(self) -> pd.DataFrame:
        """Make a table with one row per clip: id or path, ``label``, ``likeness`` and the probability of each class."""
        table = self.clips.table
        id_column = "path" if self.clips.has_audio else "id"
        # repeated ids of the table stay as they are
        ids = table["path"] if self.clips.has_audio else list(self.clips.given_ids) or table["clip_id"]
        columns: dict[str, object] = {id_column: ids}
        if table["start"].notna().any():
            columns |= {"start": table["start"], "end": table["end"]}
        columns["label"] = self.labels()
        if self.likeness is not None:
            columns["likeness"] = self.likeness.round(_DIGITS)
        frame = pd.DataFrame(columns)
        # a class may have the name of one of our columns
        names = [f"proba_{name}" if name in frame.columns else name for name in self.classes]
        return pd.concat([frame, pd.DataFrame(self.proba, columns=names)], axis=1)
