"""Decode every file of some tables once, several at a time, and remember what was learnt of each."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from aurist.audio import UnreadableAudioError, open_audio
from aurist.audit.broken import clip_spans
from aurist.audit.cache import FactsCache
from aurist.audit.files import EIGHT_BITS, FULL_SCALE, FULL_SCALE_8_BITS, ClipMeter, FileFacts, facts_key
from aurist.audit.fingerprint import Fingerprint, fingerprint_blocks
from aurist.clips.table import Clips
from aurist.progress import Advance

#: Files between two writes to the cache: what a killed check has to do again.
BATCH = 64

Spans = tuple[tuple[float, float], ...]
Asked = tuple[Path, Spans]


def examine(
    tables: Sequence[Clips], *, jobs: int, cache_dir: Path | None, progress: bool, near: bool
) -> list[dict[str, FileFacts]]:
    """What is known of each file of each table, by its path in the table.

    Parameters
    ----------
    tables
        The tables; rows without a path are passed over.
    jobs
        Files decoded at a time; 0 for as many as there are cores.
    cache_dir
        Where facts are remembered; None for nowhere.
    progress
        Whether to show a bar where it takes more than two seconds.
    near
        Whether to take fingerprints.
    """
    asked = [_asked(clips) for clips in tables]
    wanted = {question: facts_key(*question, near) for table in asked for question in table.values()}
    cache = FactsCache(cache_dir)
    try:
        known = cache.get(key for key in wanted.values() if key is not None)
        facts = {question: known[key] for question, key in wanted.items() if key in known}
        todo = [question for question in wanted if question not in facts]
        with Advance(len(todo), progress, "checking files") as advance:
            for some in _batches(todo):
                fresh = dict(_heard(some, jobs, near, advance))
                facts |= fresh
                cache.put({key: fact for q, fact in fresh.items() if (key := wanted[q]) is not None})
    finally:
        cache.close()
    return [{path: facts[question] for path, question in table.items()} for table in asked]


def _asked(clips: Clips) -> dict[str, Asked]:
    """The file and the spans of each path."""
    spans: dict[str, dict[tuple[float, float], None]] = {}
    for path, span in zip(clips.table["path"], clip_spans(clips), strict=True):
        if path is not None:
            spans.setdefault(str(path), {})[span] = None
    return {path: (clips.file(path), tuple(of_path)) for path, of_path in spans.items()}


def _batches(todo: Sequence[Asked]) -> Iterator[Sequence[Asked]]:
    for begin in range(0, len(todo), BATCH):
        yield todo[begin : begin + BATCH]


def _heard(
    some: Iterable[Asked], jobs: int, near: bool, advance: Advance
) -> Iterator[tuple[Asked, FileFacts]]:
    """Threads do: decoding, resampling and the FFT all let go of the interpreter's lock."""
    questions = list(some)
    with ThreadPoolExecutor(jobs or None, thread_name_prefix="audit") as pool:
        for question, facts in zip(
            questions, pool.map(lambda q: hear(*q, near=near), questions), strict=True
        ):
            advance()
            yield question, facts


def hear(path: Path, spans: Spans, *, near: bool) -> FileFacts:
    """Decode a file once and tell all that the audit asks of it; a broken file is told of, not raised."""
    try:
        with open_audio(path) as source:
            info = source.info
            eight_bits = info.subtype in EIGHT_BITS
            listener = ClipMeter(spans, info.sample_rate, FULL_SCALE_8_BITS if eight_bits else FULL_SCALE)
            mono = listener.mono(source.blocks(0, None))
            prints = fingerprint_blocks(mono, info.sample_rate) if near else None
            # without a fingerprint nothing has pulled the blocks yet
            for _ in mono:
                pass
            seconds = listener.position / info.sample_rate
            if listener.position == 0:
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
                digest=listener.digest(),
                spans=tuple(listener.spans()),
                prints=prints or Fingerprint(np.empty(0, np.uint64), np.empty(0, np.uint64)),
            )
    except UnreadableAudioError as error:
        return FileFacts(_problem(path), str(error))


def _missing(promised: float, seconds: float) -> str:
    if promised - seconds < 0.01:
        return f"its end is missing, decoded {seconds:.2f} s"
    return f"the header promises {promised:.2f} s, decoded {seconds:.2f} s"


def _problem(path: Path) -> str:
    if not os.path.exists(path):  # noqa: PTH110 - a name that no file can have is none that is there
        return "missing"
    return "empty" if path.is_file() and path.stat().st_size == 0 else "unreadable"
