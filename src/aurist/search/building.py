"""Build the index of windows: embed the windows of recordings, and append them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aurist.audio import probe
from aurist.detection.store import Recording
from aurist.embedders import Embedder, EmbedderRecord
from aurist.embedders.clips import cut
from aurist.embedders.network import check_vectors
from aurist.errors import ConfigError, DataError, about, listing, plural
from aurist.events import Grid
from aurist.features.windows import Block, WindowSettings, read_block
from aurist.files import append_jsonl, full_disk_error
from aurist.folders import INDEX, claim
from aurist.machine import available_cores
from aurist.progress import Hours, logger
from aurist.records import read_record, write_record
from aurist.search.index import (
    JOURNAL,
    SCALES,
    VECTORS,
    WINDOW,
    WINDOWS,
    Float,
    IndexedRecording,
    IndexSettings,
    WindowIndex,
    recordings_in,
    remedy_of,
)
from aurist.workers import ahead

_FORMAT = 1
#: Windows that a network gets at once.
_WINDOWS = 8


def build_index(
    recordings: Sequence[Recording],
    output: Path,
    record: EmbedderRecord,
    embedder: Embedder,
    *,
    hop: float | None = None,
    jobs: int = 0,
    progress: bool = True,
) -> dict[str, str]:
    """Add the windows of recordings to an index; continue a call that was killed.

    Parameters
    ----------
    recordings
        Recordings that are in the index already are passed over.
    output
        The folder of the index.
    record, embedder
        The embedder, and its network.
    hop
        Seconds from one window to the next; None: that of the embedder.
    jobs
        Cores; 0: all.
    progress
        True: show the progress.

    Returns
    -------
    By recording, why it could not be read.

    Raises
    ------
    ConfigError
        If the folder holds an index of another embedder or hop, or recordings changed since.
    """
    with claim(output):
        builder = IndexBuilder(output, record, embedder, hop, available_cores(jobs))
        return builder.add(builder.missing(recordings), progress)


class IndexBuilder:
    """Appends windows to the files of an index.

    Parameters
    ----------
    folder, record, embedder, hop
        As for `build_index`.
    jobs
        Cores.

    Raises
    ------
    ConfigError
        If the folder holds an index of another embedder or hop.
    """

    def __init__(
        self, folder: Path, record: EmbedderRecord, embedder: Embedder, hop: float | None, jobs: int
    ) -> None:
        self._folder, self._embedder, self._jobs = folder, embedder, jobs
        spec = record.embedder
        settings = IndexSettings(_FORMAT, record, embedder.size, hop or spec.step)
        self._windows = WindowSettings(Grid(spec.seconds, spec.seconds - settings.hop), (spec.sample_rate,))
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / INDEX).exists():
            _check_same(folder, settings)
        else:
            write_record(folder / INDEX, settings)
        self._recordings = recordings_in(folder)
        n = sum(recording.windows for recording in self._recordings)
        for name, each in ((VECTORS, 2 * settings.size), (SCALES, 4), (WINDOWS, WINDOW.itemsize)):
            path = folder / name
            path.touch()
            os.truncate(path, n * each)  # what a killed command appended

    def missing(self, recordings: Sequence[Recording]) -> list[Recording]:
        """Return the recordings that are not in the index yet.

        Raises
        ------
        ConfigError
            If recordings changed since they were added.
        """
        done = {recording.file: recording.stamp for recording in self._recordings}
        changed = [str(r.file) for r in recordings if done.get(r.file.absolute(), r.stamp()) != r.stamp()]
        if changed:
            raise ConfigError(
                f"{plural(len(changed), 'recording')} changed since the index {self._folder} was made:\n"
                f"{listing(changed)}\n"
                "Make the index again, in another folder (output=)."
            )
        return [recording for recording in recordings if recording.file.absolute() not in done]

    def add(self, recordings: Sequence[Recording], progress: bool) -> dict[str, str]:
        """Embed recordings; return, by recording, why it could not be read."""
        failures: dict[str, str] = {}
        todo, lengths = [], {}
        for recording in recordings:
            try:
                lengths[recording.name] = probe(recording.file).duration
                todo.append(recording)
            except (DataError, OSError) as error:
                failures[recording.name] = str(error)
        with (
            ThreadPoolExecutor(self._jobs, thread_name_prefix="embed") as pool,
            Hours(sum(lengths.values()), 0.0, progress) as hours,
        ):
            for recording in todo:
                try:
                    self._add(recording, pool)
                except (DataError, OSError) as error:
                    failures[recording.name] = str(error)
                hours(lengths[recording.name])
        for name, why in failures.items():
            logger.warning(about(name, why))
        return failures

    def _add(self, recording: Recording, pool: ThreadPoolExecutor) -> None:
        number, n_windows, seconds = len(self._recordings), 0, 0.0
        positions = {name: (self._folder / name).stat().st_size for name in (VECTORS, SCALES, WINDOWS)}
        try:
            for block in self._blocks(recording.file):
                vectors = _vectors(block, self._embedder, pool)
                self._append(vectors, number, block)
                n_windows += len(block)
                seconds = block.length or seconds
        except BaseException:
            for name, size in positions.items():
                os.truncate(self._folder / name, size)
            raise
        self._done(
            IndexedRecording(recording.name, recording.file.absolute(), recording.stamp(), n_windows, seconds)
        )

    def take(self, index: WindowIndex) -> None:
        """Append the recordings of another index, of the same embedder and hop, that are not here yet."""
        done = {recording.file for recording in self._recordings}
        ends = np.cumsum([0, *(recording.windows for recording in index.recordings)])
        for recording, begin, end in zip(index.recordings, ends[:-1], ends[1:], strict=True):
            if recording.file in done:
                continue
            windows = index.windows[begin:end].copy()
            windows["recording"] = len(self._recordings)
            self._write(index.vectors[begin:end], index.scales[begin:end], windows)
            self._done(recording)

    def _done(self, done: IndexedRecording) -> None:
        """Let a recording count whose windows are written."""
        for path in (self._folder / name for name in (VECTORS, SCALES, WINDOWS)):
            with full_disk_error(path), path.open("rb+") as file:
                os.fsync(file.fileno())  # before the journal names them
        line = {"recording": done.name, "file": str(done.file), "stamp": done.stamp}
        append_jsonl(self._folder / JOURNAL, {**line, "windows": done.windows, "seconds": done.seconds})
        self._recordings.append(done)

    def _blocks(self, path: Path) -> Iterator[Block]:
        # decode the next block while the network works on this one
        calls = ((number, partial(read_block, path, number, self._windows)) for number in range(1 << 30))
        for _, future in ahead(calls, 1):
            block = future.result()
            yield block
            if block.length is not None:
                return

    def _append(self, vectors: Float, number: int, block: Block) -> None:
        scales = np.maximum(np.abs(vectors).max(axis=1), 1e-12).astype("<f4") / np.float32(32767)
        windows = np.zeros(len(block), WINDOW)
        windows["recording"], windows["start"] = number, block.starts
        self._write(np.rint(vectors / scales[:, None]).astype("<i2"), scales, windows)

    def _write(self, vectors: npt.NDArray[np.int16], scales: Float, windows: npt.NDArray[np.void]) -> None:
        for name, part in ((VECTORS, vectors), (SCALES, scales), (WINDOWS, windows)):
            with full_disk_error(self._folder / name), (self._folder / name).open("ab") as file:
                file.write(part.tobytes())


def _vectors(block: Block, embedder: Embedder, pool: ThreadPoolExecutor) -> Float:
    """Turn the windows of a block into vectors, (n_windows, size), in several threads."""
    waves = block.waves[embedder.spec.sample_rate]
    n = embedder.spec.n_samples

    def part(rows: npt.NDArray[np.intp]) -> Float:
        windows = np.concatenate([cut(waves.window(row)[:n], embedder.spec) for row in rows.tolist()])
        return embedder.network(windows)

    # of a size that does not depend on the cores: the last bits may depend on it
    parts = np.array_split(np.arange(len(block)), -(-len(block) // _WINDOWS))
    vectors = np.concatenate(list(pool.map(part, parts)))
    check_vectors(vectors, embedder.spec)
    return vectors


def _check_same(folder: Path, settings: IndexSettings) -> None:
    there = read_record(folder / INDEX, IndexSettings, remedy_of(folder))
    if there != settings:
        raise ConfigError(
            f"{folder} holds an index of the embedder {there.embedder.name} (SHA-256 {there.embedder.sha256[:12]}) "
            f"every {there.hop:g} s, and {settings.embedder.name} ({settings.embedder.sha256[:12]}) every "
            f"{settings.hop:g} s was asked for. Give another folder with output=."
        )
