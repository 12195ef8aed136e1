"""Detections to judge, of one folder or of one live source, and the verdicts on them."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aurist.detection.settings import read_settings
from aurist.detection.store import Recording
from aurist.errors import RunError
from aurist.events import Event
from aurist.files import sha256_of
from aurist.inference.thresholds import thresholds_of
from aurist.review.clips import detections_to_review
from aurist.review.journal import VerdictJournal, key_of
from aurist.review.orders import Candidates
from aurist.review.sampling import Detection, Sampling
from aurist.run import ModelFiles
from aurist.serve.clip_answers import read_clip
from aurist.serve.live_session import LiveSession, span_in_clip
from aurist.serve.refusals import RefusedError
from aurist.serve.sound import Samples

_ALL = 1 << 40
#: The longest clip to hear, in seconds.
LONGEST_CLIP = 60.0
#: Seconds of a stream that are held out of learning as one, as a recording is.
_BLOCK = 3600.0


@dataclass
class Review:
    """The detections of one folder, and the verdicts on them.

    Parameters
    ----------
    id
        In addresses.
    name
        For people.
    folder
        The folder of detections.
    files
        Of the model that made them.
    """

    id: str
    name: str
    folder: Path
    files: ModelFiles
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @cached_property
    def window(self) -> float:
        """Seconds of the windows that were scored."""
        return float(read_settings(self.folder)["window"])

    @cached_property
    def journal(self) -> VerdictJournal:
        """The verdicts."""
        return VerdictJournal(self.folder)

    @cached_property
    def detections(self) -> list[Detection]:
        """All detections, and events a little below the threshold, the highest score first."""
        with self._lock:
            return detections_to_review(self.files, self.folder, Sampling(_ALL, _ALL, _ALL)).drawn

    @cached_property
    def candidates(self) -> Candidates:
        """The same, for the orders of `aurist.review.orders`."""
        classes = self.files.spec.task.classes
        columns = np.array([one.event.column for one in self.detections], dtype=np.intp)
        keys = [
            key_of(one.recording.name, one.event.start, one.event.end, classes[one.event.column])
            for one in self.detections
        ]
        scores = np.array([one.event.score for one in self.detections])
        return Candidates(keys, [classes[column] for column in columns], scores, self.lowest[columns])

    @cached_property
    def lowest(self) -> npt.NDArray[np.float64]:
        """The lowest score of a detection of each class, (n_classes,)."""
        thresholds = thresholds_of(self.files)
        return np.full(len(self.files.spec.task.classes), 0.5) if thresholds is None else thresholds

    def has_sound(self, row: int) -> bool:
        """Tell whether a detection can be heard; recordings stay as long as their detections."""
        return True

    def content(self, row: int) -> str:
        """Name what is held out of learning as one: the recording, whatever its name is."""
        file = self.detections[row].recording.file
        return _content(file, file.stat().st_mtime_ns)

    def row(self, key: str) -> int:
        """Give the row of a detection.

        Raises
        ------
        RefusedError
            If there is none.
        """
        try:
            return self._rows[key]
        except KeyError:
            raise RefusedError(
                404, "no_detection", "There is no such detection. Load the page again."
            ) from None

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {key: row for row, key in enumerate(self.candidates.keys)}

    def clip(self, key: str, padding: float) -> tuple[Samples, float]:
        """Read the sound of a detection with some seconds around it; give it with the second at which it begins."""
        detection = self.detections[self.row(key)]
        event = detection.event
        start = max(0.0, event.start - padding)
        end = min(event.end + padding, start + LONGEST_CLIP)
        return read_clip(detection.recording.file, start, end), start


@dataclass
class LiveReview(Review):
    """The events of a live source up to now; each is a detection in its own clip.

    Parameters
    ----------
    session
        The live source.
    """

    session: LiveSession = field(kw_only=True)

    @cached_property
    def window(self) -> float:
        """Seconds of the windows that were scored."""
        return self.session.window

    @cached_property
    def journal(self) -> VerdictJournal:
        """The verdicts, shared by all views of the source."""
        return self.session.journal

    @cached_property
    def detections(self) -> list[Detection]:
        """All events in their order, also those whose sound is not kept any more."""
        columns = {label: column for column, label in enumerate(self.files.spec.task.classes)}
        records = self.session.events.copy()
        if len(self.session.lowest) != len(columns) or not {one["label"] for one in records} <= set(columns):
            raise RunError(f"{self.folder} was not made by {self.files.folder}: its events cannot be judged.")
        rows = []
        for record in records:
            path = self.session.clip(record)
            event = Event(*span_in_clip(record), columns[record["label"]], record["score"])
            rows.append(Detection(Recording(path.name, path), event))
        return rows

    @cached_property
    def lowest(self) -> npt.NDArray[np.float64]:
        """The lowest score of an event of each class, (n_classes,)."""
        return np.array(self.session.lowest)

    def has_sound(self, row: int) -> bool:
        """Tell whether the clip of an event is kept."""
        return self.detections[row].recording.file.exists()

    def content(self, row: int) -> str:
        """Name the hour of the stream: its clips are alike."""
        return f"live {self.session.id} {self.session.events[row]['start'] // _BLOCK:.0f}"


@lru_cache(maxsize=4096)
def _content(file: Path, _changed: int) -> str:
    """Hash a recording, once as long as it does not change."""
    return sha256_of(file)[:16]
