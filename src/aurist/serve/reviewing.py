"""Detections to judge: of the jobs of the server, and of folders that `aurist predict` made."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from aurist.detection.settings import read_settings
from aurist.errors import AuristError
from aurist.inference.thresholds import thresholds_of
from aurist.progress import logger
from aurist.review.clips import detections_to_review
from aurist.review.journal import VerdictJournal, key_of
from aurist.review.orders import Candidates
from aurist.review.sampling import Detection, Sampling
from aurist.run import ModelFiles
from aurist.serve.clip_answers import read_clip
from aurist.serve.job_file import DETECTIONS, DONE, Job
from aurist.serve.jobs import Jobs
from aurist.serve.models import Models
from aurist.serve.refusals import RefusedError
from aurist.serve.sound import Samples

_ALL = 1 << 40
#: The longest clip to hear, in seconds.
LONGEST_CLIP = 60.0


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
        thresholds = thresholds_of(self.files)
        bars = np.full(len(classes), 0.5) if thresholds is None else thresholds
        columns = np.array([one.event.column for one in self.detections], dtype=np.intp)
        keys = [
            key_of(one.recording.name, one.event.start, one.event.end, classes[one.event.column])
            for one in self.detections
        ]
        scores = np.array([one.event.score for one in self.detections])
        return Candidates(keys, [classes[column] for column in columns], scores, bars[columns])

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
class Reviews:
    """The detections that can be judged.

    Parameters
    ----------
    models
        Of the server.
    jobs
        The jobs of the server.
    folders
        Folders of detections, given at the start.

    Raises
    ------
    ConfigError, DataError
        If one of the folders is of another model, or its recordings are missing.
    """

    models: Models
    jobs: Jobs
    folders: tuple[Path, ...] = ()
    _reviews: dict[str, Review] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for number, folder in enumerate(self.folders):
            review = Review(f"folder-{number}", folder.resolve().name, folder, self.models.original)
            _ = review.candidates, review.journal
            self._reviews[review.id] = review

    def all(self) -> list[Review]:
        """List them: the given folders, then the jobs that are done, the newest first."""
        given = [review for review in self._reviews.values() if review.id.startswith("folder-")]
        return given + [self.get(job.id) for job in self.jobs.all() if job.state == DONE]

    def get(self, review_id: str) -> Review:
        """Give one of them.

        Raises
        ------
        RefusedError
            If there is none, or its detections cannot be read.
        """
        if review_id.startswith("folder-") and review_id in self._reviews:
            return self._reviews[review_id]
        job = self.jobs.get(review_id)
        if job.state != DONE:
            raise RefusedError(409, "not_done", f"There is nothing to judge yet: the job is {job.state}.")
        # a fresh one would forget nothing: its verdicts are on the disk
        return self._reviews.setdefault(
            job.id, Review(job.id, _name(job), self.jobs.path(job) / DETECTIONS, self.models.of(job.model))
        )

    def forget(self, review_id: str) -> None:
        """Drop what is in memory of a job that was deleted."""
        self._reviews.pop(review_id, None)

    def count(self, review: Review) -> tuple[int, int]:
        """Count the detections, and those with a verdict; zeros if they cannot be read."""
        try:
            rows = review.candidates.in_order("score")
            return len(rows), len(review.journal.current())
        except (AuristError, OSError) as error:
            logger.warning(f"{review.name} cannot be judged: {error}")
            return 0, 0


def _name(job: Job) -> str:
    first = job.sounds[0].name
    return first if len(job.sounds) == 1 else f"{first} + {len(job.sounds) - 1}"
