"""``/v1/detect``: jobs that find events in long recordings, their progress and their results."""

from __future__ import annotations

import asyncio
import tempfile
import zipfile
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, StreamingResponse
from starlette.background import BackgroundTask

from aurist.annotations import RecordingFacts
from aurist.detection.export import FORMATS, NAMES, events_of, write_detections
from aurist.events import Grid, Times, score_over_time
from aurist.folders import remove_folder
from aurist.recorders.names import time_in_name
from aurist.serve.answers import Event, Events, JobSound, JobState, Probabilities
from aurist.serve.context import server_of
from aurist.serve.hearing import FAR
from aurist.serve.job_file import DONE, FAILED, Job
from aurist.serve.predicting import BODY, REFUSALS
from aurist.serve.refusals import RefusedError
from aurist.serve.uploads import receive_sounds

router = APIRouter()

#: Seconds between two looks at the progress of a job, and between two signs of life of its stream.
_LOOK, _ALIVE = 0.25, 10.0
_TYPES = {
    "csv": "text/csv",
    "txt": "text/tab-separated-values",
    "jsonl": "application/jsonl",
    "zip": "application/zip",
}

MinScore = Annotated[float | None, Query(description="Lowest score of an event.", ge=0, le=1)]
Precision = Annotated[
    float | None,
    Query(description="Share of events that shall be right, of models with several labels.", gt=0, lt=1),
]
Labels = Annotated[list[str] | None, Query(description="Only these classes; repeat the parameter.")]


@router.post(
    "/v1/detect",
    summary="Find events in long recordings",
    status_code=202,
    openapi_extra=BODY,
    responses=REFUSALS,
)
async def detect(
    request: Request,
    window: Annotated[
        float | None,
        Query(
            description="Seconds of a window. Default: the window that the model was fitted on.",
            ge=0.01,
            le=3600,
        ),
    ] = None,
    overlap: Annotated[
        float | None, Query(description="Seconds that windows overlap. Default: half.", ge=0, le=3600)
    ] = None,
    name: Annotated[str, Query(description="The name of a recording that is the body.")] = "recording",
) -> JobState:
    """Send recordings as for ``/v1/predict``. The answer has the id of the job.

    Ask for its progress, or follow ``/v1/detect/{id}/progress``; then fetch the events.
    """
    server = server_of(request)
    seconds = server.files.spec.window if window is None else window
    if seconds is None:
        raise RefusedError(
            422,
            "no_window",
            "This model was not fitted on windows of annotated recordings: give the length of a window in seconds, as "
            "the parameter window. The length of its training clips is a good choice.",
        )
    Grid(seconds, seconds / 2 if overlap is None else overlap)  # refuses what makes no sense
    server.jobs.check_room()
    job_id, folder = server.jobs.new_folder()
    try:
        sounds, _ = await receive_sounds(request, folder, server.decoders, server.options.limits, whole=False)
        return describe(server.jobs.submit(job_id, sounds, seconds, overlap))
    finally:
        server.jobs.abandon(job_id)


@router.get("/v1/detect", summary="List the jobs", responses={401: REFUSALS[401]})
def jobs(request: Request) -> list[JobState]:
    """Give all jobs, the newest first."""
    return [describe(job) for job in server_of(request).jobs.all()]


@router.get(
    "/v1/detect/{job_id}",
    summary="Tell the progress of a job",
    responses={404: {"description": "No such job."}},
)
def job(request: Request, job_id: str) -> JobState:
    """Give the state of a job."""
    return describe(server_of(request).jobs.get(job_id))


@router.delete("/v1/detect/{job_id}", summary="Cancel a job, and delete its recordings", status_code=204)
def delete(request: Request, job_id: str) -> None:
    """Delete all that is stored of a job."""
    server = server_of(request)
    server.jobs.delete(job_id)
    server.reviews.forget(job_id)


@router.get(
    "/v1/detect/{job_id}/progress", summary="Follow the progress of a job", response_class=StreamingResponse
)
async def progress(request: Request, job_id: str) -> StreamingResponse:
    """Send the state as a server-sent event at each change, until the job is done or the server stops."""
    server = server_of(request)
    server.jobs.get(job_id)

    async def stream() -> AsyncIterator[str]:
        last, silent = "", 0.0
        while not server.stopping.is_set() and not await request.is_disconnected():
            try:
                state = describe(server.jobs.get(job_id))
            except RefusedError:  # deleted
                return
            text = state.model_dump_json()
            if text != last:
                yield f"data: {text}\n\n"
                last, silent = text, 0.0
            elif silent > _ALIVE:
                yield ": alive\n\n"
                silent = 0.0
            if state.state in (DONE, FAILED):
                return
            silent += _LOOK
            await asyncio.sleep(_LOOK)

    return StreamingResponse(stream(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


@router.get("/v1/detect/{job_id}/events", summary="Give the events of a job")
def events(
    request: Request,
    job_id: str,
    min_score: MinScore = None,
    precision: Precision = None,
    labels: Labels = None,
) -> Events:
    """Give the events as JSON, by recording and start."""
    server = server_of(request)
    of_job = server.jobs.get(job_id)
    scan = server.jobs.result(of_job)
    options = server.jobs.export_options(of_job, ("csv",), min_score, precision, labels)
    lowest = options.lowest_scores(scan.classes)
    table = events_of(scan, options.columns(scan.classes), lowest).table
    rows = table[["path", "start", "end", "label", "score"]].to_dict("records")
    reachable = {name: float(value) for name, value in zip(scan.classes, lowest, strict=True) if value <= 1}
    return Events(events=[Event.model_validate(row) for row in rows], thresholds=reachable)


@router.get(
    "/v1/detect/{job_id}/files/{form}", summary="Give the events as a file", response_class=FileResponse
)
def file(
    request: Request,
    job_id: str,
    form: str,
    min_score: MinScore = None,
    precision: Precision = None,
    labels: Labels = None,
) -> FileResponse:
    """Give a file as ``aurist predict`` writes it; those of Audacity in a ZIP archive."""
    server = server_of(request)
    if form not in FORMATS:
        raise RefusedError(404, "no_format", f"The formats are: {', '.join(FORMATS)}.")
    of_job = server.jobs.get(job_id)
    scan = server.jobs.result(of_job)
    options = server.jobs.export_options(of_job, (form,), min_score, precision, labels)
    folder = Path(tempfile.mkdtemp(dir=server.state / "uploads"))
    # a folder of files becomes an archive
    name = NAMES[form] if "." in NAMES[form] else f"{NAMES[form]}.zip"
    kind = _TYPES.get(name.rpartition(".")[2], "application/octet-stream")
    write_detections(scan, options, folder, _facts(of_job))
    if name.endswith(".zip"):
        _zip(folder / NAMES[form])
    done = BackgroundTask(remove_folder, folder)
    return FileResponse(folder / name, media_type=kind, filename=name, background=done)


def _facts(job: Job) -> dict[str, RecordingFacts]:
    """Describe the recordings by the names that the client gave; the server's own files are of no use to it."""
    facts = {}
    for recording, sound in zip(job.recordings, job.sounds, strict=True):
        began = datetime.fromisoformat(sound.began) if sound.began else time_in_name(sound.name)
        facts[recording.name] = RecordingFacts(
            Path(recording.name), sound.seconds, sound.sample_rate / 2, began=began
        )
    return facts


def _zip(folder: Path) -> None:
    with zipfile.ZipFile(folder.with_suffix(".zip"), "w", zipfile.ZIP_DEFLATED) as archive:
        for part in sorted(folder.rglob("*.txt")):
            archive.write(part, part.relative_to(folder))


@router.get("/v1/detect/{job_id}/recordings/{number}/probabilities", summary="Give probabilities over time")
def probabilities(
    request: Request,
    job_id: str,
    number: int,
    start: Annotated[float, Query(ge=0, le=FAR)] = 0.0,
    seconds: Annotated[float | None, Query(gt=0, le=FAR)] = None,
    steps: Annotated[int, Query(ge=1, le=4000)] = 600,
    labels: Labels = None,
    most: Annotated[
        int, Query(description="The most classes: those with the highest values.", ge=1, le=1000)
    ] = 12,
) -> Probabilities:
    """Give the score of each moment, the mean over the windows that contain it, as events are found by it."""
    server = server_of(request)
    of_job = server.jobs.get(job_id)
    scan = server.jobs.result(of_job)
    recording = of_job.recordings[_checked(of_job, number)]
    if recording not in scan.recordings:
        raise RefusedError(422, "unusable", of_job.message)
    scores = scan.detections.scores(recording)
    whole = scan.seconds[recording.name]
    seconds = max(whole - start, 0.001) if seconds is None else seconds
    highest = scores.proba.max(axis=0)
    order = np.argsort(-highest, kind="stable")
    names = [scan.classes[i] for i in order if labels is None or scan.classes[i] in labels][:most]
    starts, ends, by_class = scores.of_parts()
    grid = start + seconds * np.arange(steps + 1) / steps
    values = {
        scan.classes[column]: _highest(*score_over_time(starts, ends, proba.astype(np.float64)), grid)
        for column, proba in enumerate(by_class)
        if scan.classes[column] in names
    }
    return Probabilities(
        step=seconds / steps,
        start=start,
        highest={name: float(highest[scan.classes.index(name)]) for name in names},
        values={name: values[name] for name in names},
    )


def _highest(edges: Times, values: Times, grid: Times) -> list[float]:
    """Give the highest value in each step of the grid."""
    if not len(values):
        return [0.0] * (len(grid) - 1)
    first = np.clip(np.searchsorted(edges, grid[:-1], "right") - 1, 0, len(values) - 1)
    last = np.clip(np.searchsorted(edges, grid[1:], "left"), first + 1, len(values))
    padded = np.append(np.nan_to_num(values), 0.0)
    pairs = np.stack([first, last], axis=1).ravel()
    steps = np.maximum.reduceat(padded, pairs)[::2]
    steps[grid[:-1] >= edges[-1]] = 0.0
    return [round(float(value), 4) for value in steps]


def _checked(job: Job, number: int) -> int:
    if not 0 <= number < len(job.sounds):
        raise RefusedError(404, "no_recording", f"The job has {len(job.sounds)} recordings, counted from 0.")
    return number


def describe(job: Job) -> JobState:
    """Describe a job for clients."""
    recordings = [
        JobSound(name=recording.name, seconds=sound.seconds, sample_rate=sound.sample_rate, note=sound.note)
        for recording, sound in zip(job.recordings, job.sounds, strict=True)
    ]
    return JobState(
        id=job.id,
        state=job.state,
        created=job.created,
        message=job.message,
        window=job.window,
        overlap=job.window / 2 if job.overlap is None else job.overlap,
        seconds=job.seconds,
        seconds_done=job.seconds_done,
        recordings=recordings,
    )
