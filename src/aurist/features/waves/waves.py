"""The sound of a table of clips, decoded once at one sample rate, for networks that read it many times."""

from __future__ import annotations

import functools
import json
import math
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aurist.audio import read
from aurist.clips import Clips
from aurist.errors import DataError
from aurist.features.cache import FeatureCache
from aurist.features.spans import Span, failure_message, run_in_threads, span_key, spans_of
from aurist.features.waves.blocks import blocks, is_long
from aurist.features.waves.positions import Positions
from aurist.features.waves.shards import BLOCK, Entry, Float, Int16, decode
from aurist.features.waves.store import WaveStore, WaveStoreError
from aurist.folders import default_cache_dir
from aurist.machine import available_cores
from aurist.progress import Advance

VERSION = 1


class Waves:
    """The sound of clips, in files that any thread or process can read.

    Created by `store_waves`. A pickle holds positions, not samples; the other process maps the files again. The files
    are not deleted from the store while the original object lives.

    Parameters
    ----------
    sample_rate
        In Hz.
    n_samples
        (n_clips,), int64: stored samples of each clip with its margins; 0 for failed clips.
    begin, end
        (n_clips,), int64: the samples [begin, end) are the clip itself, the others its margins.
    peak
        (n_clips,), float32: the largest absolute sample.
    failures
        Reasons of failed clips, by row.
    """

    def __init__(
        self,
        folder: Path,
        sample_rate: int,
        positions: Positions,
        failures: dict[int, str],
        in_memory: list[Int16],
    ) -> None:
        self.sample_rate = sample_rate
        self.failures = failures
        self.n_samples, self.begin, self.end = positions.n_samples, positions.begin, positions.end
        self.peak = positions.peak
        self._folder = folder
        self._shards, self._shard = positions.shards, positions.shard
        self._first = positions.first
        self._scales, self._scale_at = positions.scales, positions.scale_at
        self._in_memory = in_memory
        self._maps: dict[str, Int16] = {}

    def __len__(self) -> int:
        return len(self.n_samples)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_maps": {}}

    def read(self, row: int, start: int = 0, stop: int | None = None, out: Float | None = None) -> Float:
        """Copy the stored samples [start, stop) of a clip.

        Parameters
        ----------
        row
            Row in the clips table.
        start, stop
            As in a slice: samples beyond the end are left out; None is the end.
        out
            (at least n,), float32, contiguous: fill the beginning of this array instead of a new one. Reused memory
            makes it about six times as fast.

        Returns
        -------
        (n,), float32
            Rounding to 16 bits is 98 dB below a sine of the block's peak.

        Raises
        ------
        DataError
            If the clip could not be decoded, the store was deleted meanwhile, or ``out`` does not fit.
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
        # in memory there is one array per clip
        data = self._mapped(name)[first:] if name else self._in_memory[first]
        decode(data, self._scales[self._scale_at[row] :], start, filled)
        return filled

    def _mapped(self, name: str) -> Int16:
        samples = self._maps.get(name)
        if samples is None:
            try:
                # a plain view: slices of np.memmap cost ten times as much
                samples = np.asarray(np.memmap(self._folder / name, dtype="<i2", mode="r"))
            except (OSError, ValueError) as error:
                raise DataError(
                    f"{self._folder / name}, where decoded audio was stored, cannot be read ({error}). "
                    "Was the store deleted meanwhile? Run the command again: the audio is then decoded again."
                ) from error
            self._maps[name] = samples
        return samples


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
    """Decode every clip at a sample rate, or read it from the store.

    Stored sound depends on the content of the file, the span, the margin and the rate. Results are stored at least
    every second, so a killed run can continue. If the store cannot be written (read-only, a full disk, the limit
    reached), the sound stays in memory, with one warning, up to half of the free memory.

    Parameters
    ----------
    clips
        Clips with audio. If a clip has a start or an end, only that span is decoded.
    sample_rate
        In Hz; above the file's own rate it is upsampled. Channels are averaged.
    margin
        Seconds around a clip to store too, if the recording has them.
    cache_dir
        Folder of the store; None: `default_cache_dir`.
    limit
        Limit of decoded audio in bytes, for all rates. The least recently used audio is deleted first, and never audio
        of a living `Waves`. None: ``$AURIST_CACHE_LIMIT``, else 50 GB or a third of the free disk.
    jobs
        Threads (the work runs outside the interpreter's lock); 0: one per core of this process.
    progress
        True: show a progress bar if it takes over two seconds.

    Raises
    ------
    DataError
        If the sample rate or the margin is invalid, or neither disk nor memory have room.
    ConfigError
        If ``$AURIST_CACHE_LIMIT`` is no size.
    """
    if sample_rate < 1 or not (math.isfinite(margin) and margin >= 0):
        raise DataError(
            f"Cannot store audio at {sample_rate} Hz with a margin of {margin} s: expected a positive sample "
            "rate and a margin of 0 or more."
        )
    positions = Positions(len(clips))
    failures: dict[int, str] = {}
    digests = FeatureCache(cache_dir, warn=False)
    store = WaveStore(cache_dir or default_cache_dir(), sample_rate, limit)
    work = _Work(sample_rate, margin, digests, store)

    def commit() -> None:
        digests.commit()
        store.commit()

    try:
        with Advance(len(clips), progress, "decoding") as advance:
            for row, result in run_in_threads(work, spans_of(clips), available_cores(jobs), commit):
                if isinstance(result, str):
                    failures[row] = result
                else:
                    positions.put(row, result.entry, result.begin, result.end)
                advance()
    except BaseException:
        if store.lease is not None:
            store.lease.close()
        raise
    finally:
        digests.close()
        store.close()
    waves = Waves(store.folder, sample_rate, positions, dict(sorted(failures.items())), store.in_memory)
    if store.lease is not None:
        weakref.finalize(waves, store.lease.close)
    return waves


@dataclass(frozen=True)
class _StoredClip:
    entry: Entry
    begin: int
    end: int


class _Work:
    """Decodes the sound of one clip, with the store."""

    def __init__(self, sample_rate: int, margin: float, digests: FeatureCache, store: WaveStore) -> None:
        self.sample_rate = sample_rate
        self.margin = margin
        self.digests = digests
        self.store = store
        self._settings = json.dumps(
            ["audio", VERSION, BLOCK, sample_rate, margin, "mean of channels"]
        ).encode()

    def __call__(self, span: Span) -> _StoredClip | str:
        if span.path is None:
            return "has no path: it is not a recording"
        try:
            key = span_key(self.digests, span, self._settings)
            if key is None:
                read(span.path, self.sample_rate)  # says what is wrong
                return f"{span.path} changed while it was read"
            with self.store.locked_key(key):
                entry = self.store.get(key) or self._decoded(key, span, span.path)
        except WaveStoreError:
            raise
        except (DataError, OSError, MemoryError) as error:
            return failure_message(span, error)
        begin, end = self._inside(span)
        return _StoredClip(entry, begin, entry.n_samples if end is None else end)

    def _inside(self, span: Span) -> tuple[int, int | None]:
        """Return start and end of the clip in its span with margins, in samples."""
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
            # the file holds the margin before the clip, but not the clip
            read(path, self.sample_rate, start=span.start, end=span.end)
            raise DataError(f"{path} holds no samples")
        return self.store.put(key, lambda: iter([y]), alone=False)
