"""``POST /v1/predict``: the labels of short recordings."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from aurist.inference.clip_predictions import ClipPredictions
from aurist.inference.thresholds import thresholds_of
from aurist.openset import UNKNOWN_LABEL, check_share
from aurist.serve.answers import Model, Prediction, Predictions, Refusal
from aurist.serve.context import Server, server_of
from aurist.serve.decoders import Sound
from aurist.serve.refusals import RefusedError
from aurist.serve.uploads import receive_sounds

router = APIRouter()

_BINARY = {"schema": {"type": "string", "format": "binary"}}
#: The body of requests with recordings, for the documentation.
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["files"],
                    "properties": {
                        "files": {"type": "array", "items": {"type": "string", "format": "binary"}}
                    },
                }
            },
            "audio/wav": _BINARY,
            "application/octet-stream": _BINARY,
        },
    }
}
REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": Refusal, "description": text}
    for status, text in {
        400: "The form is malformed.",
        401: "The token is missing or wrong.",
        403: "The request comes from a page of another site.",
        408: "The upload took too long.",
        413: "The request exceeds a limit.",
        415: "The body is of another type.",
        421: "The server has another name.",
        422: "A recording or a parameter cannot be used.",
        429: "Too many requests wait; Retry-After says when to try again.",
        503: "The server is busy or stops.",
    }.items()
}


@router.get("/v1/model", summary="Describe the model", responses={k: REFUSALS[k] for k in (401, 403, 421)})
def model(request: Request) -> Model:
    """Give the classes, the honest score and the version of the model."""
    return server_of(request).model


@router.post("/v1/predict", summary="Label short recordings", openapi_extra=BODY, responses=REFUSALS)
async def predict(
    request: Request,
    rate: Annotated[
        int | None,
        Query(
            description="The body is raw samples of one channel, at this rate in Hz.", ge=20, le=10_000_000
        ),
    ] = None,
    format: Annotated[
        str, Query(description="Of raw samples, little endian: s16 or f32.", pattern="^(s16|f32)$")
    ] = "s16",
    name: Annotated[str, Query(description="The name of a recording that is the body.")] = "recording",
    precision: Annotated[
        float | None,
        Query(description="Share of labels that shall be right, of models with several labels.", gt=0, lt=1),
    ] = None,
    unknown: Annotated[
        float | None,
        Query(description="Label clips unknown that are unlike all that was learnt.", gt=0, lt=1),
    ] = None,
) -> Predictions:
    """Send a form with recordings, one recording as the body, or raw samples with ``rate``.

    The answer has one prediction for each, in order.
    """
    server = server_of(request)
    limits = server.options.limits
    _check_parameters(server, precision, unknown)
    with server.temporary_folder() as folder:
        sounds, _ = await receive_sounds(request, folder, server.decoders, limits, whole=True)
        future = server.engine.submit(sounds)
        try:
            applied = await asyncio.wait_for(asyncio.wrap_future(future), limits.request_seconds)
        except TimeoutError:
            raise RefusedError(
                503, "too_slow", "The prediction took too long. Try again later.", 30
            ) from None
    thresholds = applied.thresholds if precision is None else thresholds_of(server.files, None, precision)
    applied = replace(applied, thresholds=thresholds, unknown=unknown)
    return Predictions(model=server.model.key, predictions=predictions_of(sounds, applied))


def _check_parameters(server: Server, precision: float | None, unknown: float | None) -> None:
    """Refuse what the model cannot do, before the upload is read."""
    check_share(unknown)
    if precision is not None:
        thresholds_of(server.files, None, precision)
    if unknown is not None and server.engine.predictor.open_set is None:
        raise RefusedError(422, "no_likeness", "This model cannot tell what is unknown. Leave unknown out.")


def predictions_of(sounds: Sequence[Sound], applied: ClipPredictions) -> list[Prediction]:
    """Describe the prediction of each sound."""
    named, unknown = applied.named(), applied.is_unknown()
    answers = []
    for row, sound in enumerate(sounds):
        failure = applied.failures.get(row)
        proba = {} if failure else dict(zip(applied.classes, applied.proba[row].tolist(), strict=True))
        if failure is not None:
            failure = failure.replace(str(sound.file), sound.name)
            labels = []
        elif unknown[row]:
            labels = [UNKNOWN_LABEL]
        elif applied.multilabel:
            labels = [name for name, chosen in zip(applied.classes, named[row], strict=True) if chosen]
        else:
            labels = [max(proba, key=proba.__getitem__)]
        likeness = math.nan if applied.likeness is None else float(applied.likeness[row])
        answers.append(
            Prediction(
                name=sound.name,
                seconds=sound.seconds,
                labels=labels,
                probabilities=proba,
                likeness=None if math.isnan(likeness) else likeness,
                error=failure,
                note=sound.note,
            )
        )
    return answers
