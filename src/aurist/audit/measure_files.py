"""Decode every file of the tables once, several at a time, and collect and cache facts about each."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from aurist.archives import read_member
from aurist.audio import UnreadableAudioError, open_audio
from aurist.audit.cache import FactsCache
from aurist.audit.files import EIGHT_BITS, FULL_SCALE, FULL_SCALE_8_BITS, ClipMeter, FileFacts, facts_key
from aurist.audit.fingerprint import Fingerprint, fingerprint_blocks
from aurist.audit.measured import FileCollector, MeasuredFiles, Spans
from aurist.audit.prints import PrintWriter
from aurist.clips.table import Clips
from aurist.progress import Advance

#: Files between two writes to the cache; a killed check repeats at most these.
BATCH = 64

Request = tuple[Path, Spans]


def measure_files(
    tables: Sequence[Clips],
    prints: PrintWriter,
    *,
    jobs: int,
    cache_dir: Path | None,
    progress: bool,
    near: bool,
) -> list[MeasuredFiles]:
    """Measure the files of each table.

    Parameters
    ----------
    tables
        The tables; rows without a path are skipped.
    prints
        Takes the fingerprints of all tables.
    jobs
        Files decoded at a time; 0 for as many as there are cores.
    cache_dir
        Folder of the cache; None: no cache.
    progress
        True: show a progress bar if it takes more than two seconds.
    near
        True: compute fingerprints.
    """
    collectors = [FileCollector(clips, prints) for clips in tables]
    cache = FactsCache(cache_dir)
    try:
        with Advance(sum(map(len, collectors)), progress, "checking files") as advance:
            for files in collectors:
                for first in range(0, len(files), BATCH):
                    batch = range(first, min(first + BATCH, len(files)))
                    requests = [(files.clips.file(files.name(n)), files.spans(n)) for n in batch]
                    for number, facts in zip(batch, _facts(requests, cache, jobs, near), strict=True):
                        files.add(number, facts)
                        advance()
    finally:
        cache.close()
    return [files.result() for files in collectors]


def _facts(requests: Sequence[Request], cache: FactsCache, jobs: int, near: bool) -> list[FileFacts]:
    """Return the facts of some files: from the cache, else measured and put there."""
    keys = [facts_key(*request, near) for request in requests]
    cached = cache.get(key for key in keys if key is not None)
    todo = [number for number, key in enumerate(keys) if key not in cached]
    measured = dict(zip(todo, _measured([requests[number] for number in todo], jobs, near), strict=True))
    cache.put({key: facts for number, facts in measured.items() if (key := keys[number]) is not None})
    return [cached[key] if key in cached else measured[number] for number, key in enumerate(keys)]


def _measured(requests: Sequence[Request], jobs: int, near: bool) -> list[FileFacts]:
    """Measure files in threads: decoding, resampling and the FFT all release the interpreter's lock."""
    if not requests:
        return []
    with ThreadPoolExecutor(jobs or None, thread_name_prefix="audit") as pool:
        return list(pool.map(lambda request: measure_file(*request, near=near), requests))


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
