"""The search that chose the settings, as a recipe or a plan records it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aurist.errors import ConfigError, short_repr

#: The number of clips to record: those with the lowest hashes.
_SAMPLE = 64
_WORDS = re.compile(r"[0-9a-f]{16}(\s+[0-9a-f]{16})*|")


@dataclass(frozen=True)
class TunedBy:
    """The search that chose the settings, by its best trial.

    Parameters
    ----------
    trials
        The number of scored trials; 0: nothing was searched.
    metric, score
        The metric of the search, and the score of the best trial. It is too good, as it is the best of many.
    clips
        A sample of the clips that trials were scored on (see `sample_of`).

    Raises
    ------
    ConfigError
        If the trials are negative, or the sample is not valid.
    """

    trials: int = 0
    metric: str = ""
    score: float = 0.0
    clips: str = ""

    def __post_init__(self) -> None:
        if self.trials < 0:
            raise ConfigError(f"trials is {self.trials}, but must be 0 or more.")
        if _WORDS.fullmatch(self.clips) is None:
            raise ConfigError(
                f"clips is {short_repr(self.clips)}, but must be as `aurist tune` wrote it: "
                "numbers of 16 digits from 0 to f."
            )

    def share_of(self, hashes: npt.NDArray[np.uint64]) -> float:
        """Estimate the share of these clips that the trials were scored on; exact for 64 clips or fewer.

        Examples
        --------
        >>> many = np.random.default_rng(0).integers(2**63, size=40_000, dtype=np.uint64)
        >>> tuned = TunedBy(30, "accuracy", 0.9, sample_of(many))
        >>> tuned.share_of(many), tuned.share_of(many[:10] + np.uint64(1))
        (1.0, 0.0)
        >>> bool(abs(TunedBy(30, "accuracy", 0.9, sample_of(many[:30_000])).share_of(many) - 0.75) < 0.15)
        True
        """
        sample = np.array([int(word, 16) for word in self.clips.split()], dtype=np.uint64)
        distinct = np.unique(hashes)
        # the sample has all clips with hashes up to its highest
        comparable = distinct[distinct <= sample.max()] if len(sample) >= _SAMPLE else distinct
        return float(np.isin(comparable, sample).mean()) if len(comparable) else 0.0


def sample_of(hashes: npt.NDArray[np.uint64]) -> str:
    """Record the lowest hashes of clips, to estimate later how many of other clips are among them.

    Source: the bottom-k sketch of A. Broder, "On the resemblance and containment of documents" (1997).

    Examples
    --------
    >>> sample_of(np.array([255, 7, 255], dtype=np.uint64))
    '0000000000000007 00000000000000ff'
    """
    return " ".join(f"{value:016x}" for value in np.unique(hashes)[:_SAMPLE])
