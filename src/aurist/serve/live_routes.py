"""``/v1/live``: follow a microphone or a stream; its latest events, their sound, and the log."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
import pandas as pd
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from aurist.review.journal import Verdict
from aurist.serve.clip_answers import picture_response
from aurist.serve.context import server_of
from aurist.serve.hearing import wav_response
from aurist.serve.live_session import MOST_EVENTS, LiveSession, key_of_event, logged, span_in_clip
from aurist.serve.predicting import REFUSALS
from aurist.serve.refusals import RefusedError
from aurist.serve.reporting import COLUMNS
from aurist.serve.sound import Samples, open_samples, spectrogram

router = APIRouter()

Number = Annotated[int, Query(description="Of the event, from 1.", ge=1, le=10**9)]
#: The most bytes of sound that a browser sends at a time: ten seconds at 192 kHz.
_MOST_BYTES = 2 * 10 * 192_000


class LiveEventAnswer(BaseModel):
    """An event of a live source."""

    number: int
    clock: str = Field(description="When it began.", examples=["2026-05-01T04:31:07.250+09:00"])
    start: float = Field(description="Seconds since the source was opened.")
    end: float
    label: str
    score: float
    delay: float = Field(description="Seconds from its end to its report.")
    lead: float = Field(description="Seconds of its clip before it.")
    key: str = Field(description="Of the detection, to judge it: PUT /v1/review/ID/verdicts.")
    verdict: str = Field(description='"yes", "no", "?", "other", or "" without a verdict.')
    labels: list[str] = Field(description='The labels that are present, for "other".')


class LiveState(BaseModel):
    """A live source."""

    id: str
    source: str = Field(description='"mic", "mic:NAME", a URL, or "browser".')
    state: str = Field(description="running, stopped or failed.")
    message: str = Field(description="Why it ended.")
    began: str
    seconds: float = Field(description="Seconds that were heard.")
    count: int = Field(description="Number of events.")
    can_judge: bool = Field(description="False if an older version followed it.")
    level: float | None = Field(
        description="Of the last second, in dB below full scale; null before the first."
    )


class LiveStates(BaseModel):
    """All live sources, and those that can be followed."""

    sources: list[str] = Field(description="Sources that the server was started with.")
    any_stream: bool = Field(description="True if other streams and devices of the server may be named.")
    sessions: list[LiveState]


class LiveNews(BaseModel):
    """The news of a live source."""

    state: LiveState
    events: list[LiveEventAnswer]


class LiveStart(BaseModel):
    """A source to follow."""

    source: str = Field(max_length=2000)
    window: float | None = Field(default=None, ge=0.05, le=600, description="Default: that of the model.")
    min_score: float | None = Field(default=None, ge=0, le=1, description="Default: the thresholds.")


@router.get("/v1/live", summary="List live sources")
def sessions(request: Request) -> LiveStates:
    """Give the sources that are and were followed, the newest first, and those that can be."""
    live = server_of(request).live
    return LiveStates(
        sources=list(live.sources),
        any_stream=live.any_stream,
        sessions=[_state(session) for session in live.all()],
    )


@router.post("/v1/live", summary="Follow a source", status_code=202, responses=REFUSALS)
def start(request: Request, wanted: LiveStart) -> LiveState:
    """Open a source of the server, or wait for the sound of a browser."""
    return _state(server_of(request).live.start(wanted.source, wanted.window, wanted.min_score))


@router.get("/v1/live/{session_id}", summary="Give the latest events")
def news(request: Request, session_id: str, after: Annotated[int, Query(ge=0, le=10**9)] = 0) -> LiveNews:
    """Give the events after a number, at most the latest ones."""
    session = server_of(request).live.get(session_id)
    events, verdicts = session.events[after:][-MOST_EVENTS:], session.journal.current()
    return LiveNews(
        state=_state(session),
        events=[_event(one, verdicts) for one in events],
    )


@router.post("/v1/live/{session_id}/stop", summary="Stop to follow a source")
def stop(request: Request, session_id: str) -> LiveState:
    """End it; its events stay."""
    session = server_of(request).live.get(session_id)
    session.stop()
    return _state(session)


@router.delete("/v1/live/{session_id}", summary="Delete the events of a source", status_code=204)
def delete(request: Request, session_id: str) -> Response:
    """Stop it, and delete its log and its sound."""
    server = server_of(request)
    server.live.delete(session_id)
    server.reviews.forget(session_id)
    return Response(status_code=204)


@router.post(
    "/v1/live/{session_id}/sound",
    summary="Send sound of a browser",
    status_code=204,
    responses=REFUSALS,
    openapi_extra={
        "requestBody": {
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
        }
    },
)
async def sound_in(
    request: Request, session_id: str, rate: Annotated[int, Query(ge=1000, le=400_000)]
) -> Response:
    """Take raw samples of 16 bits and one channel, as the next part of the sound."""
    session = server_of(request).live.get(session_id)
    body = await request.body()
    if len(body) > _MOST_BYTES or len(body) % 2:
        raise RefusedError(413, "wrong_size", f"Send an even number of bytes, at most {_MOST_BYTES:,}.")
    session.take(np.frombuffer(body, "<i2").astype(np.float32) / np.float32(32768), rate)
    return Response(status_code=204)


@router.get("/v1/live/{session_id}/now", summary="Draw the last seconds", response_class=Response)
def now(
    request: Request,
    session_id: str,
    columns: Annotated[int, Query(ge=1, le=1024)] = 480,
    rows: Annotated[int, Query(ge=1, le=512)] = 96,
) -> Response:
    """Give the spectrogram of the last seconds, as that of a recording; 204 before the first sound."""
    session = server_of(request).live.get(session_id)
    latest = session.now
    if not len(latest) or not session.sample_rate:
        return Response(status_code=204)
    samples = Samples(latest, session.sample_rate)
    tile = spectrogram(samples, 0.0, samples.seconds, columns, rows, 0.0, session.sample_rate / 2)
    headers = {"X-Seconds": f"{samples.seconds:.3f}", "X-High": f"{session.sample_rate / 2:g}"}
    return Response(tile.tobytes(), media_type="application/octet-stream", headers=headers)


@router.get("/v1/live/{session_id}/sound.wav", summary="Play an event", response_class=Response)
def sound(request: Request, session_id: str, key: Number) -> Response:
    """Give its sound as a WAV file of 16 bits."""
    return wav_response(request, _clip(server_of(request).live.get(session_id), key))


@router.get("/v1/live/{session_id}/spectrogram", summary="Draw an event", response_class=Response)
def picture(
    request: Request,
    session_id: str,
    key: Number,
    columns: Annotated[int, Query(ge=1, le=1024)],
    rows: Annotated[int, Query(ge=1, le=1024)],
) -> Response:
    """Give its spectrogram, as that of a detection to judge."""
    return picture_response(_clip(server_of(request).live.get(session_id), key), 0.0, columns, rows)


@router.get("/v1/live/{session_id}/events.{form}", summary="Give the log", response_class=Response)
def log(request: Request, session_id: str, form: str) -> Response:
    """Give all events as CSV or as JSON lines, by the ending."""
    session = server_of(request).live.get(session_id)
    records = logged(session.folder)
    if form == "jsonl":
        text, kind = (
            "".join(json.dumps(_public(one), ensure_ascii=False) + "\n" for one in records),
            "application/jsonl",
        )
    elif form == "csv":
        file = io.StringIO()
        columns = [name for name in COLUMNS if name != "file"]
        pd.DataFrame(records, columns=columns).to_csv(file, index=False)
        text, kind = file.getvalue(), "text/csv; charset=utf-8"
    else:
        raise RefusedError(404, "not_found", "The log is there as events.csv and events.jsonl.")
    name = f"events-{session.began:%Y%m%d-%H%M%S}.{form}"
    return Response(text, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _public(record: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out where the sound of an event lies."""
    return {name: value for name, value in record.items() if name not in ("file", "lead")}


def _event(record: Mapping[str, Any], verdicts: Mapping[str, Verdict]) -> LiveEventAnswer:
    key = key_of_event(record)
    verdict = verdicts.get(key)
    word, labels = ("", []) if verdict is None else (verdict.verdict, list(verdict.labels))
    lead, _ = span_in_clip(record)
    return LiveEventAnswer(**_public(record), lead=lead, key=key, verdict=word, labels=labels)


def _clip(session: LiveSession, number: int) -> Samples:
    path = session.clip(session.events[number - 1]) if number <= len(session.events) else None
    if path is None or not path.exists():
        raise RefusedError(404, "no_sound", "The sound of this event is not kept any more.")
    return open_samples(path)


def _state(session: LiveSession) -> LiveState:
    last = session.now[-session.sample_rate :] if session.sample_rate else session.now
    level = None
    if len(last):
        level = round(float(10 * np.log10(np.mean(np.square(last, dtype=np.float64)) + 1e-12)), 1)
    return LiveState(
        id=session.id,
        source=session.source,
        state=session.state,
        message=session.message,
        began=session.began.isoformat(timespec="seconds"),
        seconds=round(session.heard, 2),
        count=len(session.events),
        can_judge=bool(session.model),
        level=level,
    )
