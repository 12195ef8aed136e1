"""The sound of a table of clips, decoded once at one sample rate, for networks that hear it again and again."""

from __future__ import annotations

import functools
import json
import math
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from aurist.audio import read
from aurist.clips import Clips
from aurist.errors import DataError
from aurist.features.cache import FeatureCache, default_cache_dir
from aurist.features.spans import Span, failure_message, run_in_threads, span_key, spans_of
from aurist.features.waves.blocks import blocks, is_long
from aurist.features.waves.shards import BLOCK, Entry, Float, Int16, decode
from aurist.features.waves.store import WaveStore, WaveStoreError
from aurist.machine import available_cores
from aurist.progress import Advance

VERSION = 1


class Waves:
    """The sound of clips: read from files that stay on the disk, by any thread or process.

    Made by `store_waves`. A pickle of it holds where the samples lie, not the samples; the files
    are mapped anew in the other process. They are not dropped from the store while the one that was not pickled lives.

    Parameters
    ----------
    sample_rate
        In Hz.
    n_samples
        (n_clips,), int64: samples stored of each clip, its margins among them; 0 where it failed.
    begin, end
        (n_clips,), int64: the samples [begin, end) are the clip itself, those around them its margins.
    peak
        (n_clips,), float32: the largest absolute sample.
    failures
        Why a clip has no sound, by row.
    """

    def __init__(
        self,
        folder: Path,
        sample_rate: int,
        entries: list[Entry | None],
        inside: npt.NDArray[np.int64],
        failures: dict[int, str],
        kept: list[Int16],
    ) -> None:
        self.sample_rate = sample_rate
        self.failures = failures
        self.n_samples = np.array([0 if e is None else e.n_samples for e in entries], dtype=np.int64)
        self.begin = np.minimum(inside[:, 0], self.n_samples)
        self.end = np.minimum(inside[:, 1], self.n_samples)
        self._folder = folder
        self._shards = sorted({e.shard for e in entries if e is not None})
        number = {name: i for i, name in enumerate(self._shards)}
        self._shard = np.array([-1 if e is None else number[e.shard] for e in entries], dtype=np.int32)
        self._first = np.array([0 if e is None else e.first for e in entries], dtype=np.int64)
        scales = [np.zeros(0, np.float32) if e is None else e.scales for e in entries]
        self._scales = np.concatenate([np.zeros(0, np.float32), *scales])
        self._scale_at = np.cumsum([0, *map(len, scales)])
        self.peak = np.array([s.max(initial=0) for s in scales], dtype=np.float32) * np.float32(32767)
        self._kept = kept
        self._maps: dict[str, Int16] = {}

    def __len__(self) -> int:
        return len(self.n_samples)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_maps": {}}

    def read(self, row: int, start: int = 0, stop: int | None = None, out: Float | None = None) -> Float:
        """Samples [start, stop) of what is stored of a clip, as a copy.

        Parameters
        ----------
        row
            Of the clips table.
        start, stop
            As of a slice: what lies beyond the end is left out; None is the end.
        out
            (at least n,), float32, contiguous: fill the beginning of this array instead of a new one. Memory that
            is used again, for batch after batch, makes it about six times as fast.

        Returns
        -------
        (n,), float32
            The error of 16 bits is 98 dB below a sine of the block's peak.

        Raises
        ------
        DataError
            Where the clip could not be decoded, the store was deleted meanwhile, or ``out`` will not do.
        """
        if self._shard[row] < 0:
            raise DataError(f"Row {row} has no sound: {self.failures.get(int(row), 'it was not decoded')}")
        start, stop, _ = slice(start, stop).indices(int(self.n_samples[row]))
        n = max(0, stop - start)
        filled = np.empty(n, dtype=np.float32) if out is None else out[:n]
        if len(filled) < n or not filled.flags.c_contiguous:
            raise DataError(
                f"Row {row}: {n} samples were asked for, but there is room for {len(filled)} only, "
                "or the array to fill is not contiguous."
            )
        name, first = self._shards[self._shard[row]], int(self._first[row])
        # what is in memory is one array a clip
        data = self._mapped(name)[first:] if name else self._kept[first]
        decode(data, self._scales[self._scale_at[row] :], start, filled)
        return filled

    def _mapped(self, name: str) -> Int16:
        found = self._maps.get(name)
        if found is None:
            try:
                # a plain view: slices of np.memmap cost ten times as much
                found = np.asarray(np.memmap(self._folder / name, dtype="<i2", mode="r"))
            except (OSError, ValueError) as error:
                raise DataError(
                    f"{self._folder / name}, where decoded audio was stored, cannot be read ({error}). "
                    "Was the store deleted meanwhile? Run the command again: the audio is then decoded anew."
                ) from error
            self._maps[name] = found
        return found


def store_waves(
    clips: Clips,
    sample_rate: int,
    *,
    margin: float = 0.0,
    cache_dir: Path | None = None,
    limit: int | None = None,
    jobs: int = 0,
    progress: bool = True,
) -> Waves:
    """Decode every clip at a sample rate, or take it from the store.

    Stored sound is found by the content of the file, the span, the margin and the rate. What is done is stored
    at least every second: a killed run goes on where it was. Where the store cannot be written (read-only, a
    full disk, the limit reached) the sound is kept in memory, with one warning, as long as half of
    the free memory holds it.

    Parameters
    ----------
    clips
        Clips with audio; of a clip with a start or an end only that span is decoded.
    sample_rate
        In Hz; beyond the file's own it is upsampled. Channels are averaged.
    margin
        Seconds around a clip to store too, as far as the recording has them.
    cache_dir
        Folder of the store; None: `default_cache_dir`.
    limit
        Bytes that decoded audio may take there, at all rates; what was used least recently goes first, and never
        what a living `Waves` uses. None: ``$AURIST_CACHE_LIMIT``, else 50 GB or a third of the free disk.
    jobs
        Threads (the work runs outside the interpreter's lock); 0: as many as this process has cores.
    progress
        Show a bar where it takes over two seconds.

    Raises
    ------
    DataError
        Where the sample rate or the margin cannot be, or neither disk nor memory have room.
    ConfigError
        Where ``$AURIST_CACHE_LIMIT`` is not a size.
    """
    if sample_rate < 1 or not (math.isfinite(margin) and margin >= 0):
        raise DataError(
            f"Cannot store audio at {sample_rate} Hz with a margin of {margin} s: expected a positive sample "
            "rate and a margin of 0 or more."
        )
    entries: list[Entry | None] = [None] * len(clips)
    inside = np.zeros((len(clips), 2), dtype=np.int64)
    failures: dict[int, str] = {}
    digests = FeatureCache(cache_dir, warn=False)
    store = WaveStore(cache_dir or default_cache_dir(), sample_rate, limit)
    work = _Work(sample_rate, margin, digests, store)

    def commit() -> None:
        digests.commit()
        store.commit()

    try:
        with Advance(len(clips), progress, "decoding") as advance:
            for row, found in run_in_threads(work, spans_of(clips), available_cores(jobs), commit):
                if isinstance(found, str):
                    failures[row] = found
                else:
                    entries[row], inside[row] = found.entry, (found.begin, found.end)
                advance()
    except BaseException:
        if store.lease is not None:
            store.lease.close()
        raise
    finally:
        digests.close()
        store.close()
    waves = Waves(store.folder, sample_rate, entries, inside, dict(sorted(failures.items())), store.kept)
    if store.lease is not None:
        weakref.finalize(waves, store.lease.close)
    return waves


@dataclass(frozen=True)
class _Found:
    entry: Entry
    begin: int
    end: int


class _Work:
    """The sound of one clip, by way of the store."""

    def __init__(self, sample_rate: int, margin: float, digests: FeatureCache, store: WaveStore) -> None:
        self.sample_rate = sample_rate
        self.margin = margin
        self.digests = digests
        self.store = store
        self._settings = json.dumps(
            ["audio", VERSION, BLOCK, sample_rate, margin, "mean of channels"]
        ).encode()

    def __call__(self, span: Span) -> _Found | str:
        if span.path is None:
            return "has no path: it is not a recording"
        try:
            key = span_key(self.digests, span, self._settings)
            if key is None:
                read(span.path, self.sample_rate)  # says what is wrong
                return f"{span.path} changed while it was read"
            with self.store.alone_with(key):
                entry = self.store.get(key) or self._decoded(key, span, span.path)
        except WaveStoreError:
            raise
        except (DataError, OSError, MemoryError) as error:
            return failure_message(span, error)
        begin, end = self._inside(span)
        return _Found(entry, begin, entry.n_samples if end is None else end)

    def _inside(self, span: Span) -> tuple[int, int | None]:
        """Where the clip lies in its span with margins, in samples."""
        shift = round(self._wide_start(span) * self.sample_rate)
        end = None if span.end is None else round(span.end * self.sample_rate) - shift
        return round(span.start * self.sample_rate) - shift, end

    def _wide_start(self, span: Span) -> float:
        return max(0.0, span.start - self.margin)

    def _decoded(self, key: bytes, span: Span, path: Path) -> Entry:
        start = self._wide_start(span)
        end = None if span.end is None else span.end + self.margin
        if span.start < 0 or (span.end is not None and not span.start < span.end):
            read(path, self.sample_rate, start=span.start, end=span.end)  # says what is wrong
        if is_long(path, start, end):
            read(path, self.sample_rate, start=span.start, end=span.start + 0.1)  # says what is wrong
            whole = functools.partial(blocks, path, self.sample_rate, start, end)
            return self.store.put(key, whole, alone=True)
        y, _ = read(path, self.sample_rate, start=start, end=end)
        if len(y) <= self._inside(span)[0]:
            # there is a margin before the clip, but no clip
            read(path, self.sample_rate, start=span.start, end=span.end)
            raise DataError(f"{path} holds no samples")
        return self.store.put(key, lambda: iter([y]), alone=False)
