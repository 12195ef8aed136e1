"""Routes for monitors: ``/health``, ``/ready`` and ``/metrics``."""

from __future__ import annotations

from collections import Counter

from fastapi import APIRouter, Request, Response

from aurist.serve.answers import State
from aurist.serve.context import server_of

router = APIRouter()


@router.get("/health", summary="Tell whether the process lives")
def health() -> State:
    """Answer at once."""
    return State(status="ok")


@router.get("/ready", summary="Tell whether requests are served", responses={503: {"model": State}})
def ready(request: Request, response: Response) -> State:
    """Answer 503 while the server stops, or while so many requests wait that further ones are refused."""
    server = server_of(request)
    if server.stopping.is_set():
        response.status_code = 503
        return State(status="stopping")
    if server.engine.waiting >= server.options.limits.waiting:
        response.status_code = 503
        return State(status="busy")
    return State(status="ok")


@router.get("/metrics", summary="Counts and durations for Prometheus", response_class=Response)
def metrics(request: Request) -> Response:
    """Write the counts in the text format of Prometheus."""
    server = server_of(request)
    states = Counter(job.state for job in server.jobs.all())
    jobs: dict[tuple[tuple[str, str], ...], float] = {
        (("state", state),): float(count) for state, count in states.items()
    }
    text = server.counters.text({"aurist_waiting": {(): server.engine.waiting}, "aurist_jobs": jobs})
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")
