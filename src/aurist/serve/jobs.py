"""Detection jobs: a folder for each, worked off one after the other, and gone on with after a restart."""

from __future__ import annotations

import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from aurist.detection.export import ExportOptions
from aurist.detection.result import ScanResult
from aurist.detection.scan import WindowOptions, listen
from aurist.detection.store import open_detections
from aurist.errors import AuristError, FullDiskError, RunError
from aurist.files import full_disk_error, write_json
from aurist.folders import remove_folder
from aurist.inference.thresholds import thresholds_of
from aurist.progress import logger
from aurist.serve.decoders import Sound
from aurist.serve.job_file import (
    DETECTIONS,
    DONE,
    FAILED,
    ID,
    JOB,
    RUNNING,
    SOUNDS,
    WAITING,
    Job,
    read_job,
)
from aurist.serve.models import Models
from aurist.serve.refusals import NO_ROOM, RefusedError, busy


class _StoppedError(Exception):
    """The job is cancelled, or the server stops."""


@dataclass
class Jobs:
    """The jobs of a server, and the thread that works them off.

    Parameters
    ----------
    models
        Of the server; each job keeps the one that it was begun with.
    folder
        Holds a folder for each job.
    most
        The most jobs that wait or run.
    cores
        Of the model; 0: as many as the run was fitted with.
    finished
        Called after each job.
    """

    models: Models
    folder: Path
    most: int
    cores: int = 0
    finished: Callable[[], object] = lambda: None
    _jobs: dict[str, Job] = field(default_factory=dict)
    _queue: deque[str] = field(default_factory=deque)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _stopping: bool = False

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(self.folder.iterdir()):
            if not (path / JOB).exists():
                remove_folder(path)  # its upload was killed
            elif ID.fullmatch(path.name):
                with suppress(RunError):  # damaged: it stays on the disk, and is not listed
                    job = read_job(path)
                    self._jobs[job.id] = job
        for job in sorted(self._jobs.values(), key=lambda job: job.created):
            if job.state in (WAITING, RUNNING):
                self._jobs[job.id] = replace(job, state=WAITING)
                self._queue.append(job.id)
        self._thread = threading.Thread(target=self._work, name="jobs", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def close(self) -> None:
        """Stop at the end of the block that is scored; the next server goes on."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def all(self) -> list[Job]:
        """List the jobs, the newest first."""
        return sorted(self._jobs.values(), key=lambda job: -job.created)

    def get(self, job_id: str) -> Job:
        """Give a job.

        Raises
        ------
        RefusedError
            If there is none.
        """
        job = self._jobs.get(job_id)
        if job is None:
            raise RefusedError(404, "no_job", "There is no such job. It may have been deleted.")
        return job

    def path(self, job: Job) -> Path:
        """Give the folder of a job."""
        return self.folder / job.id

    def check_room(self) -> None:
        """Refuse another job if too many wait."""
        if len(self._queue) >= self.most:
            raise busy(f"{len(self._queue)} jobs wait already. Try again later.", 30)

    def new_folder(self) -> tuple[str, Path]:
        """Make the folder of a job whose recordings are still to come; give its id and the folder of recordings."""
        job_id = secrets.token_hex(8)
        sounds = self.folder / job_id / SOUNDS
        sounds.mkdir(parents=True)
        return job_id, sounds

    def abandon(self, job_id: str) -> None:
        """Remove the folder of a job that never began."""
        if job_id not in self._jobs:
            remove_folder(self.folder / job_id)

    def submit(self, job_id: str, sounds: Sequence[Sound], window: float, overlap: float | None) -> Job:
        """Queue a job.

        Raises
        ------
        RefusedError
            If too many wait.
        """
        job = Job(job_id, time.time(), window, overlap, tuple(sounds), self.models.key)
        with self._changed:
            self.check_room()
            self._write(job)  # first: what is not on the disk was never sent
            self._jobs[job.id] = job
            self._queue.append(job.id)
            self._changed.notify_all()
        return job

    def delete(self, job_id: str) -> None:
        """Cancel a job, and delete its recordings and results."""
        with self._changed:
            job = self.get(job_id)
            if job.id in self._queue:
                self._queue.remove(job.id)
            running = job.state == RUNNING
            del self._jobs[job_id]
        if not running:  # else the thread that works on it removes it
            remove_folder(self.folder / job_id)

    def result(self, job: Job) -> ScanResult:
        """Open the scores of a job that is done.

        Raises
        ------
        RefusedError
            If it is not done.
        """
        if job.state != DONE:
            reason = job.message or f"The job is {job.state}."
            raise RefusedError(409, "not_done", f"There are no results yet. {reason}")
        detections = open_detections(self.path(job) / DETECTIONS)
        progress = {recording.name: detections.progress(recording) for recording in job.recordings}
        whole = [recording for recording in job.recordings if progress[recording.name].seconds is not None]
        return ScanResult(
            detections,
            self.models.of(job.model).spec.task.classes,
            tuple(whole),
            {recording.name: progress[recording.name].seconds or 0.0 for recording in whole},
            {recording.name: progress[recording.name].note for recording in whole},
            {},
        )

    def export_options(
        self,
        job: Job,
        formats: tuple[str, ...],
        min_score: float | None,
        precision: float | None,
        labels: Sequence[str] | None,
    ) -> ExportOptions:
        """Give the settings of events, as `aurist predict` has them."""
        files = self.models.of(job.model)
        names = None if labels is None else tuple(labels)
        options = ExportOptions(formats, min_score, names, thresholds_of(files, None, precision))
        options.columns(files.spec.task.classes)  # refuses classes that it lacks
        return options

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stopping or self._queue)
                if self._stopping:
                    return
                job = self._jobs[self._queue.popleft()]
                self._jobs[job.id] = replace(job, state=RUNNING)
            state, message = DONE, ""
            try:
                with full_disk_error(self.path(job)):
                    scan = self._scan(job)
                message = "\n".join(scan.failures.values())
                if not scan.recordings:
                    state = FAILED
            except _StoppedError:
                state = WAITING
            except FullDiskError as error:
                logger.error(str(error))
                state, message = FAILED, NO_ROOM
            except (AuristError, OSError, MemoryError) as error:
                state, message = FAILED, str(error) or type(error).__name__
            except Exception as error:  # the thread must go on with other jobs
                logger.exception("this is a bug: a job failed")
                state, message = FAILED, f"This is a bug of the server ({type(error).__name__}: {error})."
            with self._changed:
                current = self._jobs.get(job.id)
                if current is not None:
                    self._end(replace(current, state=state, message=message))
            if current is None:
                remove_folder(self.folder / job.id)
            self.finished()

    def _scan(self, job: Job) -> ScanResult:
        """Score what is not scored yet."""

        def report(done: float, _: float) -> None:
            with self._changed:
                if self._stopping or job.id not in self._jobs:
                    raise _StoppedError
                self._jobs[job.id] = replace(self._jobs[job.id], seconds_done=done)

        return listen(
            self.models.of(job.model),
            job.recordings,
            self.path(job) / DETECTIONS,
            WindowOptions(job.window, job.overlap),
            jobs=self.cores,
            progress=False,
            report=report,
            window_model=self.models.window_model(job.model),
        )

    def _end(self, job: Job) -> None:
        """Keep the state of a job that ended; if it cannot be written, the next server works on the job again."""
        self._jobs[job.id] = job
        try:
            self._write(job)
        except (AuristError, OSError) as error:  # the thread must go on with other jobs
            logger.error(str(error))

    def _write(self, job: Job) -> None:
        write_json(self.path(job) / JOB, job.to_json())
