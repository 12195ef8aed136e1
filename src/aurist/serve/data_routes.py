"""``/v1/data``: likely label errors of the training data, to be heard and corrected."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from aurist.formulas import safe_table
from aurist.results.corrections import corrected_table
from aurist.serve.clip_answers import picture_response
from aurist.serve.context import Server, run_with_data, server_of
from aurist.serve.decisions import tidy_labels
from aurist.serve.hearing import wav_response
from aurist.serve.label_errors import LabelErrors
from aurist.serve.refusals import RefusedError

router = APIRouter()

Key = Annotated[str, Query(description="Of the clip.", pattern="^[0-9a-f]{16}$")]


class Suspect(BaseModel):
    """A clip whose label is likely wrong."""

    key: str
    name: str
    label: str = Field(description="As the data has it.")
    suggestion: str = Field(description="Rather this.")
    given: float = Field(description="The probability of the label.")
    suggested: float = Field(description="The probability of the suggestion.")
    decision: list[str]


class Suspects(BaseModel):
    """The suspicious clips of the training data."""

    possible: bool
    reason: str
    clips: list[Suspect]
    corrected: int = Field(description="Clips with other labels now.")
    left_out: int = Field(description="Clips of findings that are left out.")


class Decision(BaseModel):
    """The decision of a person about a clip."""

    key: str = Field(pattern="^[0-9a-f]{16}$")
    decision: str = Field(
        description='"keep", "labels", "?", or "" to take it back.', pattern=r"^(keep|labels|\?|)$"
    )
    labels: list[str] = Field(
        default=[], description='The right ones, with "labels"; none: the clip has no label.'
    )


def _errors(server: Server) -> LabelErrors:
    run = run_with_data(server)
    if server.label_errors is None:
        server.label_errors = LabelErrors(run, server.decisions)
    return server.label_errors


@router.get("/v1/data", summary="List likely label errors of the training data")
def suspects(request: Request) -> Suspects:
    """Give the clips whose labels are likely wrong, the most suspicious first, and what was decided about them."""
    server = server_of(request)
    try:
        errors = _errors(server)
    except RefusedError as error:
        return Suspects(possible=False, reason=str(error), clips=[], corrected=0, left_out=0)
    decided = server.decisions.current()
    clips = [
        Suspect(
            key=row["key"],
            name=str(row["clip_id"]),
            label=row["label"],
            suggestion=row["suggestion"],
            given=row["given"],
            suggested=row["suggested"],
            decision=decided.get(row["key"], []),
        )
        for row in errors.table.to_dict("records")
    ]
    corrections = server.decisions.corrections()
    return Suspects(
        possible=True,
        reason="",
        clips=clips,
        corrected=len(corrections.labels),
        left_out=len(corrections.left_out),
    )


@router.put("/v1/data/decisions", summary="Decide about a clip", status_code=204)
def decide(request: Request, decision: Decision) -> None:
    """Store a decision; the answer comes when it is safe on the disk."""
    _errors(server_of(request)).decide(decision.key, [decision.decision, *tidy_labels(decision.labels)])


@router.get("/v1/data/sound.wav", summary="Give the sound of a clip", response_class=Response)
def sound(request: Request, key: Key) -> Response:
    """Give the clip as a WAV file."""
    return wav_response(request, _errors(server_of(request)).clip(key))


@router.get("/v1/data/spectrogram", summary="Give the picture of a clip", response_class=Response)
def picture(
    request: Request,
    key: Key,
    columns: Annotated[int, Query(ge=1, le=1024)] = 512,
    rows: Annotated[int, Query(ge=1, le=512)] = 192,
) -> Response:
    """Give bytes as for a detection."""
    return picture_response(_errors(server_of(request)).clip(key), 0.0, columns, rows)


@router.get("/v1/data/clips.csv", summary="Give the corrected clips table", response_class=Response)
def table(request: Request) -> Response:
    """Give the clips table of the run with the corrected labels, to fit again.

    Text that a spreadsheet would take for a formula has a quote in front, which the fit removes.
    """
    server = server_of(request)
    clips = safe_table(corrected_table(run_with_data(server), server.decisions.corrections()))
    text = clips.to_csv(index=False, float_format="%.9g")
    return Response(
        text, media_type="text/csv", headers={"Content-Disposition": 'attachment; filename="clips.csv"'}
    )
