"""The result of a scan: stored scores, weighed by priors if there are any."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from aurist.detection.priors import Priors
from aurist.detection.store import Detections, Recording
from aurist.detection.window_scores import Scores
from aurist.recorders import began_at


@dataclass(frozen=True)
class ScanResult:
    """The result of a scan.

    Parameters
    ----------
    detections
        The stored scores.
    classes
        The columns of the scores.
    recordings
        The recordings that were scored to their end.
    seconds
        By recording, its length in seconds.
    notes
        By recording, a note for people: it is damaged, or ends before its header says.
    failures
        By recording, why it could not be read.
    priors
        Where and when classes are to be expected; None: everywhere, at any time.
    """

    detections: Detections
    classes: tuple[str, ...]
    recordings: tuple[Recording, ...]
    seconds: dict[str, float]
    notes: dict[str, str]
    failures: dict[str, str]
    priors: Priors | None = None

    def scores(
        self, recording: Recording, columns: npt.NDArray[np.intp] | None = None, *, when: bool = True
    ) -> Scores:
        """Read the scores of a recording, weighed by the priors: see `aurist.detection.store.Detections.scores`."""
        scores = self.detections.scores(recording, columns, when=when)
        if self.priors is None or not self.priors.weigh:
            return scores
        labels = self.classes if columns is None else [self.classes[i] for i in columns.tolist()]
        return self.priors.weighed(scores, recording.name, began_of(recording), labels)


def began_of(recording: Recording) -> datetime | None:
    """Read the clock time of a recording's file, or of its name if the file is elsewhere now."""
    began = began_at(recording.file, recording.name)
    return None if began is None else began.time
