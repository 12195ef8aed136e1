"""Decode every file of the tables once, several at a time, and collect and cache facts about each."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from aurist.archives import read_member
from aurist.audio import UnreadableAudioError, open_audio
from aurist.audit.broken import clip_spans
from aurist.audit.cache import FactsCache
from aurist.audit.files import EIGHT_BITS, FULL_SCALE, FULL_SCALE_8_BITS, ClipMeter, FileFacts, facts_key
from aurist.audit.fingerprint import Fingerprint, fingerprint_blocks
from aurist.clips.table import Clips
from aurist.progress import Advance

#: Files between two writes to the cache; a killed check repeats at most these.
BATCH = 64

Spans = tuple[tuple[float, float], ...]
Request = tuple[Path, Spans]


def measure_files(
    tables: Sequence[Clips], *, jobs: int, cache_dir: Path | None, progress: bool, near: bool
) -> list[dict[str, FileFacts]]:
    """Return the facts about each file of each table, by its path in the table.

    Parameters
    ----------
    tables
        The tables; rows without a path are skipped.
    jobs
        Files decoded at a time; 0 for as many as there are cores.
    cache_dir
        Folder of the cache; None: no cache.
    progress
        True: show a progress bar if it takes more than two seconds.
    near
        True: compute fingerprints.
    """
    requests_of = [_requests(clips) for clips in tables]
    key_of = {request: facts_key(*request, near) for table in requests_of for request in table.values()}
    cache = FactsCache(cache_dir)
    try:
        cached = cache.get(key for key in key_of.values() if key is not None)
        facts = {request: cached[key] for request, key in key_of.items() if key in cached}
        todo = [request for request in key_of if request not in facts]
        with Advance(len(todo), progress, "checking files") as advance:
            for batch in _batches(todo):
                measured = dict(_measured(batch, jobs, near, advance))
                facts |= measured
                keys = {request: key_of[request] for request in measured}
                cache.put({key: measured[request] for request, key in keys.items() if key is not None})
    finally:
        cache.close()
    return [{path: facts[request] for path, request in table.items()} for table in requests_of]


def _requests(clips: Clips) -> dict[str, Request]:
    """Return the file and the spans of each path."""
    spans: dict[str, dict[tuple[float, float], None]] = {}
    for path, span in zip(clips.table["path"], clip_spans(clips), strict=True):
        if path is not None:
            spans.setdefault(str(path), {})[span] = None
    return {path: (clips.file(path), tuple(of_path)) for path, of_path in spans.items()}


def _batches(todo: Sequence[Request]) -> Iterator[Sequence[Request]]:
    for begin in range(0, len(todo), BATCH):
        yield todo[begin : begin + BATCH]


def _measured(
    batch: Iterable[Request], jobs: int, near: bool, advance: Advance
) -> Iterator[tuple[Request, FileFacts]]:
    """Measure files in threads: decoding, resampling and the FFT all release the interpreter's lock."""
    requests = list(batch)
    with ThreadPoolExecutor(jobs or None, thread_name_prefix="audit") as pool:
        for request, facts in zip(
            requests, pool.map(lambda q: measure_file(*q, near=near), requests), strict=True
        ):
            advance()
            yield request, facts


def measure_file(path: Path, spans: Spans, *, near: bool) -> FileFacts:
    """Decode a file once and return all facts for the audit. A broken file is a fact, not an error."""
    try:
        with open_audio(path) as source:
            info = source.info
            eight_bits = info.subtype in EIGHT_BITS
            meter = ClipMeter(spans, info.sample_rate, FULL_SCALE_8_BITS if eight_bits else FULL_SCALE)
            mono = meter.mono(source.blocks(0, None))
            prints = fingerprint_blocks(mono, info.sample_rate) if near else None
            # without a fingerprint the blocks were not read yet
            for _ in mono:
                pass
            seconds = meter.position / info.sample_rate
            if meter.position == 0:
                return FileFacts("empty", f"has a header ({info.format}) but no samples", info.format)
            return FileFacts(
                detail=_missing(info.promised_duration, seconds) if source.truncated else "",
                format=info.format,
                encoding=info.subtype,
                sample_rate=info.sample_rate,
                channels=info.channels,
                seconds=seconds,
                truncated=source.truncated,
                note=info.note,
                gaps=tuple(
                    (first / info.sample_rate, last / info.sample_rate) for first, last in source.gaps
                ),
                digest=meter.digest(),
                spans=tuple(meter.spans()),
                prints=prints or Fingerprint(np.empty(0, np.uint64), np.empty(0, np.uint64)),
            )
    except UnreadableAudioError as error:
        return FileFacts(_problem(path), str(error))


def _missing(promised: float, seconds: float) -> str:
    if promised - seconds < 0.01:
        return f"its end is missing, decoded {seconds:.2f} s"
    return f"the header promises {promised:.2f} s, decoded {seconds:.2f} s"


def _problem(path: Path) -> str:
    member = read_member(path)
    if member is not None:
        return "unreadable" if member else "empty"
    if not os.path.exists(path):  # noqa: PTH110 - Path.exists raises for impossible names
        return "missing"
    return "empty" if path.is_file() and path.stat().st_size == 0 else "unreadable"
