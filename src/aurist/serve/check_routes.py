"""``/v1/data/check``: what the check before the fit found, to be heard."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from aurist.serve.check_findings import CheckFindings
from aurist.serve.clip_answers import picture_response
from aurist.serve.context import Server, run_with_data, server_of
from aurist.serve.decisions import tidy_labels
from aurist.serve.hearing import wav_response
from aurist.serve.refusals import RefusedError
from aurist.serve.sound import Samples

router = APIRouter()

_KEY = r"^\d{1,6}-[01]$"
Key = Annotated[str, Query(description="Numbers of the finding and of its clip, such as 3-0.", pattern=_KEY)]


class CheckedClip(BaseModel):
    """A clip of a finding."""

    key: str
    name: str
    labels: str
    can_leave_out: bool = Field(description="False if the check left it out already.")
    decision: str = Field(description='"labels", "leave out", "keep", or "".')


class CheckFinding(BaseModel):
    """A flawed clip, or two clips to compare."""

    kind: str = Field(examples=["near duplicates"])
    detail: str
    left_out: bool = Field(description="True if the clip could not be used.")
    clips: list[CheckedClip]


class CheckAnswer(BaseModel):
    """The findings of the check."""

    possible: bool
    reason: str
    notes: list[str] = Field(description="About the data as a whole.")
    findings: list[CheckFinding]


class CheckDecision(BaseModel):
    """The decision of a person about a clip of a finding."""

    key: str = Field(pattern=_KEY)
    decision: str = Field(
        description='"labels"; "leave out": never learn from it; "keep"; "" takes it back.',
        pattern="^(labels|leave out|keep|)$",
    )
    labels: list[str] = Field(default=[], description='The right ones, with "labels".')


@router.get("/v1/data/check", summary="List what the check found")
def findings(request: Request) -> CheckAnswer:
    """Give the findings to hear, and sentences about the data."""
    server = server_of(request)
    try:
        check = _check(server)
    except RefusedError as error:
        return CheckAnswer(possible=False, reason=str(error), notes=[], findings=[])
    decisions, corrected = server.decisions.current(), server.decisions.corrections().labels
    items = [
        CheckFinding(
            kind=item.kind,
            detail=item.detail,
            left_out=item.left_out,
            clips=[
                CheckedClip(
                    key=f"{row}-{number}",
                    name=clip.name,
                    labels=check.current_labels(clip, corrected),
                    can_leave_out=bool(clip.clip_ids),
                    decision=check.decided(clip, decisions),
                )
                for number, clip in enumerate(item.clips)
            ],
        )
        for row, item in enumerate(check.items)
    ]
    return CheckAnswer(possible=True, reason="", notes=check.notes, findings=items)


@router.put("/v1/data/check/decisions", summary="Decide about a clip of a finding", status_code=204)
def decide(request: Request, decision: CheckDecision) -> None:
    """Store a decision; the answer comes when it is safe on the disk."""
    _check(server_of(request)).decide(
        *_numbers(decision.key), decision.decision, tidy_labels(decision.labels)
    )


@router.get("/v1/data/check/sound.wav", summary="Play a clip of a finding", response_class=Response)
def sound(request: Request, key: Key) -> Response:
    """Give its sound as a WAV file of 16 bits."""
    return wav_response(request, _samples(request, key))


@router.get("/v1/data/check/spectrogram", summary="Draw a clip of a finding", response_class=Response)
def picture(
    request: Request,
    key: Key,
    columns: Annotated[int, Query(ge=1, le=1024)] = 512,
    rows: Annotated[int, Query(ge=1, le=512)] = 192,
) -> Response:
    """Give bytes as for a detection."""
    return picture_response(_samples(request, key), 0.0, columns, rows)


def _samples(request: Request, key: str) -> Samples:
    return _check(server_of(request)).clip(*_numbers(key))


def _numbers(key: str) -> tuple[int, int]:
    item, _, number = key.partition("-")
    return int(item), int(number)


def _check(server: Server) -> CheckFindings:
    run = run_with_data(server)
    if server.check is None:
        server.check = CheckFindings(run, server.decisions)
    return server.check
