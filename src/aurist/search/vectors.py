"""The vectors of an index: their mean, those at given times, and a choice without near duplicates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from aurist.errors import ConfigError, DataError, listing, plural
from aurist.search.index import WindowIndex

Float = npt.NDArray[np.float32]
#: Vectors that are averaged for the middle of an index.
_SAMPLE = 20_000
#: Windows whose vectors, minus the mean, have a larger cosine sound almost the same: nearly all windows of Ogg and MP3
#: copies, and few of other recordings of the same class (benchmarks/search_copies.py).
ALMOST_THE_SAME = 0.95


def mean_vector(index: WindowIndex) -> Float:
    """Average the vectors of evenly spaced windows, (size,)."""
    rows = np.unique(np.linspace(0, max(0, len(index) - 1), min(len(index), _SAMPLE)).astype(np.intp))
    if not len(index):
        raise DataError(f"{index.folder} holds no windows.")
    return np.asarray(index.rows(rows).mean(axis=0), dtype=np.float32)


class IndexedVectors:
    """The vectors of an index by recording and time, minus their mean.

    Parameters
    ----------
    index
        The index.
    files
        Recordings that it must hold.

    Raises
    ------
    ConfigError
        If the index lacks some of them. All are listed.
    """

    def __init__(self, index: WindowIndex, files: set[Path]) -> None:
        self._index, self._middle = index, mean_vector(index)
        ends = np.cumsum([recording.windows for recording in index.recordings]).tolist()
        self._rows = {
            recording.file: slice(end - recording.windows, end)
            for recording, end in zip(index.recordings, ends, strict=True)
            if recording.windows
        }
        missing = sorted(str(file) for file in files if file.absolute() not in self._rows)
        if missing:
            raise ConfigError(
                f"The index {index.folder} lacks {plural(len(missing), 'recording')}:\n{listing(missing)}\n"
                f"Add them: aurist index RECORDINGS -o {index.folder}"
            )

    def at(self, file: Path, start: float, end: float) -> Float:
        """Return the vector of the window whose middle is nearest to the middle of a span, (size,)."""
        rows = self._rows[file.absolute()]
        middles = self._index.windows["start"][rows] + self._index.settings.embedder.embedder.seconds / 2
        row = rows.start + int(np.abs(middles - (start + end) / 2).argmin())
        return np.asarray(self._index.rows(np.array([row]))[0] - self._middle)


class Distinct:
    """Chosen vectors, (n, size), to leave out what sounds almost the same as one of them.

    Examples
    --------
    >>> chosen = Distinct()
    >>> [chosen.add(np.array(vector, np.float32)) for vector in ([1, 0], [2, 0.1], [0, 1])]
    [True, False, True]
    """

    def __init__(self) -> None:
        self._vectors: list[Float] = []

    def add(self, vector: Float) -> bool:
        """Choose a vector, unless one that was chosen is almost the same; return True if it was chosen."""
        unit = vector / max(float(np.linalg.norm(vector)), 1e-12)
        if any(float(other @ unit) > ALMOST_THE_SAME for other in self._vectors):
            return False
        self._vectors.append(unit)
        return True
