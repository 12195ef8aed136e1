"""All that can be judged: jobs and live sources of the server, and folders that `aurist predict` made."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from aurist.errors import AuristError
from aurist.progress import logger
from aurist.serve.job_file import DETECTIONS, DONE, Job
from aurist.serve.jobs import Jobs
from aurist.serve.judging import LiveReview, Review
from aurist.serve.live_session import LiveSession
from aurist.serve.live_sessions import LiveSessions
from aurist.serve.models import Models
from aurist.serve.refusals import RefusedError


@dataclass
class Reviews:
    """The detections that can be judged.

    Parameters
    ----------
    models
        Of the server.
    jobs, live
        The jobs and the live sources of the server.
    folders
        Folders of detections, given at the start.

    Raises
    ------
    ConfigError, DataError
        If one of the folders is of another model, or its recordings are missing.
    """

    models: Models
    jobs: Jobs
    live: LiveSessions
    folders: tuple[Path, ...] = ()
    _reviews: dict[str, Review] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for number, folder in enumerate(self.folders):
            review = Review(f"folder-{number}", folder.resolve().name, folder, self.models.original)
            _ = review.candidates, review.journal
            self._reviews[review.id] = review

    def all(self) -> list[Review]:
        """List them: the given folders, then live sources and jobs that are done, the newest first."""
        given = [review for review in self._reviews.values() if review.id.startswith("folder-")]
        live = [self.get(session.id) for session in self.live.all() if session.model and session.events]
        return given + live + [self.get(job.id) for job in self.jobs.all() if job.state == DONE]

    def get(self, review_id: str) -> Review:
        """Give one of them.

        Raises
        ------
        RefusedError
            If there is none, or its detections cannot be read.
        """
        if review_id.startswith("folder-") and review_id in self._reviews:
            return self._reviews[review_id]
        if self.live.has(review_id):
            return self._of_session(self.live.get(review_id))
        job = self.jobs.get(review_id)
        if job.state != DONE:
            raise RefusedError(409, "not_done", f"There is nothing to judge yet: the job is {job.state}.")
        # a fresh one would forget nothing: its verdicts are on the disk
        return self._reviews.setdefault(
            job.id, Review(job.id, _name(job), self.jobs.path(job) / DETECTIONS, self.models.of(job.model))
        )

    def _of_session(self, session: LiveSession) -> Review:
        """Give the events of a live source, anew if there are more."""
        review = self._reviews.get(session.id)
        if review is None or len(review.detections) != len(session.events):
            if not session.model:
                raise RefusedError(
                    409,
                    "too_old",
                    "An older version of aurist followed this source: its events can only be heard.",
                )
            name = f"{session.source}, {session.began:%Y-%m-%d %H:%M}"
            files = self.models.of(session.model)
            review = LiveReview(session.id, name, session.folder, files, session=session)
            self._reviews[session.id] = review
        return review

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
