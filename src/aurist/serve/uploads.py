"""Take the sound out of requests: files of a form, one file as the body, or raw samples."""

from __future__ import annotations

import asyncio
import re
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request

from aurist.audio.writing import write_wav
from aurist.serve.decoders import Decoders, Sound
from aurist.serve.options import Limits
from aurist.serve.refusals import RefusedError

#: Formats of raw samples, little endian.
PCM: dict[str, np.dtype[Any]] = {"s16": np.dtype("<i2"), "f32": np.dtype("<f4")}
_CHUNK = 1 << 20
_LONGEST_NAME = 200
#: Types of a body that is one recording.
_SOUND = re.compile(r"(audio|video)/[\w.+-]+|application/(octet-stream|ogg|x-flac)")


async def receive_sounds(
    request: Request, folder: Path, decoders: Decoders, limits: Limits, *, whole: bool
) -> tuple[list[Sound], dict[str, str]]:
    """Store and decode the recordings of a request.

    Parameters
    ----------
    request
        Its body is a form with files, one recording, or raw samples with the parameter ``rate``.
    folder
        An empty folder for the decoded files; their names are numbers, never the client's.
    decoders, limits
        Of the server.
    whole
        Refuse recordings whose end is missing.

    Returns
    -------
    sounds
        In the order of the request.
    fields
        The other fields of the form.

    Raises
    ------
    RefusedError
        If one of the recordings cannot be used, or there is none.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return await _of_form(request, folder, decoders, limits, whole)
    if not _SOUND.fullmatch(kind):
        raise RefusedError(
            415,
            "wrong_type",
            f"The request is of type {kind[:80] or 'none'}. Send a form with files (multipart/form-data), or one "
            "recording as the body, of type audio/wav, audio/flac ..., or application/octet-stream.",
        )
    source = folder / "body"
    await _store_body(request, source)
    name = plain_name(request.query_params.get("name", "recording"))
    if "rate" in request.query_params:
        source = await run_in_threadpool(_of_samples, request, source, limits)
    sound = await run_in_threadpool(decoders.decode, name, source, folder / "0.wav", whole=whole)
    source.unlink()
    return [sound], {}


async def _of_form(
    request: Request, folder: Path, decoders: Decoders, limits: Limits, whole: bool
) -> tuple[list[Sound], dict[str, str]]:
    form = await request.form(max_files=limits.files + 1, max_fields=50)
    try:
        files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
        fields = {key: value for key, value in form.multi_items() if isinstance(value, str)}
        if not files:
            raise RefusedError(
                422, "no_files", "There is no recording in the form. Send it as the field files."
            )
        if len(files) > limits.files:
            raise RefusedError(413, "too_many_files", f"Send at most {limits.files} recordings at a time.")

        # one for each process: a request of many files leaves no others without threads
        turns = asyncio.Semaphore(decoders.count)

        async def one(number: int, upload: UploadFile) -> Sound:
            source, target = folder / f"{number}.upload", folder / f"{number}.wav"
            name = plain_name(upload.filename or "")
            async with turns:
                return await run_in_threadpool(_decode, decoders, upload, name, source, target, whole)

        results = await asyncio.gather(
            *(one(number, upload) for number, upload in enumerate(files)), return_exceptions=True
        )
    finally:
        await form.close()
    sounds = [result for result in results if isinstance(result, Sound)]
    if len(sounds) < len(results):
        raise _joined([result for result in results if isinstance(result, BaseException)])
    return sounds, fields


def _joined(errors: list[BaseException]) -> BaseException:
    """Join the refusals of several files into one; another error is a bug, and goes on as it is."""
    refusals = [error for error in errors if isinstance(error, RefusedError)]
    if len(refusals) < len(errors):
        return next(error for error in errors if not isinstance(error, RefusedError))
    if len(refusals) == 1:
        return refusals[0]
    return RefusedError(refusals[0].status, refusals[0].code, "\n".join(map(str, refusals)))


def _decode(
    decoders: Decoders, upload: UploadFile, name: str, source: Path, target: Path, whole: bool
) -> Sound:
    with source.open("wb") as file:
        while chunk := upload.file.read(_CHUNK):
            file.write(chunk)
    try:
        return decoders.decode(name, source, target, whole=whole)
    finally:
        source.unlink()


async def _store_body(request: Request, target: Path) -> None:
    with target.open("wb") as file:
        async for chunk in request.stream():
            file.write(chunk)


def _of_samples(request: Request, source: Path, limits: Limits) -> Path:
    """Replace a file of raw samples of one channel by a WAV file."""
    rate, form = request.query_params["rate"], request.query_params.get("format", "s16")
    if not (rate.isdecimal() and 20 <= int(rate) <= 10_000_000):
        raise RefusedError(
            422, "wrong_rate", f"rate is {rate[:20]!r}, but must be a whole number of Hz, such as 22050."
        )
    if form not in PCM:
        raise RefusedError(
            422, "wrong_format", f"format is {form[:20]!r}, but must be one of: {', '.join(PCM)}."
        )
    size, width = source.stat().st_size, PCM[form].itemsize
    if not size or size % width:
        raise RefusedError(
            422,
            "wrong_size",
            f"The body has {size:,} bytes, but must have {width} for each sample, and at least one.",
        )
    if size // width > limits.seconds * int(rate):
        raise RefusedError(413, "too_long", f"The sound lasts over {limits.seconds:g} s.")
    samples = np.fromfile(source, PCM[form])
    wave = (samples / np.float32(32768) if form == "s16" else samples).astype(np.float32)
    if not np.isfinite(wave).all():
        raise RefusedError(422, "wrong_samples", "Some samples are no finite numbers.")
    target = source.with_suffix(".wav")
    write_wav(target, wave, int(rate))
    source.unlink()
    return target


def plain_name(name: str) -> str:
    """Make the client's name of a file harmless: it is shown, and never used as a path.

    Examples
    --------
    >>> plain_name("../../etc/passwd"), plain_name("C:\\\\night\\n.wav"), plain_name("")
    ('passwd', 'night .wav', 'recording')
    """
    last = re.split(r"[/\\]", name)[-1]
    shown = "".join(" " if unicodedata.category(char)[0] == "C" else char for char in last)
    return shown.strip(". ")[:_LONGEST_NAME] or "recording"
