"""Delete old results of a server: finished jobs and ended live sources beyond the limits of age and space."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from aurist.progress import logger
from aurist.review.journal import JOURNAL
from aurist.serve.job_file import DETECTIONS, DONE, FAILED
from aurist.serve.jobs import Jobs
from aurist.serve.live_session import RUNNING
from aurist.serve.live_sessions import LiveSessions
from aurist.serve.options import Limits

_DAY = 86_400.0


@dataclass(frozen=True)
class _Result:
    """Something that can be deleted: the time at which it began, its size in bytes, and how to delete it."""

    began: float
    size: int
    delete: Callable[[], None]


def tidy(jobs: Jobs, live: LiveSessions, limits: Limits, now: float | None = None) -> int:
    """Delete what is older than the limit, then the oldest until all fit into the space. Give the number deleted.

    What waits or runs is kept, and so are those with verdicts: somebody's work, and the sound that is learnt from.

    Parameters
    ----------
    jobs, live
        Of the server.
    limits
        ``keep_days`` and ``keep_gigabytes``.
    now
        Seconds since 1970; None: the clock.
    """
    now = time.time() if now is None else now
    results = _results(jobs, live)
    used = _size(jobs.folder) + _size(live.folder)
    deleted = 0
    for result in sorted(results, key=lambda one: one.began):
        too_old = now - result.began > limits.keep_days * _DAY
        if not (too_old or used > limits.keep_gigabytes * 1e9):
            break
        result.delete()
        used -= result.size
        deleted += 1
    if deleted:
        logger.warning(
            f"{deleted} old results were deleted: over {limits.keep_days:g} days or {limits.keep_gigabytes:g} GB"
        )
    return deleted


def _results(jobs: Jobs, live: LiveSessions) -> list[_Result]:
    results = []
    for job in jobs.all():
        path = jobs.path(job)
        if job.state in (DONE, FAILED) and not (path / DETECTIONS / JOURNAL).exists():
            results.append(_Result(job.created, _size(path), partial(jobs.delete, job.id)))
    for session in live.all():
        if session.state != RUNNING and not (session.folder / JOURNAL).exists():
            began = session.began.timestamp()
            results.append(_Result(began, _size(session.folder), partial(live.delete, session.id)))
    return results


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
