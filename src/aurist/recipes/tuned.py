"""The search that settings were chosen by, as a recipe or a plan remembers it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aurist.errors import ConfigError, short_repr

#: So many of the clips are remembered: those of the lowest hashes.
_SAMPLE = 64
_WORDS = re.compile(r"[0-9a-f]{16}(\s+[0-9a-f]{16})*|")


@dataclass(frozen=True)
class TunedBy:
    """The search whose best trial settings are.

    Parameters
    ----------
    trials
        That were scored; 0: nothing was searched.
    metric, score
        By what the best was chosen, and what it scored then: too good, as it is the best of many.
    clips
        A sample of the clips that trials were scored on (see `sample_of`).

    Raises
    ------
    ConfigError
        Where there are fewer than no trials, or the sample is none.
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
                f"clips is {short_repr(self.clips)}, but must be what `aurist tune` wrote: numbers of 16 digits "
                "from 0 to f."
            )

    def share_of(self, hashes: npt.NDArray[np.uint64]) -> float:
        """Estimate which share of clips the trials were scored on; exact where these were 64 clips or fewer.

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
        # all of the clips with hashes as low as the highest of the sample are in it
        comparable = distinct[distinct <= sample.max()] if len(sample) >= _SAMPLE else distinct
        return float(np.isin(comparable, sample).mean()) if len(comparable) else 0.0


def sample_of(hashes: npt.NDArray[np.uint64]) -> str:
    """Write down the lowest of some clips' hashes: of any other clips it can then be told how many are among these.

    Source: the bottom-k sketch of A. Broder, "On the resemblance and containment of documents" (1997).

    Examples
    --------
    >>> sample_of(np.array([255, 7, 255], dtype=np.uint64))
    '0000000000000007 00000000000000ff'
    """
    return " ".join(f"{value:016x}" for value in np.unique(hashes)[:_SAMPLE])
