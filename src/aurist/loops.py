"""Choose between compiled loops and the same loops with numpy: to load numba takes over a second.

A few clips or rows are not worth that. Once numba is loaded, the compiled loops are used. The last bits of features
differ, so that features that are stored, learnt from, or compared with training rows always come from compiled loops.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

#: With more clips in a job, or in all jobs of this process, the loops of features are compiled.
FEW_CLIPS, FEW_CLIPS_IN_ALL = 4, 12
#: With more rows the loops of models are compiled; with longer clips those of features.
FEW_ROWS, FEW_SECONDS = 8, 60.0


class _Clips:
    """Clips that are to be analysed: in the present job, and in all jobs of this process."""

    in_job = FEW_CLIPS + 1
    in_all = 0


@contextmanager
def job_of_clips(number: int) -> Iterator[None]:
    """Announce that the body analyses this number of clips; elsewhere the loops are compiled."""
    before, _Clips.in_job = _Clips.in_job, number
    _Clips.in_all += number
    try:
        yield
    finally:
        _Clips.in_job = before


def compiles_features(seconds: float) -> bool:
    """Return True if a clip of this length is worth compiled loops."""
    few = _Clips.in_job <= FEW_CLIPS and _Clips.in_all <= FEW_CLIPS_IN_ALL and seconds <= FEW_SECONDS
    return not few or "numba" in sys.modules


def compiles_models(rows: int) -> bool:
    """Return True if a prediction of this number of rows is worth compiled loops."""
    return rows > FEW_ROWS or "numba" in sys.modules
