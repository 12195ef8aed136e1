"""Positions of the decoded sound of each clip, in columns: some 50 bytes a clip, and 4 for each of its blocks."""

from __future__ import annotations

from array import array

import numpy as np

from aurist.features.waves.shards import Entry, Float


class Positions:
    """The positions of the sound of clips, which are found in any order.

    Parameters
    ----------
    n_clips
        The number of clips.

    Attributes
    ----------
    shard
        (n_clips,): the number of the shard; -1 for clips without sound.
    first, n_samples
        (n_clips,): as in `Entry`.
    begin, end
        (n_clips,): the samples [begin, end) are the clip itself, the others its margins.
    scale_at
        (n_clips,): the position of the first scale.
    peak
        (n_clips,), float32: the largest absolute sample.
    """

    def __init__(self, n_clips: int) -> None:
        self._shards: dict[str, int] = {}
        self.shard = np.full(n_clips, -1, dtype=np.int32)
        self.first, self.n_samples, self.begin, self.end, self.scale_at = np.zeros(
            (5, n_clips), dtype=np.int64
        )
        self.peak = np.zeros(n_clips, dtype=np.float32)
        self._scales = array("f")

    def put(self, row: int, entry: Entry, begin: int, end: int) -> None:
        """Set the position of a clip."""
        self.shard[row] = self._shards.setdefault(entry.shard, len(self._shards))
        self.first[row], self.n_samples[row] = entry.first, entry.n_samples
        self.begin[row], self.end[row] = min(begin, entry.n_samples), min(end, entry.n_samples)
        self.peak[row] = entry.scales.max(initial=0) * np.float32(32767)
        self.scale_at[row] = len(self._scales)
        self._scales.frombytes(np.asarray(entry.scales, dtype=np.float32).tobytes())

    @property
    def shards(self) -> list[str]:
        """The names of the shards."""
        return list(self._shards)

    @property
    def scales(self) -> Float:
        """The scales of all clips, (n_blocks,)."""
        return np.array(self._scales, dtype=np.float32)
