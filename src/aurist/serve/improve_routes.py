"""``/v1/improve``: learn from verdicts and corrections, and use the new model."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from aurist.review.learning import Foresight, foresee
from aurist.serve.context import server_of
from aurist.serve.refusals import RefusedError

router = APIRouter()


class Improvement(BaseModel):
    """The verdicts and corrections that there are, and the state of learning from them."""

    possible: bool = Field(description="False for an exported model.")
    reason: str = Field(description="Why it is not possible.")
    learn: int = Field(description="Verdicts to learn from.")
    held_out: int = Field(description="Verdicts that are never learnt from, of whole recordings.")
    held_out_random: int = Field(
        description="Those of them that belong to random samples: they compare the models."
    )
    comparison: Foresight = Field(
        description="Whether both models can be compared on verdicts afterwards: possible, few (with a wide interval), "
        "or why not: not_random, other_recording, all_right, all_wrong."
    )
    corrected: int = Field(description="Clips of the training data with other labels, or left out.")
    state: str = Field(description="idle, running, done or failed.")
    progress: float
    models: list[str] = Field(description="The models that are fitted already.")
    message: str = Field(description="Why it failed.")
    result: dict[str, Any] | None = Field(description="The comparison of both models.")
    in_use: bool = Field(description="True if the new model is in use.")


class Learning(BaseModel):
    """A wish to learn."""

    seconds: float = Field(description="Time of the fit.", ge=10, le=24 * 3600)


@router.get("/v1/improve", summary="Tell what can be learnt, and how far it is")
def status(request: Request) -> Improvement:
    """Count the verdicts, and give the state of learning."""
    improving = server_of(request).improving
    try:
        improving.need_run()
        reason = ""
    except RefusedError as error:
        reason = str(error)
    learn, held_out = improving.divided()
    corrections = improving.decisions.corrections()
    return Improvement(
        possible=not reason,
        reason=reason,
        learn=len(learn),
        held_out=len(held_out),
        held_out_random=sum(one.at_random for one in held_out),
        comparison=foresee(learn, held_out),
        corrected=len(corrections),
        **improving.status(),
    )


@router.post("/v1/improve", summary="Learn from verdicts and corrections", status_code=202)
def start(request: Request, learning: Learning) -> Improvement:
    """Fit a model to the corrected data of the run and the verdicts, in the background."""
    server_of(request).improving.start(learning.seconds)
    return status(request)


@router.delete("/v1/improve", summary="Stop learning")
def cancel(request: Request) -> Improvement:
    """Stop, and delete what was made."""
    server_of(request).improving.cancel()
    return status(request)


@router.post("/v1/improve/use", summary="Use the new model")
def use(request: Request) -> Improvement:
    """Load the model that was learnt last, and predict with it from now on."""
    server = server_of(request)
    server.improving.use(server.use)
    return status(request)


@router.delete("/v1/improve/use", summary="Use the first model again")
def use_original(request: Request) -> Improvement:
    """Predict with the model that the server was started with."""
    server_of(request).use(None)
    return status(request)
