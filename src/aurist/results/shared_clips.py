"""The clips that two runs share, and the groups of either."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurist.clips import Clips
from aurist.run import RunData

Rows = npt.NDArray[np.intp]


def shared_rows(
    first: Clips, second: Clips, features: tuple[pd.DataFrame, pd.DataFrame]
) -> tuple[Rows, Rows]:
    """Find the clips that two tables share.

    Clips are the same if they are the same part of the same file. Of tables without recordings, or if the recordings
    were moved, they are the same if their ids are; rows of tables must also agree in all features that both have.

    Parameters
    ----------
    first, second
        The clips of two runs.
    features
        Of these clips.

    Returns
    -------
    rows, others : (n_shared,)
        Positions in the first and in the second table.
    """
    keys = [_keys(first), _keys(second)]
    both = first.has_audio and second.has_audio
    if not both or not set(keys[0]) & set(keys[1]):  # of tables, or moved
        keys = [clips.table["clip_id"].tolist() for clips in (first, second)]
    position = pd.Series(range(len(keys[1])), index=keys[1])
    position = position[~position.index.duplicated()]
    other = position.reindex(keys[0]).to_numpy(dtype=float)
    rows = np.flatnonzero(np.isfinite(other))
    others = other[rows].astype(np.intp)
    columns = [name for name in features[0] if name in features[1]]
    if not both and columns:
        tables = [features[0][columns].iloc[rows], features[1][columns].iloc[others]]
        numbers = [table.apply(pd.to_numeric, errors="coerce").to_numpy(dtype=float) for table in tables]
        same = np.isclose(numbers[0], numbers[1], equal_nan=True).all(axis=1)
        rows, others = rows[same], others[same]
    return rows, others


def joined_groups(first: npt.NDArray[np.int64], second: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Number the groups so that clips are together that are so in either run, (n,).

    Examples
    --------
    >>> joined_groups(np.array([0, 0, 1, 2]), np.array([5, 6, 6, 7])).tolist()
    [0, 0, 0, 1]
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    codes = [np.unique(groups, return_inverse=True)[1] for groups in (first, second)]
    count = codes[0].max() + 1
    size = count + codes[1].max() + 1
    links = coo_array((np.ones(len(first)), (codes[0], count + codes[1])), shape=(size, size))
    return np.asarray(connected_components(links, directed=False)[1][codes[0]], dtype=np.int64)


def _keys(clips: Clips) -> list[object]:
    """Give the file and the times of each clip."""
    if not clips.has_audio:
        return list(clips.table["clip_id"])
    times = [clips.table[name].astype(float).round(3).fillna(-1.0) for name in ("start", "end")]
    return list(zip([str(file.resolve()) for file in clips.files()], *times, strict=True))


def features_of(data: RunData, clips: Clips) -> pd.DataFrame:
    """Give the features of some clips of a run."""
    rows = pd.Index(data.clips.table["clip_id"]).get_indexer(pd.Index(clips.table["clip_id"]))
    features: pd.DataFrame = data.features.iloc[rows].reset_index(drop=True)
    return features
