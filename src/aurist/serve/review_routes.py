"""``/v1/review``: detections to judge, verdicts, and the precision that they tell."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from aurist.formulas import safe_table
from aurist.review.journal import OTHER, VERDICTS, Verdict, annotations_of
from aurist.review.orders import ORDERS, bins_of, precision_of, random_sample
from aurist.serve.clip_answers import picture_response
from aurist.serve.context import server_of
from aurist.serve.hearing import wav_response
from aurist.serve.judging import Review
from aurist.serve.refusals import RefusedError

router = APIRouter()

_PREFIX = "/v1/review/{review_id}"
Key = Annotated[str, Query(description="Of the detection.", pattern="^[0-9a-f]{16}$")]
Padding = Annotated[float, Query(description="Seconds of sound before and after it.", ge=0, le=20)]
Label = Annotated[str | None, Query(description="Of this class alone.")]


class Folder(BaseModel):
    """Detections that can be judged together."""

    id: str
    name: str
    detections: int
    judged: int


class ToJudge(BaseModel):
    """A detection, and the verdict on it."""

    key: str
    recording: str
    start: float
    end: float
    label: str
    score: float
    verdict: str = Field(description='"yes", "no", "?", "other", or "" without a verdict.')
    labels: list[str] = Field(description='The labels that are present, for "other".')


class Queue(BaseModel):
    """Detections in an order."""

    detections: list[ToJudge]
    of: int = Field(description="The number of all detections of the order.")
    revision: int


class Judgement(BaseModel):
    """A verdict to store."""

    key: str = Field(pattern="^[0-9a-f]{16}$")
    verdict: str = Field(description='"yes", "no", "?", "other", or "" to take it back.')
    labels: list[str] = Field(
        default=[], description='For "other": the labels that are present.', max_length=50
    )


class Stored(BaseModel):
    """A verdict that is safe on the disk."""

    key: str
    verdict: str
    labels: list[str]
    revision: int


class Share(BaseModel):
    """A precision with its 95% interval; null as long as nothing is judged."""

    name: str
    low_score: float | None = None
    high_score: float | None = None
    judged: int
    right: int
    unsure: int
    precision: float | None
    low: float
    high: float


class Progress(BaseModel):
    """The precision of the detections, by a random sample of them."""

    sample: Share
    bins: list[Share]
    classes: list[Share]
    judged: int = Field(description="Verdicts of all orders.")
    changes: list[Stored] = Field(description="Verdicts after the given revision.")
    revision: int


@router.get("/v1/review", summary="List what can be judged")
def reviews(request: Request) -> list[Folder]:
    """Give the folders of detections: those given at the start, live sources, and the jobs that are done."""
    all_reviews = server_of(request).reviews
    rows = [(review, *all_reviews.count(review)) for review in all_reviews.all()]
    return [Folder(id=review.id, name=review.name, detections=n, judged=done) for review, n, done in rows]


@router.get(f"{_PREFIX}/queue", summary="Give detections to judge")
def queue(
    request: Request,
    review_id: str,
    order: Annotated[str, Query(description=f"One of: {', '.join(ORDERS)}.")] = "score",
    label: Label = None,
    count: Annotated[int, Query(ge=1, le=2000)] = 200,
    open_only: Annotated[bool, Query(description="Only those without a verdict.")] = True,
) -> Queue:
    """Give the first detections of an order. Verdicts on the random order estimate the precision of all."""
    review = server_of(request).reviews.get(review_id)
    verdicts = review.journal.current()
    rows = review.candidates.in_order(order, label)
    keys = review.candidates.keys
    chosen = [
        row for row in rows.tolist() if review.has_sound(row) and not (open_only and keys[row] in verdicts)
    ]
    detections = [_to_judge(review, row, verdicts) for row in chosen[:count]]
    return Queue(detections=detections, of=len(rows), revision=_revision(review))


@router.put(f"{_PREFIX}/verdicts", summary="Store a verdict")
def put(request: Request, review_id: str, judgement: Judgement) -> Stored:
    """Store a verdict; the answer comes when it is safe on the disk. A later one takes the place of an earlier one."""
    review = server_of(request).reviews.get(review_id)
    row = review.row(judgement.key)
    labels = tuple(dict.fromkeys(label.strip() for label in judgement.labels if label.strip()))
    if judgement.verdict not in VERDICTS:
        raise RefusedError(
            422, "no_verdict", 'A verdict is "yes", "no", "?", "other", or "" to take it back.'
        )
    if (judgement.verdict == OTHER) != bool(labels):
        raise RefusedError(
            422, "no_labels", 'Name the labels that are present with the verdict "other", and only then.'
        )
    detection, candidates = review.detections[row], review.candidates
    stored = review.journal.put(
        Verdict(
            judgement.key,
            detection.recording.name,
            detection.event.start,
            detection.event.end,
            candidates.labels[row],
            round(detection.event.score, 6),
            judgement.verdict,
            labels,
            surest_start=None if detection.surest is None else detection.surest[0],
            surest_end=None if detection.surest is None else detection.surest[1],
        )
    )
    return _stored(stored)


@router.get(f"{_PREFIX}/progress", summary="Give the precision that the verdicts tell")
def progress(
    request: Request,
    review_id: str,
    label: Label = None,
    after: Annotated[int, Query(description="A revision: later verdicts are listed.", ge=0)] = 0,
) -> Progress:
    """Estimate the precision from the head of the random order: the detections judged up to the first that is not."""
    review = server_of(request).reviews.get(review_id)
    candidates, verdicts = review.candidates, review.journal.current()
    sample = random_sample(candidates, verdicts, label)
    scores = candidates.scores[sample]
    bins = []
    edges = bins_of(candidates, candidates.in_order("score", label))
    for number, (low, high) in enumerate(edges):
        inside = (scores >= low) & ((scores < high) if number + 1 < len(edges) else (scores <= high + 1e-3))
        bins.append(_share(review, verdicts, sample[inside], f"{low:.2f} - {high:.2f}", low, high))
    names = dict.fromkeys(verdict.label for verdict in verdicts.values())
    classes = [
        _share(review, verdicts, random_sample(candidates, verdicts, name), name) for name in sorted(names)
    ]
    return Progress(
        sample=_share(review, verdicts, sample, label or ""),
        bins=bins,
        classes=[one for one in classes if one.judged or one.unsure],
        judged=len(verdicts),
        changes=[_stored(verdict) for verdict in review.journal.since(after)],
        revision=_revision(review),
    )


@router.get(f"{_PREFIX}/sound.wav", summary="Give the sound of a detection", response_class=Response)
def clip_sound(request: Request, review_id: str, key: Key, padding: Padding = 1.0) -> Response:
    """Give the sound around a detection as a WAV file."""
    samples, _ = server_of(request).reviews.get(review_id).clip(key, padding)
    return wav_response(request, samples)


@router.get(f"{_PREFIX}/spectrogram", summary="Give the picture of a detection", response_class=Response)
def clip_picture(
    request: Request,
    review_id: str,
    key: Key,
    padding: Padding = 1.0,
    columns: Annotated[int, Query(ge=1, le=1024)] = 512,
    rows: Annotated[int, Query(ge=1, le=512)] = 192,
) -> Response:
    """Give bytes as for a recording. Headers tell the span in seconds, and the highest frequency in Hz."""
    samples, start = server_of(request).reviews.get(review_id).clip(key, padding)
    return picture_response(samples, start, columns, rows)


@router.get(f"{_PREFIX}/annotations.csv", summary="Give the verdicts as annotations", response_class=Response)
def annotations_file(request: Request, review_id: str) -> Response:
    """Give the file that ``aurist verdicts`` writes, for ``aurist fit --verdicts``."""
    review = server_of(request).reviews.get(review_id)
    table = safe_table(annotations_of(review.journal.current().values()).table)
    headers = {"Content-Disposition": 'attachment; filename="annotations.csv"'}
    return Response(table.to_csv(index=False, float_format="%.9g"), media_type="text/csv", headers=headers)


def _to_judge(review: Review, row: int, verdicts: Mapping[str, Verdict]) -> ToJudge:
    detection, key = review.detections[row], review.candidates.keys[row]
    verdict = verdicts.get(key)
    return ToJudge(
        key=key,
        recording=detection.recording.name,
        start=detection.event.start,
        end=detection.event.end,
        label=review.candidates.labels[row],
        score=detection.event.score,
        verdict="" if verdict is None else verdict.verdict,
        labels=[] if verdict is None else list(verdict.labels),
    )


def _share(
    review: Review, verdicts: Mapping[str, Verdict], rows: np.ndarray[Any, np.dtype[np.intp]], name: str,
    low: float | None = None, high: float | None = None,
) -> Share:  # fmt: skip
    measured = precision_of(review.candidates, verdicts, rows)
    share = None if math.isnan(measured.precision) else measured.precision
    return Share(
        name=name,
        low_score=low,
        high_score=high,
        judged=measured.judged,
        right=measured.right,
        unsure=measured.unsure,
        precision=share,
        low=measured.low,
        high=measured.high,
    )


def _stored(verdict: Verdict) -> Stored:
    return Stored(
        key=verdict.key, verdict=verdict.verdict, labels=list(verdict.labels), revision=verdict.revision
    )


def _revision(review: Review) -> int:
    newest = review.journal.since(0)
    return newest[-1].revision if newest else 0
