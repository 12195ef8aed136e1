"""Routes that play and draw the recordings of a job."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse

from aurist.serve.context import Server, server_of
from aurist.serve.refusals import RefusedError
from aurist.serve.sound import Samples, open_samples, spectrogram, wav_bytes, wav_size, waveform

router = APIRouter()

_PREFIX = "/v1/detect/{job_id}/recordings/{number}"
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")
#: Bytes that are converted at a time.
_CHUNK = 1 << 18
#: Pictures of a recording never change.
_KEEP = {"Cache-Control": "private, max-age=86400, immutable"}

#: Beyond all recordings, in seconds, and all sample rates, in Hz.
FAR = 1e9

Start = Annotated[float, Query(description="Seconds.", ge=0, le=FAR)]
Seconds = Annotated[float, Query(description="The length of the span.", gt=0, le=1e6)]
Columns = Annotated[int, Query(ge=1, le=4096)]


@router.get(f"{_PREFIX}/sound.wav", summary="Give the sound to play", response_class=Response)
def sound(request: Request, job_id: str, number: int) -> Response:
    """Give the decoded recording as a WAV file of 16 bits; a header Range gives a part of it."""
    return wav_response(request, samples_of(server_of(request), job_id, number))


@router.get(f"{_PREFIX}/waveform", summary="Give the waveform to draw", response_class=Response)
def waveform_of(
    request: Request, job_id: str, number: int, start: Start, seconds: Seconds, columns: Columns
) -> Response:
    """Give two bytes for each column: the lowest and the highest sample, 0 for -1 and 255 for 1."""
    values = waveform(samples_of(server_of(request), job_id, number), start, seconds, columns)
    return Response(values.tobytes(), media_type="application/octet-stream", headers=_KEEP)


@router.get(
    f"{_PREFIX}/spectrogram", summary="Give a tile of the spectrogram to draw", response_class=Response
)
def spectrogram_of(
    request: Request,
    job_id: str,
    number: int,
    start: Start,
    seconds: Seconds,
    columns: Annotated[int, Query(ge=1, le=1024)],
    rows: Annotated[int, Query(ge=1, le=1024)],
    low: Annotated[float, Query(ge=0, le=FAR)] = 0.0,
    high: Annotated[float | None, Query(gt=0, le=FAR)] = None,
) -> Response:
    """Give a byte for each cell, in rows from the highest frequency down: 0 for -120 dB, 255 for full scale."""
    samples = samples_of(server_of(request), job_id, number)
    high = samples.sample_rate / 2 if high is None else high
    if high <= low:
        raise RefusedError(422, "wrong_range", "high must be above low.")
    tile = spectrogram(samples, start, seconds, columns, rows, low, high)
    return Response(tile.tobytes(), media_type="application/octet-stream", headers=_KEEP)


def samples_of(server: Server, job_id: str, number: int) -> Samples:
    """Open a recording of a job."""
    job = server.jobs.get(job_id)
    if not 0 <= number < len(job.sounds):
        raise RefusedError(404, "no_recording", f"The job has {len(job.sounds)} recordings, counted from 0.")
    return open_samples(job.sounds[number].file)


def wav_response(request: Request, samples: Samples) -> Response:
    """Answer with a recording, or with the range that the player wants."""
    size = wav_size(samples)
    first, last, status = 0, size, 200
    headers = {"Accept-Ranges": "bytes", **_KEEP}
    if (match := _RANGE.fullmatch(request.headers.get("range", ""))) and any(match.groups()):
        begin, end = match.groups()
        first = int(begin) if begin else max(0, size - int(end))
        last = min(size, int(end) + 1) if begin and end else size
        if first >= last:
            return Response(status_code=416, headers={"Content-Range": f"bytes */{size}"})
        status = 206
        headers["Content-Range"] = f"bytes {first}-{last - 1}/{size}"
    headers["Content-Length"] = str(last - first)
    parts = (wav_bytes(samples, begin, min(begin + _CHUNK, last)) for begin in range(first, last, _CHUNK))
    return StreamingResponse(parts, status, headers, "audio/wav")
