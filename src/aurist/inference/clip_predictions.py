"""The answers of a run for some clips, and how they are written."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.arrays import Proba
from aurist.clips import Clips

#: How probabilities are written: a row still sums to 1 within 1e-6, and times of a day are exact to the millisecond.
PROBABILITY = "%.9g"


@dataclass(frozen=True)
class ClipPredictions:
    """What a run says of some clips.

    Parameters
    ----------
    clips
        The clips, in the order given.
    classes
        The columns of ``proba``.
    proba
        (n_clips, n_classes); NaN for a clip that could not be read.
    seen
        (n_clips,): which clips stand in the training data.
    failures
        Row -> why it could not be read.
    notes
        What was passed over.
    thresholds
        (n_classes,): the probability from which each class is named where clips may have several; None: above one half.
    """

    clips: Clips
    classes: tuple[str, ...]
    multilabel: bool
    proba: Proba
    seen: npt.NDArray[np.bool_]
    failures: dict[int, str]
    notes: tuple[str, ...]
    thresholds: npt.NDArray[np.float64] | None = None

    def named(self) -> npt.NDArray[np.bool_]:
        """(n_clips, n_classes): which classes are named, where clips may have several."""
        proba = np.nan_to_num(self.proba)
        return np.asarray(proba > 0.5 if self.thresholds is None else proba >= self.thresholds)

    def labels(self) -> list[str]:
        """The label of each clip: the most probable class, or with several labels a clip all from their thresholds
        on, joined by ``;``. Empty for a clip that could not be read."""
        names = np.asarray(self.classes, dtype=object)
        if self.multilabel:
            return [";".join(names[row]) for row in self.named()]
        return ["" if np.isnan(row).any() else str(names[row.argmax()]) for row in self.proba]

    def to_frame(self) -> pd.DataFrame:
        """One row a clip, in the order given: its id or path, ``label``, and a probability a class."""
        table = self.clips.table
        first = "path" if self.clips.has_audio else "id"
        # ids that the table repeats stand here as it has them
        ids = table["path"] if self.clips.has_audio else list(self.clips.given_ids) or table["clip_id"]
        out: dict[str, object] = {first: ids}
        if table["start"].notna().any():
            out |= {"start": table["start"], "end": table["end"]}
        out["label"] = self.labels()
        frame = pd.DataFrame(out)
        # a class may be called like one of our own columns
        names = [f"proba_{name}" if name in frame.columns else name for name in self.classes]
        return pd.concat([frame, pd.DataFrame(self.proba, columns=names)], axis=1)
