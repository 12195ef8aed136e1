"""The index of windows: a folder with the vectors of all windows of recordings, 16 bits a number.

``index.json`` (the embedder, the hop), ``journal.jsonl`` (the recordings that are done), ``vectors.i2`` (n_windows,
size), ``scales.f4`` (n_windows,), ``windows.bin`` (n_windows,: recording, start). A vector is ``vectors * scales``.
Vectors are only appended, and a recording counts when the journal names it: a killed command continues.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aurist.embedders import Embedder, EmbedderRecord, open_stored
from aurist.errors import RunError
from aurist.files import read_jsonl
from aurist.folders import INDEX
from aurist.records import read_record
from aurist.stored import check_shape, stored

JOURNAL = "journal.jsonl"
VECTORS, SCALES, WINDOWS = "vectors.i2", "scales.f4", "windows.bin"
#: A window: the number of its recording, and its start in seconds.
WINDOW = np.dtype([("recording", "<i4"), ("start", "<f4")])
_LINE = {"recording": str, "file": str, "stamp": [int], "windows": int, "seconds": float}
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


def open_index(folder: Path) -> WindowIndex:
    """Open an index.

    Raises
    ------
    RunError
        If there is none, or it is damaged.
    """
    remedy = remedy_of(folder)
    if not (folder / INDEX).exists():
        raise RunError(f"{folder} holds no index. Make one: aurist index RECORDINGS -o {folder}")
    settings = read_record(folder / INDEX, IndexSettings, remedy)
    recordings = recordings_in(folder)
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


def recordings_in(folder: Path) -> list[IndexedRecording]:
    """Read the journal of an index: the recordings that are done."""
    path = folder / JOURNAL
    recordings = []
    for line in read_jsonl(path):
        with stored(path, remedy_of(folder)):
            check_shape(line, _LINE)
        recordings.append(
            IndexedRecording(
                line["recording"], Path(line["file"]), line["stamp"], line["windows"], float(line["seconds"])
            )
        )
    return recordings


def remedy_of(folder: Path) -> str:
    """Return the next step if an index is damaged."""
    return f"Remove {folder}, and make it again: aurist index RECORDINGS -o {folder}"
