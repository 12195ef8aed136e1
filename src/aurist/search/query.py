"""Find the windows of an index that are most like a sound."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.archives import exists
from aurist.audio import read
from aurist.embedders.clips import cut, window_vectors
from aurist.errors import DataError, plural
from aurist.machine import available_cores
from aurist.progress import logger
from aurist.search.index import WindowIndex
from aurist.search.vectors import Distinct, mean_vector

Float = npt.NDArray[np.float32]
COLUMNS = ("path", "start", "end", "similarity")
#: Windows compared at once.
_BLOCK = 1 << 16
#: Windows of a query that are by so many dB quieter than its loudest one are left out.
_QUIETER = 20.0


def query_vectors(index: WindowIndex, path: Path, start: float = 0.0, end: float | None = None) -> Float:
    """Turn a recording, or a span of it, into the vectors of its windows, (n, size).

    Windows that are `_QUIETER` dB quieter than the loudest are left out: a bark between silences is no silence.

    Raises
    ------
    DataError
        If it does not exist, cannot be read, or holds no samples there.
    EmbedderError
        If the embedder of the index is not on this machine.
    """
    if not exists(path):
        raise DataError(f"{path} does not exist. Give a recording of what to look for.")
    embedder = index.embedder()
    wave, _ = read(path, embedder.spec.sample_rate, start=start, end=end)
    if not len(wave):
        raise DataError(f"{path} holds no samples")
    windows = cut(wave, replace(embedder.spec, level="as_is")).astype(np.float64)
    level = np.sqrt((windows**2).mean(axis=1))
    loud = level >= level.max() * 10 ** (-_QUIETER / 20)
    return np.asarray(window_vectors(wave, embedder)[loud])


def search(
    index: WindowIndex,
    query: Float,
    n: int = 20,
    *,
    apart: float | None = None,
    distinct: bool = False,
    jobs: int = 0,
) -> pd.DataFrame:
    """Find the windows that are most like a query: all windows are compared, so none is missed.

    Vectors are compared by the cosine of their angle, after the mean of the index is taken away: what all windows
    share, such as the noise of a recorder, makes none of them alike.

    Parameters
    ----------
    index
        The index.
    query
        (size,), or (n_windows, size) of which the mean is taken.
    n
        The number of windows to return.
    apart
        Windows of one recording are at least so many seconds apart: of neighbours the most similar one is returned.
        None: a window's length.
    distinct
        True: leave out windows that sound almost the same as a more similar one (a cosine above `ALMOST_THE_SAME`),
        such as copies of a recording, and tell how many.
    jobs
        Cores; 0: all.

    Returns
    -------
    pandas.DataFrame
        ``path, start, end`` (seconds), ``similarity`` (-1 to 1), the most similar first.
    """
    middle = mean_vector(index)
    wanted = np.atleast_2d(query).mean(axis=0) - middle
    similarity = _cosines(
        index, wanted / max(float(np.linalg.norm(wanted)), 1e-12), middle, available_cores(jobs)
    )
    seconds = index.settings.embedder.embedder.seconds
    rows = _best(index, similarity, n, seconds if apart is None else apart, middle if distinct else None)
    recordings = [index.recordings[number] for number in index.windows["recording"][rows]]
    start = index.windows["start"][rows].astype(float)
    ends = [
        min(begin + seconds, recording.seconds) for begin, recording in zip(start, recordings, strict=True)
    ]
    return pd.DataFrame(
        {
            "path": [str(recording.file) for recording in recordings],
            "start": start.round(3),
            "end": np.round(ends, 3),
            "similarity": similarity[rows].round(4),
        },
        columns=list(COLUMNS),
    )


def _cosines(index: WindowIndex, unit: Float, middle: Float, jobs: int) -> Float:
    """Return the cosines of all windows with a vector of length 1, (n_windows,)."""
    from aurist.search._kernels import centred_cosines

    out = np.empty(len(index), np.float32)
    offset, length = float(unit @ middle), float(middle @ middle)

    def part(first: int) -> None:
        rows = slice(first, first + _BLOCK)
        centred_cosines(index.vectors[rows], index.scales[rows], unit, middle, offset, length, out[rows])

    with ThreadPoolExecutor(jobs, thread_name_prefix="search") as pool:
        list(pool.map(part, range(0, len(index), _BLOCK)))
    return out


def _best(
    index: WindowIndex, similarity: Float, n: int, apart: float, middle: Float | None
) -> npt.NDArray[np.intp]:
    """Return the rows of the best windows, best first, of neighbours only the best.

    With ``middle``, the mean of the index, windows that sound almost the same are left out, too.
    """
    wanted = min(len(similarity), 8 * n + 100)
    while True:
        top = np.arange(len(similarity))
        if wanted < len(similarity):
            top = np.argpartition(-similarity, wanted - 1)[:wanted]
        chosen, alike = _spread(index, top[np.argsort(-similarity[top], kind="stable")], n, apart, middle)
        if len(chosen) == n or wanted == len(similarity):
            break
        wanted = min(len(similarity), 4 * wanted)
    if alike:
        logger.info(f"left out: {plural(alike, 'window')}, almost the same as a more similar one")
    return chosen


def _spread(
    index: WindowIndex, ordered: npt.NDArray[np.intp], n: int, apart: float, middle: Float | None
) -> tuple[npt.NDArray[np.intp], int]:
    """Take rows in order; return at most ``n``, and the number of those that were almost the same as a taken one."""
    starts_of: dict[int, list[float]] = {}
    chosen, alike, distinct = [], 0, Distinct()
    for row in ordered.tolist():
        recording, start = int(index.windows["recording"][row]), float(index.windows["start"][row])
        starts = starts_of.setdefault(recording, [])
        if any(abs(start - other) < apart - 1e-3 for other in starts):
            continue
        if middle is not None and not distinct.add(index.rows(np.array([row]))[0] - middle):
            alike += 1
            continue
        starts.append(start)
        chosen.append(row)
        if len(chosen) == n:
            break
    return np.array(chosen, dtype=np.intp), alike
