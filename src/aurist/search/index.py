"""The index of windows: a folder with the vectors of all windows of recordings, 16 bits a number.

``index.json`` (the embedder, the hop), ``journal.jsonl`` (the recordings that are done), ``vectors.i2`` (n_windows,
size), ``scales.f4`` (n_windows,), ``windows.bin`` (n_windows,: recording, start). A vector is ``vectors * scales``.
Vectors are only appended, and a recording counts when the journal names it: a killed command continues.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aurist.audio import probe
from aurist.detection.store import Recording
from aurist.embedders import Embedder, EmbedderRecord, open_stored
from aurist.embedders.clips import cut
from aurist.embedders.network import check_vectors
from aurist.errors import ConfigError, DataError, RunError, about, listing, plural
from aurist.events import Grid
from aurist.features.windows import Block, WindowSettings, read_block
from aurist.files import append_jsonl, full_disk_error, read_jsonl
from aurist.folders import INDEX, claim
from aurist.machine import available_cores
from aurist.progress import Hours, logger
from aurist.records import read_record, write_record
from aurist.stored import check_shape, stored
from aurist.workers import ahead

JOURNAL = "journal.jsonl"
VECTORS, SCALES, WINDOWS = "vectors.i2", "scales.f4", "windows.bin"
#: A window: the number of its recording, and its start in seconds.
WINDOW = np.dtype([("recording", "<i4"), ("start", "<f4")])
_LINE = {"recording": str, "file": str, "stamp": [int], "windows": int, "seconds": float}
_FORMAT = 1
Float = npt.NDArray[np.float32]


@dataclass(frozen=True)
class IndexSettings:
    """The settings of an index: its format, the embedder, numbers in a vector, and the hop in seconds."""

    format: int
    embedder: EmbedderRecord
    size: int
    hop: float


@dataclass(frozen=True)
class IndexedRecording:
    """A recording in an index: its name, its file with its stamp, its windows and its length in seconds."""

    name: str
    file: Path
    stamp: list[int]
    windows: int
    seconds: float


@dataclass(frozen=True)
class WindowIndex:
    """An open index. The vectors stay on the disk, and are read as they are needed.

    Parameters
    ----------
    folder
        The folder.
    settings
        Its settings.
    recordings
        The recordings.
    vectors, scales
        (n_windows, size) of 16 bits, and (n_windows,): a vector is their product.
    windows
        (n_windows,) of `WINDOW`.
    """

    folder: Path
    settings: IndexSettings
    recordings: Sequence[IndexedRecording]
    vectors: npt.NDArray[np.int16]
    scales: Float
    windows: npt.NDArray[np.void]

    def __len__(self) -> int:
        return len(self.scales)

    def embedder(self) -> Embedder:
        """Open the embedder of the index."""
        return open_stored(self.settings.embedder, self.folder)

    def rows(self, rows: npt.NDArray[np.intp]) -> Float:
        """Return the vectors of some windows, (n, size)."""
        return self.vectors[rows].astype(np.float32) * self.scales[rows, None]


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
    spec = record.embedder
    settings = IndexSettings(_FORMAT, record, embedder.size, hop or spec.step)
    with claim(output):
        builder = _Builder(output, settings, embedder, available_cores(jobs))
        return builder.add(recordings, progress)


def open_index(folder: Path) -> WindowIndex:
    """Open an index.

    Raises
    ------
    RunError
        If there is none, or it is damaged.
    """
    remedy = _remedy(folder)
    if not (folder / INDEX).exists():
        raise RunError(f"{folder} holds no index. Make one: aurist index RECORDINGS -o {folder}")
    settings = read_record(folder / INDEX, IndexSettings, remedy)
    recordings = _recordings(folder)
    n, size = sum(recording.windows for recording in recordings), settings.size
    with stored(folder, remedy):
        for name, each in ((VECTORS, 2 * size), (SCALES, 4), (WINDOWS, WINDOW.itemsize)):
            if (folder / name).stat().st_size < n * each:
                raise ValueError(f"{name} is shorter than its {n:,} windows")
        scales, windows = np.fromfile(folder / SCALES, "<f4", n), np.fromfile(folder / WINDOWS, WINDOW, n)
        number = np.repeat(np.arange(len(recordings)), [recording.windows for recording in recordings])
        if not (np.array_equal(windows["recording"], number) and np.isfinite(windows["start"]).all()):
            raise ValueError(f"{WINDOWS} names other recordings than {JOURNAL}, or impossible times")
        if not np.isfinite(scales).all():
            raise ValueError(f"{SCALES} holds impossible numbers")
        vectors = (
            np.memmap(folder / VECTORS, "<i2", "r", shape=(n, size)) if n else np.zeros((0, size), np.int16)
        )
    return WindowIndex(folder, settings, recordings, vectors, scales, windows)


class _Builder:
    """Appends windows to the files of an index."""

    def __init__(self, folder: Path, settings: IndexSettings, embedder: Embedder, jobs: int) -> None:
        self._folder, self._embedder, self._jobs = folder, embedder, jobs
        spec = settings.embedder.embedder
        self._windows = WindowSettings(Grid(spec.seconds, spec.seconds - settings.hop), (spec.sample_rate,))
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / INDEX).exists():
            _check_same(folder, settings)
        else:
            write_record(folder / INDEX, settings)
        self._recordings = _recordings(folder)
        n = sum(recording.windows for recording in self._recordings)
        for name, each in ((VECTORS, 2 * settings.size), (SCALES, 4), (WINDOWS, WINDOW.itemsize)):
            path = folder / name
            path.touch()
            os.truncate(path, n * each)  # what a killed command appended

    def add(self, recordings: Sequence[Recording], progress: bool) -> dict[str, str]:
        done = {recording.file: recording.stamp for recording in self._recordings}
        changed = [str(r.file) for r in recordings if done.get(r.file.absolute(), r.stamp()) != r.stamp()]
        if changed:
            raise ConfigError(
                f"{plural(len(changed), 'recording')} changed since the index {self._folder} was made:\n"
                f"{listing(changed)}\n"
                "Make the index again, in another folder (output=)."
            )
        failures: dict[str, str] = {}
        todo, lengths = [], {}
        for recording in recordings:
            if recording.file.absolute() in done:
                continue
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
                vectors = _vectors(block, self._embedder, pool, self._jobs)
                self._append(vectors, number, block)
                n_windows += len(block)
                seconds = block.length or seconds
        except BaseException:
            for name, size in positions.items():
                os.truncate(self._folder / name, size)
            raise
        done = IndexedRecording(
            recording.name, recording.file.absolute(), recording.stamp(), n_windows, seconds
        )
        for path in (self._folder / name for name in positions):
            with full_disk_error(path), path.open("rb+") as file:
                os.fsync(file.fileno())  # before the journal names them
        line = {"recording": done.name, "file": str(done.file), "stamp": done.stamp}
        append_jsonl(self._folder / JOURNAL, {**line, "windows": n_windows, "seconds": seconds})
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
        parts = {
            VECTORS: np.rint(vectors / scales[:, None]).astype("<i2"),
            SCALES: scales,
            WINDOWS: windows,
        }
        for name, part in parts.items():
            with full_disk_error(self._folder / name), (self._folder / name).open("ab") as file:
                file.write(part.tobytes())


def _vectors(block: Block, embedder: Embedder, pool: ThreadPoolExecutor, jobs: int) -> Float:
    """Turn the windows of a block into vectors, (n_windows, size), in several threads."""
    waves = block.waves[embedder.spec.sample_rate]
    n = embedder.spec.n_samples

    def part(rows: npt.NDArray[np.intp]) -> Float:
        windows = np.concatenate([cut(waves.window(row)[:n], embedder.spec) for row in rows.tolist()])
        return embedder.network(windows)

    parts = np.array_split(np.arange(len(block)), max(1, min(len(block), 4 * jobs)))
    vectors = np.concatenate(list(pool.map(part, parts)))
    check_vectors(vectors, embedder.spec)
    return vectors


def _check_same(folder: Path, settings: IndexSettings) -> None:
    there = read_record(folder / INDEX, IndexSettings, _remedy(folder))
    if there != settings:
        raise ConfigError(
            f"{folder} holds an index of the embedder {there.embedder.name} (SHA-256 {there.embedder.sha256[:12]}) "
            f"every {there.hop:g} s, and {settings.embedder.name} ({settings.embedder.sha256[:12]}) every "
            f"{settings.hop:g} s was asked for. Give another folder with output=."
        )


def _recordings(folder: Path) -> list[IndexedRecording]:
    path = folder / JOURNAL
    recordings = []
    for line in read_jsonl(path):
        with stored(path, _remedy(folder)):
            check_shape(line, _LINE)
        recordings.append(
            IndexedRecording(
                line["recording"], Path(line["file"]), line["stamp"], line["windows"], float(line["seconds"])
            )
        )
    return recordings


def _remedy(folder: Path) -> str:
    return f"Remove {folder}, and make it again: aurist index RECORDINGS -o {folder}"
